"""What an X request costs: dated figures in dollars, and what is certain about them.

X bills a request by what it does and a read by what comes back. Where X does not say which of
two prices applies, a `Price` is a range with the reason: `low` is what the list surely asks (a
ledger books it), `high` what it may turn out to be (a budget reckons with it).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from roost.models import PartOptions, TweetId
from roost.text import entities

#: The day on which every figure below was last compared with its source.
PRICES_AS_OF: Final = date(2026, 11, 23)

_PRICE_LIST: Final = "https://docs.x.com/x-api/getting-started/pricing"
_CHANGELOG: Final = "https://docs.x.com/changelog"


class Operation(StrEnum):
    """Every kind of request that Roost sends to X; the ledger's word for it."""

    CREATE_POST = "create_post"
    """POST /2/tweets."""
    DELETE_POST = "delete_post"
    """DELETE /2/tweets/:id."""
    READ_POSTS = "read_posts"
    """GET /2/tweets, by ids."""
    READ_TIMELINE = "read_timeline"
    """GET /2/users/:id/tweets."""
    READ_POST_ANALYTICS = "read_post_analytics"
    """GET /2/tweets/analytics; X's list does not name it: reckoned as a read of its posts."""
    READ_MEDIA_ANALYTICS = "read_media_analytics"
    """GET /2/media/analytics; X's list does not name it."""
    READ_USAGE = "read_usage"
    """GET /2/usage/tweets."""
    READ_USER = "read_user"
    """GET /2/users/me, /2/users/:id, /2/users."""
    MEDIA_UPLOAD = "media_upload"
    """Initialize, append and finalize, and X's older upload."""
    MEDIA_STATUS = "media_status"
    """GET /2/media/upload: how far processing is."""
    MEDIA_METADATA = "media_metadata"
    """POST /2/media/metadata: an alt text."""
    MEDIA_SUBTITLES = "media_subtitles"
    """POST /2/media/subtitles: tie subtitles to a video."""
    TOKEN = "token"  # noqa: S105  the name of a request
    """POST /2/oauth2/token: exchange and refresh."""
    REVOKE = "revoke"
    """POST /2/oauth2/revoke."""


class Resource(StrEnum):
    """What reads are billed by: each one once per app and UTC day, however often it is read."""

    POST = "post"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the price table."""

    name: str
    usd: Decimal
    per: str
    """`request`, or the resource that the answer holds."""
    source: str
    """The page that states it."""


_CREATE: Final = Figure("create a post", Decimal("0.015"), "request", _PRICE_LIST)
_LINK: Final = Figure("create a post with a link", Decimal("0.200"), "request", _PRICE_LIST)
_SUMMONED: Final = Figure("create a summoned reply", Decimal("0.010"), "request", _CHANGELOG)
_DELETE: Final = Figure("delete a post", Decimal("0.010"), "request", _PRICE_LIST)
_METADATA: Final = Figure("give media an alt text", Decimal("0.005"), "request", _PRICE_LIST)
_READ_POST: Final = Figure("read a post", Decimal("0.005"), Resource.POST, _PRICE_LIST)
_READ_USER: Final = Figure("read a user", Decimal("0.010"), Resource.USER, _PRICE_LIST)

#: The whole table, as the documentation shows it. What is not in it costs nothing.
FIGURES: Final = (_CREATE, _LINK, _SUMMONED, _DELETE, _METADATA, _READ_POST, _READ_USER)

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
    """Dollars that a request costs, from surely to possibly, and why."""

    low: Decimal
    high: Decimal
    reason: str

    @property
    def is_certain(self) -> bool:
        """Whether X's documents leave no doubt."""
        return self.low == self.high


def unit_usd(operation: Operation) -> Decimal:
    """Dollars for one request, or for one resource of a read; a create without any link."""
    figure = _BY_OPERATION.get(operation)
    return figure.usd if figure else Decimal(0)


