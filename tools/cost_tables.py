"""Makes the page of monthly costs from Roost's price list and read plan."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from roost.insights.read_plan import plan_reads
from roost.models import PartId
from roost.prices import PRICES_AS_OF, Operation, Price, price_of_create, sum_prices, unit_usd

_DAYS = 30
_ACCOUNTS = (1, 10, 100, 1_000)
_POSTS_EACH = (8, 20, 60)
_PAGE = """# What a month costs

X bills each request of your app; Roost itself costs nothing.
This page computes X's bill for accounts that publish regularly, from the [price list](prices-and-limits.md#prices) as of {as_of} and from the [read plan](../explain/insights.md#when-roost-reads-from-x).
`tools/make_docs.py` generates the tables.

## One post, and one account

Roost reads the metrics of a post {reads} times in the 90 days after its publication: daily for 30 days, then weekly.

| item | create | reads of its metrics | total |
|---|---|---|---|
{items}
In addition, each account costs {account} a month, for one read of its followers a day.
Uploads and token requests are free.

## Accounts and posts

Every account publishes the same number of posts a month: 8 (two a week), 20 (one each weekday) or 60 (two a day).

- **text only**: no post has a link, media or a quote.
- **mixed**: of four posts, one has a link, one has an image with an alt text, and two have neither.

| accounts | posts a month, each | text only | mixed |
|---|---|---|---|
{rows}
## Assumptions

- The accounts have published at this rate for three months.
  In the first month, the reads cost less, because there are fewer posts to read.
- A thread counts as one post for each of its parts.
- Nothing fails.
  A refused request costs nothing, and a lost response costs a few reads of the timeline.
- Where a cell is a range, X does not document the price: X may bill an image as a link ([why](../explain/prices.md#why-a-price-is-a-range)).
- X bills some reads at $0.001 if the account owns the app.
  Lookups of posts by their ids, which Roost uses, are not among these reads, so the tables do not assume this price.
- Taxes, and subscriptions such as Premium, are not included.

The prices are those of pay-per-use.
X may change them; [set up an X app](../howto/set-up-an-x-app.md#credits) says how to limit the spending.
"""


@dataclass(frozen=True)
class _Item:
    """A kind of post, with the price of its creation."""

    name: str
    create: Price


_ALT = unit_usd(Operation.MEDIA_METADATA)
_TEXT = _Item("post without a link", price_of_create("We open at 7."))
_LINK = _Item("post with a link", price_of_create("We open at 7: example.com"))
_IMAGE = _Item(
    "post with an image and its alt text",
    sum_prices([price_of_create("We open at 7.", media=True), Price(_ALT, _ALT, "alt text")]),
)
#: Two mixes of posts, which are columns of the second table: the kinds of every four posts.
_TEXT_ONLY = (_TEXT, _TEXT, _TEXT, _TEXT)
_MIXED = (_TEXT, _TEXT, _LINK, _IMAGE)


def costs_page() -> str:
    """Return the text of `docs/reference/monthly-costs.md`."""
    reads = count_reads()
    reading = reads * unit_usd(Operation.READ_POSTS)
    items = "".join(
        f"| {item.name} | {_money(item.create.low, item.create.high)} | {_money(reading)}"
        f" | {_money(item.create.low + reading, item.create.high + reading)} |\n"
        for item in (_TEXT, _LINK, _IMAGE)
    )
    rows = "".join(
        f"| {accounts:,} | {posts} | {_month(accounts, posts, _TEXT_ONLY)}"
        f" | {_month(accounts, posts, _MIXED)} |\n"
        for accounts in _ACCOUNTS
        for posts in _POSTS_EACH
    )
    account = _money(_DAYS * unit_usd(Operation.READ_USER))
    return _PAGE.format(as_of=PRICES_AS_OF, reads=reads, items=items, account=account, rows=rows)


def count_reads() -> int:
    """Return how many times the read plan reads a post's metrics during the post's life."""
    sent_at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    last_read_at, now, reads = None, sent_at, 0
    while now < sent_at + timedelta(days=100):
        now += timedelta(hours=1)
        if plan_reads([(PartId(1), sent_at, last_read_at)], now).due:
            last_read_at, reads = now, reads + 1
    return reads


def _month(accounts: int, posts: int, of_four: tuple[_Item, ...]) -> str:
    """Return the cost of a month for `accounts` accounts with `posts` posts each.

    In every month, as many posts are read as are published. `of_four` has the kinds of every four
    posts.
    """
    each_of_four = Decimal(posts) / 4
    reading = count_reads() * unit_usd(Operation.READ_POSTS) * posts
    account = _DAYS * unit_usd(Operation.READ_USER) + reading
    low = account + each_of_four * sum(item.create.low for item in of_four)
    high = account + each_of_four * sum(item.create.high for item in of_four)
    return _money(accounts * low, accounts * high)


def _money(low: Decimal, high: Decimal | None = None) -> str:
    def dollars(usd: Decimal) -> str:
        return f"${usd:,.2f}" if usd >= 1 else f"${usd:.3f}"

    return dollars(low) if high in (None, low) else f"{dollars(low)} to {dollars(high)}"
