"""The pages: all accounts, a tenant's posts, and one post with its history."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from roost.errors import RoostError
from roost.insights import series
from roost.insights.series import Change
from roost.insights.snapshots import metric_values
from roost.models import (
    Alert,
    Anomaly,
    Integration,
    Metric,
    PartState,
    Post,
    PostId,
    PostState,
    ReasonCode,
    Scope,
    SubjectType,
    Tenant,
)
from roost.publishing import decisions
from roost.publishing.alerts import action_for
from roost.publishing.selection import ListGroup, Selection
from roost.runtime import Runtime
from roost.services import health, monitor, queries
from roost.services.pause import PauseScope
from roost.services.queries import AccountOverview, TenantOverview
from roost.web import templating
from roost.web.dependencies import NamedTenant, OpenRuntime, RowId, TenantScope
from roost.web.next_actions import Link, find_link

router = APIRouter()

#: The period that the page with all accounts covers.
_PERIOD: Final = timedelta(days=30)
#: The maximum number of alerts that the page with all accounts shows.
_MAX_ALERTS: Final = 20
#: The maximum number of posts that the page of posts shows of each group.
_MAX_POSTS: Final = 100
_UNFINISHED: Final = (PostState.SCHEDULED, PostState.PUBLISHING)


@dataclass(frozen=True, slots=True)
class AccountCard:
    """What the page with all accounts shows about one account."""

    account: Integration
    followers: int | None
    change: Change | None
    """The latest change of followers."""
    lines: list[str]
    """Followers of the period as points of SVG polylines."""
    next_post: Post | None
    undecided: int
    """Posts that wait for a person's decision."""
    anomalies: list[Anomaly]
    """Anomalies of the period, newest first."""


@dataclass(frozen=True, slots=True)
class TenantSection:
    """What the page with all accounts shows about one tenant."""

    tenant: Tenant
    cards: list[AccountCard]
    failure: RoostError | None
    """The error because of which the tenant's accounts cannot be shown, or None."""


def account_card(overview: AccountOverview, *, now: datetime) -> AccountCard:
    """Build the card of one account for the page with all accounts. Pure."""
    counts = metric_values(overview.snapshots, Metric.FOLLOWERS)
    levels = series.daily_levels(overview.snapshots, Metric.FOLLOWERS)
    changes = series.net_changes(overview.snapshots, Metric.FOLLOWERS)
    first_day = (now - _PERIOD).astimezone(UTC).date()
    return AccountCard(
        account=overview.account,
        followers=int(counts[-1][1]) if counts else None,
        change=changes[-1] if changes else None,
        # A line needs at least two snapshots.
        lines=[]
        if levels is None or len(counts) < 2
        else templating.sparkline_points(levels.values.tolist()),
        next_post=next((post for post in overview.posts if post.state in _UNFINISHED), None),
        undecided=sum(post.state is PostState.NEEDS_DECISION for post in overview.posts),
        anomalies=[one for one in reversed(overview.anomalies) if one.day >= first_day],
    )


def tenant_section(overview: TenantOverview, *, now: datetime) -> TenantSection:
    """Build the section of one tenant for the page with all accounts. Pure."""
    cards = [account_card(one, now=now) for one in overview.accounts]
    return TenantSection(overview.tenant, cards, overview.failure)


@dataclass(frozen=True, slots=True)
class _ShownAlert:
    """An alert with its tenant; `tenant` is None if the alert concerns all tenants."""

    tenant: Tenant | None
    alert: Alert

    @property
    def post(self) -> str | None:
        """The number of the post that the alert is about; None if it is about no post."""
        is_about_post = self.alert.subject_type is SubjectType.POST
        return self.alert.subject_id if is_about_post and self.tenant is not None else None

    @property
    def link(self) -> Link | None:
        """The link to the page on which a person can act on the alert."""
        if self.tenant is None:
            return None
        return find_link(action_for(self.alert), self.tenant.name)


