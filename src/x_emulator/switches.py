"""Where X's behaviour is disputed or a test needs another: what `POST /_emulator/switches` sets."""

from typing import Literal

import msgspec


class Switches(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How this X behaves; the defaults are what the best sources say."""

    duplicates: bool = True
    """Refuse a text that the same user has posted in the last 24 hours."""
    family_revocation: bool = True
    """A refresh token used twice kills the whole grant."""
    media_reuse: bool = False
    """A media id may be attached to more than one post."""
    limits: bool = True
    """Count requests against X's rate limits."""
    max_segment_bytes: int = 4 * 1024 * 1024
    """Larger segments are refused."""
    segment_refusal: Literal[413, 431] = 413
    """With which status."""
    processing_polls: int = 1
    """How many STATUS reads say `in_progress` before GIF or video is done."""
    processing_failure: str | None = None
    """GIF and video fail with this reason, however good they are."""
    finalize_needs_object: bool = False
    """Finalize without a body is refused, too; a body that is no JSON object always is."""
    finalize_again: bool = True
    """A finalize that comes again is answered like the first, or else refused; no source tells."""
    append_answer: Literal[200, 204] = 200
    """200 with `expires_at` (the schema), or 204 with nothing (what clients' tests expect)."""
    tier: Literal["self-serve", "enterprise"] = "self-serve"
    """Self-serve apps may not quote, nor reply where they were not summoned."""
    spelling: Literal["asked", "post"] = "asked"
    """Field names: as the request spells them (tweet by default), or always `post`."""
    problem_host: Literal["api.twitter.com", "api.x.com"] = "api.twitter.com"
    """The host in problem types."""
    errors: Literal["nested", "flat"] = "nested"
    """Invalid requests with an `errors` array (logs), or flat (OpenAPI 2.167)."""
    too_long: Literal["403", "400", "403-text"] = "403"
    """How a text that is too long is refused; the sources disagree."""
    summons: Literal["problem", "sentence"] = "problem"
    """How a reply without a summons is refused: as since August 2026, or as before."""
    reply_mentions: bool = False
    """The text of a reply to somebody else comes back with a mention of the parent's author."""
    quote_links: bool = False
    """The text of a quote comes back with a link to the quoted post."""
    parent_lag_seconds: float = 0.0
    """How old a post must be before one may reply to it; five seconds were needed in 2022."""
    edit_minutes: Literal[30, 60] = 30
    """How long a post may be edited; two pages of the documentation disagree."""
    posts_a_day: int | None = None
    """How many posts a user may make in 24 hours, as on the older tiers; None: no such limit."""
    reads_a_window: int | None = None
    """How many reads of each kind a user may make in 15 minutes, where some pay-per-use apps had
    one; None: as documented."""
    quotes: bool = False
    """Every refusal quotes the texts of its request and the name of its user."""
    day_headers: bool = False
    """Tell the 24-hour windows in headers, as the older tiers do."""
