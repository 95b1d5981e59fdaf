"""The pages of what there is: all accounts, a tenant's posts, one post with its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from roost import store
from roost.errors import RoostError
from roost.house import House, from_outside
from roost.insights import series
from roost.insights.series import Change
from roost.models import (
    AccountSnapshot,
    Alarm,
    Alert,
    Integration,
    Metric,
    Post,
    PostId,
    PostState,
    Tenant,
)
from roost.services import decide, pause, waiting, watch
from roost.services.pause import Scope
from roost.store.away import DATABASE_AWAY
from roost.web import shown, sparkline
from roost.web.asked import NamedTenant, OpenHouse, RowId

router = APIRouter()

#: What the pages look back on.
_WINDOW: Final = timedelta(days=30)
#: So many alarms at most stand on top of the accounts.
_ALARMS: Final = 20
_WAITING: Final = (PostState.SCHEDULED, PostState.PUBLISHING)


@dataclass(frozen=True, slots=True)
class Glance:
    """One account as the list of all shows it."""

    account: Integration
    followers: int | None
    change: Change | None
    """The latest change of followers."""
    lines: list[str]
    next_post: Post | None
    undecided: int
    """Posts that wait for a person's decision."""
    alerts: list[Alert]
    """Of the last 30 days, newest first."""


@dataclass(frozen=True, slots=True)
class Household:
    """One tenant with its accounts."""

    tenant: Tenant
    glances: list[Glance]
    failure: RoostError | None = None
    """Why the accounts cannot be shown; other tenants are shown all the same."""


def glance(
    account: Integration,
    snapshots: Sequence[AccountSnapshot],
    posts: Sequence[Post],
    alerts: Sequence[Alert],
    *,
    now: datetime,
) -> Glance:
    """What the list shows of one account, of everything that its tenant has."""
    own = [post for post in posts if post.integration_id == account.id]
    readings = series.metric_readings(snapshots, Metric.FOLLOWERS)
    levels = series.daily_levels(snapshots, Metric.FOLLOWERS)
    changes = series.net_changes(snapshots, Metric.FOLLOWERS)
    since = (now - _WINDOW).astimezone(UTC).date()
    return Glance(
        account=account,
        followers=int(readings[-1][1]) if readings else None,
        change=changes[-1] if changes else None,
        lines=[] if levels is None else sparkline.draw_lines(levels.values.tolist()),
        next_post=next((post for post in own if post.state in _WAITING), None),
        undecided=sum(post.state is PostState.NEEDS_DECISION for post in own),
        alerts=[
            alert
            for alert in reversed(alerts)
            if alert.integration_id == account.id and alert.day >= since
        ],
    )


@dataclass(frozen=True, slots=True)
class _Alarm:
    """What a person has to see to, and whose it is; without a tenant, everybody's."""

    tenant: Tenant | None
    alarm: Alarm

    @property
    def post(self) -> str | None:
        """The number of the post it is about, if it is about one."""
        kind, _, number = self.alarm.subject.partition(" ")
        return number if kind == "post" and self.tenant is not None else None


@router.get("/", response_class=HTMLResponse)
async def show_accounts(house: OpenHouse) -> Response:
    """Every tenant's accounts under its name."""
    now = house.clock.now()
    households = [
        await _household(house, await store.tenants.see(house.database, tenant_id), now)
        for tenant_id in await store.tenants.list_ids(house.database)
    ]
    async with house.database.statements(None) as transaction:
        holds = await pause.find_holds(transaction)
    return shown.page(
        "accounts.html.j2",
        households=households,
        now=now,
        holds=holds,
        most_alarms=_ALARMS,
        alarms=[_Alarm(tenant, alarm) for tenant, alarm in await watch.list_alarms(house)],
    )


async def _household(house: House, tenant: Tenant, now: datetime) -> Household:
    try:
        return Household(tenant, await _glances(house, tenant, now))
    except DATABASE_AWAY:
        raise
    except Exception as error:
        return Household(tenant, [], from_outside(error))


async def _glances(house: House, tenant: Tenant, now: datetime) -> list[Glance]:
    async with house.database.tenant(tenant.id) as transaction:
        posts = await store.posts.list_all(transaction)
        alerts = await store.findings.list_alerts(transaction)
        return [
            glance(
                account,
                await store.snapshots.list_account(
                    transaction,
                    account.id,
                    since=now - _WINDOW,
                    until=now + timedelta(seconds=1),
                ),
                posts,
                alerts,
                now=now,
            )
            for account in await store.accounts.list_all(transaction)
        ]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Posts that belong together on the page."""

    title: str
    posts: list[Post]


def shelve(posts: Sequence[Post]) -> list[Shelf]:
    """What a person has to look at first, then what comes, then drafts and what is over.

    A post that somebody has left as it is counts as over.
    """
    to_look_at = [post for post in posts if decide.needs_attention(post)]
    rest = [post for post in posts if not decide.needs_attention(post)]
    over = [post for post in rest if post.state not in (*_WAITING, PostState.DRAFT)]
    shelves = [
        Shelf("To look at", to_look_at[::-1]),
        Shelf("Ahead", [post for post in rest if post.state in _WAITING]),
        Shelf("Drafts", [post for post in rest if post.state is PostState.DRAFT]),
        Shelf("Done", over[::-1]),
    ]
    return [shelf for shelf in shelves if shelf.posts]


@router.get("/posts", response_class=HTMLResponse)
async def show_posts(house: OpenHouse, tenant: NamedTenant) -> Response:
    """The tenant's posts by time."""
    now = house.clock.now()
    async with house.database.tenant(tenant.id) as transaction:
        posts = await store.posts.list_all(transaction)
        accounts = {one.id: one for one in await store.accounts.list_all(transaction)}
        holds = await pause.find_holds(transaction)
    return shown.page(
        "posts.html.j2",
        tenant=tenant,
        shelves=shelve(posts),
        accounts=accounts,
        held={post.id: pause.held_by(post, accounts[post.integration_id], holds) for post in posts},
        waits={
            post.id: waiting.current_wait(post, accounts[post.integration_id], now)
            for post in posts
        },
    )


@router.get("/posts/{post_id}", response_class=HTMLResponse)
async def show_post(house: OpenHouse, tenant: NamedTenant, post_id: RowId) -> Response:
    """One post: its parts, what became of them, every step on the way, and what can be done."""
    return await post_page(house, tenant, PostId(post_id))


async def post_page(
    house: House,
    tenant: Tenant,
    post_id: PostId,
    *,
    error: RoostError | None = None,
    status: int = 200,
) -> Response:
    """A post's page, with what went wrong when something was to be done about it."""
    async with house.database.tenant(tenant.id) as transaction:
        journal = await store.journal.get(transaction, post_id)
        events = await store.posts.list_events(transaction, post_id)
        holds = await pause.find_holds(transaction)
    post, account = journal.post, journal.account
    deletable = decide.list_deletable(post)
    held = pause.held_by(post, account, holds)
    return shown.page(
        "post.html.j2",
        status=status,
        tenant=tenant,
        post=post,
        account=account,
        journal=journal,
        events=events,
        held=held,
        wait=waiting.current_wait(post, account, house.clock.now()),
        choices=decide.list_choices(post),
        deletable=deletable,
        deletion=decide.price_deletion(deletable),
        may_pause=post.state in _WAITING,
        is_paused=Scope.POST in held,
        error=error,
    )
