"""Switches for behaviour of X that sources describe differently, or that tests must vary.

`POST /_emulator/switches` sets the switches. The defaults follow the most reliable sources.
"""

from typing import Literal

import msgspec


class Switches(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The values of all switches."""

    refuse_duplicates: bool = True
    """Whether to refuse a text that the same user has posted in the last 24 hours."""
    revoke_on_refresh_reuse: bool = True
    """Whether the second use of a refresh token revokes the whole grant."""
    allow_media_reuse: bool = False
    """Whether a media id may be attached to more than one post."""
    rate_limits: bool = True
    """Whether to apply X's rate limits."""
    max_segment_bytes: int = 4 * 1024 * 1024
    """The maximum size of a media segment. Larger segments are refused."""
    oversized_segment_status: Literal[413, 431] = 413
    """The status with which a segment larger than `max_segment_bytes` is refused."""
    processing_polls: int = 1
    """The number of STATUS reads that return `in_progress` before a GIF or video is processed."""
    processing_error: str | None = None
    """If set, the processing of every valid GIF and video fails with this reason."""
    finalize_requires_body: bool = False
    """Whether to refuse a finalize without a body. A body that is not a JSON object is always
    refused."""
    finalize_is_idempotent: bool = True
    """Whether a repeated finalize succeeds; otherwise it is refused. X's behaviour is not known."""
    append_status: Literal[200, 204] = 200
    """The response: 200 with `expires_at`, as in X's schema, or 204 without a body, as the tests of
    clients expect."""
    tier: Literal["self-serve", "enterprise"] = "self-serve"
    """The access tier of apps. A self-serve app may not quote. It may reply to a post only if
    the post is by its user, mentions its user or quotes a post of its user."""
    field_names: Literal["as_requested", "post"] = "as_requested"
    """Whether responses use the field names of the request, which are old (`tweet`) or new
    (`post`), or always the new names."""
    problem_host: Literal["api.twitter.com", "api.x.com"] = "api.twitter.com"
    """The host in the URIs of problem types."""
    error_format: Literal["nested", "flat"] = "nested"
    """Whether the response to an invalid request has an `errors` array, as in logs, or is
    flat, as in OpenAPI 2.167."""
    too_long_error: Literal["403", "400", "403-text"] = "403"
    """How a text that is too long is refused. Sources disagree on X's response."""
    summons_error: Literal["problem", "sentence"] = "problem"
    """How a reply by a self-serve app to a post that does not involve its user is refused: as
    since August 2026 (`problem`), or as before (`sentence`)."""
    add_reply_mention: bool = False
    """Whether X adds a mention of the parent's author to the text of a reply to another user."""
    add_quote_link: bool = False
    """Whether X adds a link to the quoted post to the text of a quote."""
    min_parent_age_seconds: float = 0.0
    """The age that a post must have before X accepts a reply; about five seconds in 2022."""
    edit_window_minutes: Literal[30, 60] = 30
    """The time for which a post may be edited, on which two pages of X's documentation differ."""
    max_posts_per_day: int | None = None
    """The limit of posts per user in 24 hours, as on the older tiers; None for no limit."""
    max_reads_per_window: int | None = None
    """A limit of reads of each kind per user in 15 minutes, which some pay-per-use apps had
    instead of the documented limits; None for the documented limits."""
    quote_request_in_errors: bool = False
    """Whether every refusal quotes the texts of its request and the name of its user."""
    daily_limit_headers: bool = False
    """Whether the headers report the state of the 24-hour limits, as on the older tiers."""
