"""The types of the body of `POST /2/tweets`, according to X's schema."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[str, Meta(pattern="^[0-9]{1,19}$")]
ReplySettings = Literal["following", "mentionedUsers", "subscribers", "verified"]


class MediaBody(Struct, forbid_unknown_fields=True):
    """The field `media` of a create request."""

    media_ids: Annotated[list[Id], Meta(min_length=1, max_length=4)]
    tagged_user_ids: Annotated[list[Id], Meta(max_length=10)] | UnsetType = UNSET
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    embeddable: bool | UnsetType = UNSET
    preview_media_id: Id | UnsetType = UNSET
    call_to_actions: dict[str, object] | UnsetType = UNSET


class PollBody(Struct, forbid_unknown_fields=True):
    """The field `poll` of a create request."""

    options: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=25)]], Meta(min_length=2, max_length=4)
    ]
    duration_minutes: Annotated[int, Meta(ge=5, le=10_080)]
    reply_settings: ReplySettings | UnsetType = UNSET


class ReplyBody(Struct, forbid_unknown_fields=True):
    """The field `reply` of a create request."""

    in_reply_to_tweet_id: Id
    exclude_reply_user_ids: list[str] | UnsetType = UNSET
    auto_populate_reply_metadata: bool | UnsetType = UNSET


class GeoBody(Struct, forbid_unknown_fields=True):
    """The field `geo` of a create request."""

    place_id: str


class EditBody(Struct, forbid_unknown_fields=True):
    """The field `edit_options` of a create request."""

    previous_post_id: Id


class CreateBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /2/tweets`, which X's schema calls `CreatePostsRequest`."""

    text: str | UnsetType = UNSET
    media: MediaBody | UnsetType = UNSET
    poll: PollBody | UnsetType = UNSET
    reply: ReplyBody | UnsetType = UNSET
    quote_tweet_id: Id | UnsetType = UNSET
    reply_settings: ReplySettings | UnsetType = UNSET
    geo: GeoBody | UnsetType = UNSET
    community_id: Id | UnsetType = UNSET
    share_with_followers: bool | UnsetType = UNSET
    for_super_followers_only: bool | UnsetType = UNSET
    nullcast: bool | UnsetType = UNSET
    card_uri: str | UnsetType = UNSET
    direct_message_deep_link: str | UnsetType = UNSET
    edit_options: EditBody | UnsetType = UNSET
    made_with_ai: bool | UnsetType = UNSET
    paid_partnership: bool | UnsetType = UNSET
