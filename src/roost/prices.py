"""The price of each X request in dollars, with the date and source of every list price.

X bills a write per request and a read per returned resource. If X does not document which of two
prices applies, a `Price` is a range from `low` to `high` with a reason. The ledger records `low`,
the amount that X certainly bills; budgets use `high`, the most that X may bill.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from roost.models import PartOptions, TweetId
from roost.text import extract_entities

#: The date on which every list price was last compared with its source.
PRICES_AS_OF: Final = date(2026, 11, 23)

#: The sum of several prices states at most this many of their different reasons.
_LISTED_REASONS: Final = 6
_PRICING_PAGE: Final = "https://docs.x.com/x-api/getting-started/pricing"
_CHANGELOG: Final = "https://docs.x.com/changelog"


class Operation(StrEnum):
    """Every kind of request that Roost sends to X; the ledger stores these values."""

    CREATE_POST = "create_post"
    """POST /2/tweets."""
    DELETE_POST = "delete_post"
    """DELETE /2/tweets/:id."""
    READ_POSTS = "read_posts"
    """GET /2/tweets, by ids."""
    READ_TIMELINE = "read_timeline"
    """GET /2/users/:id/tweets."""
    READ_POST_ANALYTICS = "read_post_analytics"
    """GET /2/tweets/analytics; X lists no price, so Roost prices each post as a read."""
    READ_MEDIA_ANALYTICS = "read_media_analytics"
    """GET /2/media/analytics; X lists no price, so Roost counts the request as free."""
    READ_USAGE = "read_usage"
    """GET /2/usage/tweets."""
    READ_USER = "read_user"
    """GET /2/users/me, /2/users/:id, /2/users."""
    MEDIA_UPLOAD = "media_upload"
    """Initialize, append or finalize of API v2, or an upload request of API v1.1."""
    MEDIA_STATUS = "media_status"
    """GET /2/media/upload: the progress of processing."""
    MEDIA_METADATA = "media_metadata"
    """POST /2/media/metadata: set an alt text."""
    MEDIA_SUBTITLES = "media_subtitles"
    """POST /2/media/subtitles: add subtitles to a video."""
    TOKEN = "token"  # noqa: S105  the name of a request
    """POST /2/oauth2/token: exchange a code, or refresh a token."""
    REVOKE = "revoke"
    """POST /2/oauth2/revoke."""


class Resource(StrEnum):
    """The kinds of objects whose reads X bills, once per object, app and UTC day."""

    POST = "post"
    USER = "user"


@dataclass(frozen=True, slots=True)
class ListPrice:
    """One entry of X's price list."""

    name: str
    usd: Decimal
    per: str
    """What X bills: `request`, or the kind of `Resource` in the response."""
    source: str
    """The URL of the page with this price."""


_CREATE: Final = ListPrice("create a post", Decimal("0.015"), "request", _PRICING_PAGE)
_LINK: Final = ListPrice("create a post with a link", Decimal("0.200"), "request", _PRICING_PAGE)
_SUMMONED: Final = ListPrice("create a summoned reply", Decimal("0.010"), "request", _CHANGELOG)
_DELETE: Final = ListPrice("delete a post", Decimal("0.010"), "request", _PRICING_PAGE)
_METADATA: Final = ListPrice("an alt text for media", Decimal("0.005"), "request", _PRICING_PAGE)
_READ_POST: Final = ListPrice("read a post", Decimal("0.005"), Resource.POST, _PRICING_PAGE)
_READ_USER: Final = ListPrice("read a user", Decimal("0.010"), Resource.USER, _PRICING_PAGE)

#: Every price that X lists. A request that is not listed is free.
PRICE_LIST: Final = (_CREATE, _LINK, _SUMMONED, _DELETE, _METADATA, _READ_POST, _READ_USER)

