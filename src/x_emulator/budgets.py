"""What an app's developer has paid for: credits in dollars, and posts to read in a month."""

from datetime import datetime
from decimal import Decimal

from x_emulator import refusals
from x_emulator.state import App, World

#: X charges nothing for these, so an empty account does not stop them (our reading).
_FREE = frozenset({"media_initialize", "media_append", "media_finalize", "media_status"})
_READS_POSTS = frozenset({"read_posts", "read_post", "read_timeline"})


def check(world: World, app: App, operation: str, at: datetime) -> None:
    """Refuse what the developer's account cannot pay for.

    Raises: Refusal.
    """
    if app.credits is not None and app.credits <= 0 and operation not in _FREE:
        raise refusals.no_credits(world.switches, app.account_id)
    capped = app.post_cap is not None and operation in _READS_POSTS
    if capped and app.posts_read.get(_month(at), 0) >= (app.post_cap or 0):
        raise refusals.cap_exceeded(world.switches, app.account_id)


def spend(app: App, usd: Decimal) -> None:
    """Take the price of an answer from the credits; the last request may overdraw them."""
    if app.credits is not None:
        app.credits -= usd


def count_posts(app: App, posts: int, at: datetime) -> None:
    """Note posts that an answer showed."""
    app.posts_read[_month(at)] = app.posts_read.get(_month(at), 0) + posts


def _month(at: datetime) -> str:
    return f"{at:%Y-%m}"
