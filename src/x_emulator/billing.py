"""The prices of requests, and the credits of an app's developer account.

Prices are in dollars, from the pricing page of X's documentation of April 2026. If an app reads an
object again on the same UTC day, the second read is free. Refused requests, token requests and
uploads are free.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from x_emulator.rules import refusals
from x_emulator.state import App, World

FREE = Decimal(0)
CREATE = Decimal("0.015")
CREATE_WITH_LINK = Decimal("0.200")
CREATE_SUMMONED_REPLY = Decimal("0.010")
DELETE = Decimal("0.010")
MEDIA_METADATA = Decimal("0.005")
READ = {"post": Decimal("0.005"), "user": Decimal("0.010")}
OWNED_READ = Decimal("0.001")

#: Operations that need no credits. X charges nothing for these operations. We conclude that an
#: account without credits may still call them.
_FREE_OPERATIONS = frozenset({"media_initialize", "media_append", "media_finalize", "media_status"})
_POST_READS = frozenset({"read_posts", "read_post", "read_timeline"})


def price_of_create(*, has_link: bool, summoned: bool) -> Decimal:
    """Return the price of a new post.

    A summoned reply with a link costs as much as any other post with a link.
    """
    if has_link:
        return CREATE_WITH_LINK
    return CREATE_SUMMONED_REPLY if summoned else CREATE


def charge_reads(
    world: World,
    client_id: str,
    kind: str,
    ids: Iterable[str],
    at: datetime,
    *,
    owned: bool = False,
) -> Decimal:
    """Record that an app has read the objects in a response, and return their price.

    Each object is charged once per app and UTC day. `owned` says that the app's developer reads
    their own data, on a path that contains `me` or the user's id. Such reads cost less.
    """
    day = at.date().isoformat()
    fresh = {(client_id, kind, each, day) for each in ids} - world.billed_reads
    world.billed_reads |= fresh
    return (OWNED_READ if owned else READ[kind]) * len(fresh)


def check_funds(world: World, app: App, operation: str, at: datetime) -> None:
    """Check that the developer's account can pay for an operation.

    Raises: Refusal (no credits left, or the monthly cap on reads is reached).
    """
    if app.credits is not None and app.credits <= 0 and operation not in _FREE_OPERATIONS:
        raise refusals.no_credits(world.switches, app.account_id)
    is_capped = app.post_cap is not None and operation in _POST_READS
    if is_capped and app.posts_read.get(_month(at), 0) >= (app.post_cap or 0):
        raise refusals.cap_exceeded(world.switches, app.account_id)


def spend(app: App, usd: Decimal) -> None:
    """Subtract a price from the app's credits. The credits may become negative."""
    if app.credits is not None:
        app.credits -= usd


def count_posts_read(app: App, posts: int, at: datetime) -> None:
    """Add the number of posts in a response to the app's count for the month."""
    app.posts_read[_month(at)] = app.posts_read.get(_month(at), 0) + posts


def _month(at: datetime) -> str:
    return f"{at:%Y-%m}"