@router.get("/", response_class=HTMLResponse)
async def show_accounts(
    runtime: OpenRuntime, alerts: Annotated[Literal["newest", "all"], Query()] = "newest"
) -> Response:
    """Show every tenant's accounts, the open alerts and whether everything is paused."""
    now = runtime.clock.now()
    overviews = await queries.list_tenant_overviews(runtime, since=now - _PERIOD)
    service = await health.get_service_health(runtime)
    shown_alerts = [
        _ShownAlert(tenant, alert) for tenant, alert in await monitor.list_alerts(runtime)
    ]
    return templating.page(
        "accounts.html.j2",
        tenant_sections=[tenant_section(one, now=now) for one in overviews],
        now=now,
        service=service,
        is_copy=service.stop_reason is not None and service.stop_reason.code == ReasonCode.IS_COPY,
        max_alerts=_MAX_ALERTS if alerts == "newest" else len(shown_alerts),
        alerts=shown_alerts,
    )


#: The heading of each group on the page of posts.
_GROUP_TITLES: Final = {
    ListGroup.AHEAD: "Scheduled",
    ListGroup.NEEDS_ATTENTION: "Needs attention",
    ListGroup.DRAFT: "Drafts",
    ListGroup.FINISHED: "Finished",
}
#: The order of the groups on the page: what a person must act on comes first.
_GROUP_ORDER: Final = (
    ListGroup.NEEDS_ATTENTION, ListGroup.AHEAD, ListGroup.DRAFT, ListGroup.FINISHED,
)  # fmt: skip


@router.get("/posts", response_class=HTMLResponse)
async def show_posts(
    runtime: OpenRuntime,
    tenant: NamedTenant,
    scope: TenantScope,
    show: Annotated[Literal["first", "all"], Query()] = "first",
) -> Response:
    """Show the tenant's posts in groups; `show=all` shows all posts of each group."""
    selection = Selection(limit_per_group=_MAX_POSTS if show == "first" else None)
    groups = await queries.list_post_groups(runtime, scope, selection)
    groups.sort(key=lambda group: _GROUP_ORDER.index(group.group))
    is_unfinished = any(one.post.state in _UNFINISHED for group in groups for one in group.posts)
    return templating.page(
        "posts.html.j2",
        tenant=tenant,
        groups=groups,
        titles=_GROUP_TITLES,
        has_accounts=bool(groups or await queries.list_accounts(runtime, scope)),
        is_worker_missing=is_unfinished and not await health.is_worker_alive(runtime),
    )


@router.get("/posts/{post_id}", response_class=HTMLResponse)
async def show_post(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, post_id: RowId
) -> Response:
    """Show one post: its parts, attempts and history, and buttons for the possible actions."""
    return await post_page(runtime, scope, tenant, PostId(post_id))


async def post_page(
    runtime: Runtime,
    scope: Scope,
    tenant: Tenant,
    post_id: PostId,
    *,
    error: RoostError | None = None,
    status: int = 200,
) -> Response:
    """Return a post's page, which shows `error` if an action on the post has failed."""
    details = await queries.get_post_details(runtime, scope, post_id)
    post, paused_by = details.status.post, details.status.paused_by
    deletable = decisions.list_deletable(post)
    return templating.page(
        "post.html.j2",
        status=status,
        tenant=tenant,
        post=post,
        account=details.status.account,
        publish_state=details.publish_state,
        events=details.events,
        paused_by=paused_by,
        wait=details.status.wait,
        choices=decisions.list_choices(post),
        deletable=deletable,
        deletion_price=decisions.price_deletion(deletable),
        is_worker_missing=post.state in _UNFINISHED and not await health.is_worker_alive(runtime),
        can_pause=post.state in _UNFINISHED,
        can_cancel=post.state in _UNFINISHED
        and all(part.state is PartState.PENDING for part in post.parts),
        is_paused=PauseScope.POST in paused_by,
        error=error,
    )
