"""Switches for behaviour of X that is disputed, or that a test needs to be different.

`POST /_emulator/switches` sets them. The defaults follow the best sources.
"""

from typing import Literal

import msgspec


class Switches(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How the emulator behaves where sources disagree."""

    refuse_duplicates: bool = True
    """Refuse a text that the same user has posted in the last 24 hours."""
    revoke_on_refresh_reuse: bool = True
    """A refresh token used twice revokes the whole grant."""
    allow_media_reuse: bool = False
    """A media id may be attached to more than one post."""
    rate_limits: bool = True
    """Count requests against X's rate limits."""
    max_segment_bytes: int = 4 * 1024 * 1024
    """Larger segments are refused."""
    oversized_segment_status: Literal[413, 431] = 413
    """The status of that refusal."""
    processing_polls: int = 1
    """How many STATUS reads return `in_progress` before a GIF or video is done."""
    processing_error: str | None = None
    """Processing of every GIF and video fails with this reason, even if the file is valid."""
    finalize_requires_body: bool = False
    """Also refuse a finalize without a body. A body that is not a JSON object is always refused."""
    finalize_is_idempotent: bool = True
    """A repeated finalize returns the first result. False: it is refused. No source says which."""
    append_status: Literal[200, 204] = 200
    """200 with `expires_at` (the schema), or 204 without a body (what clients' tests expect)."""
    tier: Literal["self-serve", "enterprise"] = "self-serve"
    """Self-serve apps may not quote, and may reply only where their user was summoned."""
    field_names: Literal["as_requested", "post"] = "as_requested"
    """Spelling of field names: as in the request (`tweet` by default), or always `post`."""
    problem_host: Literal["api.twitter.com", "api.x.com"] = "api.twitter.com"
    """The host in problem types."""
    error_format: Literal["nested", "flat"] = "nested"
    """Invalid requests with an `errors` array (logs), or flat (OpenAPI 2.167)."""
    too_long_error: Literal["403", "400", "403-text"] = "403"
    """How a text that is too long is refused. The sources disagree."""
    summons_error: Literal["problem", "sentence"] = "problem"
    """How a reply without a summons is refused: as since August 2026, or as before."""
    add_reply_mention: bool = False
    """X adds a mention of the parent's author to the text of a reply to another user."""
    add_quote_link: bool = False
    """X adds a link to the quoted post to the text of a quote."""
    min_parent_age_seconds: float = 0.0
    """How old a post must be before it can be replied to. In 2022 it was about five seconds."""
    edit_window_minutes: Literal[30, 60] = 30
    """How long a post may be edited. Two pages of the documentation disagree."""
    max_posts_per_day: int | None = None
    """Posts per user in 24 hours, as on the older tiers. None: no such limit."""
    max_reads_per_window: int | None = None
    """Reads of each kind per user in 15 minutes, where some pay-per-use apps had one.
    None: as documented."""
    quote_request_in_errors: bool = False
    """Every refusal quotes the texts of its request and the name of its user."""
    daily_limit_headers: bool = False
    """Return the state of the 24-hour windows in headers, as the older tiers do."""