_BY_OPERATION: Final = {
    Operation.CREATE_POST: _CREATE,
    Operation.DELETE_POST: _DELETE,
    Operation.READ_POSTS: _READ_POST,
    Operation.READ_TIMELINE: _READ_POST,
    Operation.READ_POST_ANALYTICS: _READ_POST,
    Operation.READ_USER: _READ_USER,
    Operation.MEDIA_METADATA: _METADATA,
}


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a request in dollars: certain minimum, possible maximum, and the reason."""

    low: Decimal
    high: Decimal
    reason: str
    """The reason for the price; for a sum, the amount and the reason of each price in it."""
    parts: tuple["Price", ...] = field(default=(), repr=False, compare=False)
    """The prices of which this price is the sum; empty if it is not a sum."""

    @property
    def is_certain(self) -> bool:
        """Whether X documents exactly one price."""
        return self.low == self.high


def unit_usd(operation: Operation) -> Decimal:
    """Return the dollars for one request, or for one resource that a read returns.

    For a create, the price is that of a post without a link.
    """
    listed = _BY_OPERATION.get(operation)
    return listed.usd if listed else Decimal(0)


def billed_resource(operation: Operation) -> Resource | None:
    """Return the kind of object whose reads X bills; None if X bills per request or nothing."""
    listed = _BY_OPERATION.get(operation)
    return Resource(listed.per) if listed and listed.per != "request" else None


def price_of(operation: Operation) -> Price:
    """Return the price of a request that neither creates a post nor reads resources."""
    usd = unit_usd(operation)
    listed = _BY_OPERATION.get(operation)
    return Price(usd, usd, listed.name if listed else f"{operation.replace('_', ' ')} is free")


def price_of_create(
    text: str,
    *,
    media: bool = False,
    quote: bool = False,
    card: bool = False,
    deep_link: bool = False,
    summoned: bool | None = False,
) -> Price:
    """Return the price of creating one post.

    X bills any URL in the text as a link, even without `https://`. X probably bills a quoted post,
    a card or a direct-message link as a link, and possibly also attached media, because X appends a
    link to the media to the text. `summoned` is for replies: True if the author of the parent
    mentioned or quoted this account, which lowers the price; None if this is unknown.
    """
    base = _CREATE if summoned is False else _SUMMONED
    urls = extract_entities(text).urls
    if urls and summoned is False:
        return Price(_LINK.usd, _LINK.usd, f"links to {urls[0].value}")
    uncertain = []
    if urls:
        uncertain.append(
            f"links to {urls[0].value}; X does not document the price of a summoned reply with a"
            " link"
        )
    probable_links = [
        name
        for name, is_present in (
            ("the quoted post", quote),
            ("the card", card),
            ("the direct-message link", deep_link),
        )
        if is_present
    ]
    if probable_links:
        uncertain.append(f"{' and '.join(probable_links)} is probably billed as a link")
    elif media:
        uncertain.append("X does not document whether media is billed as a link")
    if uncertain:
        return Price(base.usd, _LINK.usd, "; ".join(uncertain))
    if summoned is None:
        reason = "a reply costs less if the parent's author mentioned or quoted this account"
        return Price(_SUMMONED.usd, _CREATE.usd, reason)
    return Price(base.usd, base.usd, "a summoned reply" if summoned else "no link")


def price_of_reads(operation: Operation, fresh: int) -> Price:
    """Return the price of a read that returned `fresh` resources.

    A resource is fresh if X has not billed this app for reading it since midnight UTC. Any other
    resource is free, so a read without fresh resources costs nothing.
    """
    each = unit_usd(operation)
    usd = each * fresh
    resource = billed_resource(operation)
    return Price(usd, usd, f"{fresh} × {resource} at {_dollars(each)}")


def price_of_part(
    text: str, options: PartOptions, *, has_media: bool, own: Collection[TweetId] = ()
) -> Price:
    """Return the price of creating one part; `own` has the ids of the account's known posts."""
    is_foreign = options.reply_to is not None and options.reply_to not in own
    return price_of_create(
        text,
        media=has_media,
        quote=options.quote_of is not None,
        summoned=None if is_foreign else False,
    )


def sum_prices(prices: Iterable[Price]) -> Price:
    """Return the sum of prices; its reason lists the prices that add up to the sum.

    Equal prices are listed once, with their count: `2 × $0.015: no link; $0.200: links to a.com`.
    """
    every = tuple(part for price in prices for part in price.parts or (price,))
    # If X bills anything, requests that are free do not explain the sum.
    parts = tuple(part for part in every if part.high) or every
    if len(parts) == 1:
        return parts[0]
    low = sum((part.low for part in parts), Decimal(0))
    high = sum((part.high for part in parts), Decimal(0))
    return Price(low, high, _list_parts(parts), parts)


def _list_parts(parts: Collection[Price]) -> str:
    """Describe the prices that add up to a total.

    The first `_LISTED_REASONS` different prices are listed with their reasons, the others only with
    their amounts.
    """
    counts = Counter((part.low, part.high, part.reason) for part in parts)
    listed = dict(list(counts.items())[:_LISTED_REASONS])
    others: Counter[tuple[Decimal, Decimal, str]] = Counter()
    for (low, high, _), count in list(counts.items())[_LISTED_REASONS:]:
        others[low, high, "other reasons"] += count
    return "; ".join(
        (f"{count:,} × " if count > 1 else "") + f"{format_range(low, high)}: {reason}"
        for (low, high, reason), count in (*listed.items(), *others.items())
    )


def format_range(low: Decimal, high: Decimal) -> str:
    """Return an amount in dollars, or the range from `low` to `high`, to a tenth of a cent."""
    return _dollars(low) if low == high else f"{_dollars(low)} to {_dollars(high)}"


def price_of_response(before: Price, status: int | None) -> Price:
    """Return the final price of a request, given X's HTTP status; None means no response.

    `before` is the price that was computed before the request. X bills it for a successful request.
    A refusal (4xx) costs nothing. After a server error or without a response, X may still have
    executed and billed the request.
    """
    if status is not None and status < 400:
        return before
    if status is not None and status < 500:
        return Price(Decimal(0), Decimal(0), f"refused with {status}: not billed")
    outcome = "no response" if status is None else f"status {status}"
    return Price(Decimal(0), before.high, f"{outcome}: billed only if X executed the request")


def _dollars(usd: Decimal) -> str:
    return f"${usd:.3f}"