def resource_read(operation: Operation) -> Resource | None:
    """What a read is billed by; None where the request itself is billed, or nothing is."""
    figure = _BY_OPERATION.get(operation)
    return Resource(figure.per) if figure and figure.per != "request" else None


def price_of(operation: Operation) -> Price:
    """The price of one request that is neither a create nor a read (those depend on more)."""
    usd = unit_usd(operation)
    return Price(usd, usd, f"{operation}: {_dollars(usd)}" if usd else f"{operation}: free")


def price_of_create(
    text: str,
    *,
    media: bool = False,
    quote: bool = False,
    card: bool = False,
    deep_link: bool = False,
    summoned: bool | None = False,
) -> Price:
    """What creating one post costs.

    Any URL in the text bills as a link, without `https://` too. A quoted post, a card or a
    direct-message link probably does; attached media, which X shows as a link of its own, might.
    `summoned`: a reply whose parent's author mentioned or quoted this account; None where that is
    not known, because the parent may be this account's own.
    """
    base = _CREATE if summoned is False else _SUMMONED
    urls = entities(text).urls
    if urls and summoned is False:
        return Price(_LINK.usd, _LINK.usd, f"links to {urls[0].value}")
    doubts = []
    if urls:
        doubts.append(f"links to {urls[0].value}; X does not say whether the summons outweighs it")
    likely = [
        name
        for name, there in (
            ("the quoted post", quote),
            ("the card", card),
            ("the direct-message link", deep_link),
        )
        if there
    ]
    if likely:
        doubts.append(f"{' and '.join(likely)} probably bills as a link")
    elif media:
        doubts.append("X does not say whether media bills as a link")
    if doubts:
        return Price(base.usd, _LINK.usd, "; ".join(doubts))
    if summoned is None:
        reason = "a reply costs less where its author has mentioned or quoted this account"
        return Price(_SUMMONED.usd, _CREATE.usd, reason)
    return Price(base.usd, base.usd, "a summoned reply" if summoned else "no link")


def price_of_reads(operation: Operation, fresh: int) -> Price:
    """What a read costs whose answer held `fresh` resources.

    `fresh` counts those that this app has not been billed for since midnight UTC; any other
    comes free. A read that found nothing new costs nothing.
    """
    each = unit_usd(operation)
    usd = each * fresh
    resource = resource_read(operation)
    return Price(usd, usd, f"{fresh} × {resource} at {_dollars(each)}")


def price_of_part(
    text: str, options: PartOptions, *, has_media: bool, own: Collection[TweetId] = ()
) -> Price:
    """What creating one part costs; `own` are posts that are known as the account's own."""
    is_foreign = options.reply_to is not None and options.reply_to not in own
    return price_of_create(
        text,
        media=has_media,
        quote=options.quote_of is not None,
        summoned=None if is_foreign else False,
    )


def sum_of(prices: Iterable[Price]) -> Price:
    """All of them together; equal reasons are told once, with their number."""
    low = high = Decimal(0)
    reasons: dict[str, int] = {}
    for price in prices:
        low += price.low
        high += price.high
        reasons[price.reason] = reasons.get(price.reason, 0) + 1
    told = (f"{count} × ({reason})" if count > 1 else reason for reason, count in reasons.items())
    return Price(low, high, "; ".join(told))


def price_of_answer(before: Price, status: int | None) -> Price:
    """What a request turned out to cost, by X's HTTP status; None: no answer came.

    X bills what it answered. A refusal (4xx) costs nothing. A server error or silence proves
    nothing: the request may have been carried out and billed.
    """
    if status is not None and status < 400:
        return before
    if status is not None and status < 500:
        return Price(Decimal(0), Decimal(0), f"refused with {status}: not billed")
    silence = "no answer" if status is None else f"answered {status}"
    return Price(Decimal(0), before.high, f"{silence}: billed only if X carried it out")


def _dollars(usd: Decimal) -> str:
    return f"${usd:.3f}"
