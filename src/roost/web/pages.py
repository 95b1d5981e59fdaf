"""The pages of what there is: all accounts, a tenant's posts, one post with its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from roost import store
from roost.errors import RoostError
from roost.insights import series
from roost.insights.series import Change
from roost.insights.snapshots import metric_values
from roost.models import (
    AccountSnapshot,
    Alert,
    Anomaly,
    Integration,
    Metric,
    Post,
    PostId,
    PostState,
    Tenant,
)
from roost.publishing.state import find_wait
from roost.runtime import Runtime, wrap_unexpected
from roost.services import monitor, pause, resolve
from roost.services.pause import PauseScope
from roost.store.away import DATABASE_AWAY
from roost.web import sparkline, templating
from roost.web.dependencies import NamedTenant, OpenRuntime, RowId

router = APIRouter()

#: What the pages look back on.
_WINDOW: Final = timedelta(days=30)
#: So many alerts at most stand on top of the accounts.
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
    anomalies: list[Anomaly]
    """Of the last 30 days, newest first."""


@dataclass(frozen=True, slots=True)
class TenantSection:
    """One tenant with its accounts."""

    tenant: Tenant
    glances: list[Glance]
    failure: RoostError | None = None
    """Why the accounts cannot be shown; other tenants are shown all the same."""


def glance(
    account: Integration,
    snapshots: Sequence[AccountSnapshot],
    posts: Sequence[Post],
    anomalies: Sequence[Anomaly],
    *,
    now: datetime,
) -> Glance:
    """What the list shows of one account, of everything that its tenant has."""
    own = [post for post in posts if post.integration_id == account.id]
    readings = metric_values(snapshots, Metric.FOLLOWERS)
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
        anomalies=[
            anomaly
            for anomaly in reversed(anomalies)
            if anomaly.integration_id == account.id and anomaly.day >= since
        ],
    )


@dataclass(frozen=True, slots=True)
class _Alert:
    """What a person has to see to, and whose it is; without a tenant, everybody's."""

    tenant: Tenant | None
    alert: Alert

    @property
    def post(self) -> str | None:
        """The number of the post it is about, if it is about one."""
        kind, _, number = self.alert.subject.partition(" ")
        return number if kind == "post" and self.tenant is not None else None


@router.get("/", response_class=HTMLResponse)
async def show_accounts(runtime: OpenRuntime) -> Response:
    """Every tenant's accounts under its name."""
    now = runtime.clock.now()
    tenant_sections = [
        await _tenant_section(
            runtime, await store.tenants.get_by_id(runtime.database, tenant_id), now
        )
        for tenant_id in await store.tenants.list_ids(runtime.database)
    ]
    async with runtime.database.unscoped() as transaction:
        holds = await pause.get_pause_status(transaction)
    return templating.page(
        "accounts.html.j2",
        tenant_sections=tenant_sections,
        now=now,
        holds=holds,
        max_alerts=_ALARMS,
        alerts=[_Alert(tenant, alert) for tenant, alert in await monitor.list_alerts(runtime)],
    )


async def _tenant_section(runtime: Runtime, tenant: Tenant, now: datetime) -> TenantSection:
    try:
        return TenantSection(tenant, await _glances(runtime, tenant, now))
    except DATABASE_AWAY:
        raise
    except Exception as error:
        return TenantSection(tenant, [], wrap_unexpected(error))


async def _glances(runtime: Runtime, tenant: Tenant, now: datetime) -> list[Glance]:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        posts = await store.posts.list_all(transaction)
        anomalies = await store.anomalies.list_anomalies(transaction)
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
                anomalies,
                now=now,
            )
            for account in await store.integrations.list_all(transaction)
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
    to_look_at = [post for post in posts if resolve.needs_attention(post)]
    rest = [post for post in posts if not resolve.needs_attention(post)]
    over = [post for post in rest if post.state not in (*_WAITING, PostState.DRAFT)]
    shelves = [
        Shelf("To look at", to_look_at[::-1]),
        Shelf("Ahead", [post for post in rest if post.state in _WAITING]),
        Shelf("Drafts", [post for post in rest if post.state is PostState.DRAFT]),
        Shelf("Done", over[::-1]),
    ]
    return [shelf for shelf in shelves if shelf.posts]


@router.get("/posts", response_class=HTMLResponse)
async def show_posts(runtime: OpenRuntime, tenant: NamedTenant) -> Response:
    """The tenant's posts by time."""
    now = runtime.clock.now()
    async with runtime.database.for_tenant(tenant.id) as transaction:
        posts = await store.posts.list_all(transaction)
        accounts = {one.id: one for one in await store.integrations.list_all(transaction)}
        holds = await pause.get_pause_status(transaction)
    return templating.page(
        "posts.html.j2",
        tenant=tenant,
        shelves=shelve(posts),
        accounts=accounts,
        held={
            post.id: pause.active_pauses(post, accounts[post.integration_id], holds)
            for post in posts
        },
        waits={post.id: find_wait(post, accounts[post.integration_id], now) for post in posts},
    )


@router.get("/posts/{post_id}", response_class=HTMLResponse)
async def show_post(runtime: OpenRuntime, tenant: NamedTenant, post_id: RowId) -> Response:
    """One post: its parts, what became of them, every step on the way, and what can be done."""
    return await post_page(runtime, tenant, PostId(post_id))


async def post_page(
    runtime: Runtime,
    tenant: Tenant,
    post_id: PostId,
    *,
    error: RoostError | None = None,
    status: int = 200,
) -> Response:
    """A post's page, with what went wrong when something was to be done about it."""
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal = await store.publishing.get(transaction, post_id)
        events = await store.posts.list_events(transaction, post_id)
        holds = await pause.get_pause_status(transaction)
    post, account = journal.post, journal.account
    deletable = resolve.list_deletable(post)
    held = pause.active_pauses(post, account, holds)
    return templating.page(
        "post.html.j2",
        status=status,
        tenant=tenant,
        post=post,
        account=account,
        journal=journal,
        events=events,
        held=held,
        wait=find_wait(post, account, runtime.clock.now()),
        choices=resolve.list_choices(post),
        deletable=deletable,
        deletion=resolve.price_deletion(deletable),
        may_pause=post.state in _WAITING,
        is_paused=PauseScope.POST in held,
        error=error,
    )
