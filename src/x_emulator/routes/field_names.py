"""The values of `….fields` and `expansions`, in their older spelling (see `serializers`)."""

_POST = """
article article_title attachments author_id card_uri community_id context_annotations
conversation_id created_at display_text_range edit_controls edit_history_tweet_ids entities geo id
in_reply_to_user_id lang matched_media_notes media_metadata non_public_metrics note_tweet
note_request_suggestions organic_metrics paid_partnership possibly_sensitive promoted_metrics
public_metrics referenced_tweets reply_settings scopes source suggested_source_links
suggested_source_links_with_counts text withheld
"""
_USER = """
affiliation confirmed_email connection_status created_at description entities id
is_identity_verified location most_recent_tweet_id name parody pinned_tweet_id profile_banner_url
profile_image_url protected public_metrics receives_your_dm subscribes_to_you subscription
subscription_type url username verified verified_followers_count verified_type withheld
"""
_MEDIA = """
alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url
promoted_metrics public_metrics type url variants width
"""
_PLACE = "contained_within country country_code full_name geo id name place_type"
_POLL = "duration_minutes end_datetime id options voting_status"
_EXPANSIONS = """
article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet
attachments.poll_ids author_id edit_history_tweet_ids entities.mentions.username geo.place_id
in_reply_to_user_id referenced_tweets referenced_tweets.id referenced_tweets.id.author_id username
most_recent_tweet_id pinned_tweet_id affiliation
"""

POST_FIELDS = frozenset(_POST.split())
USER_FIELDS = frozenset(_USER.split())
MEDIA_FIELDS = frozenset(_MEDIA.split())
PLACE_FIELDS = frozenset(_PLACE.split())
POLL_FIELDS = frozenset(_POLL.split())
EXPANSIONS = frozenset(_EXPANSIONS.split())
