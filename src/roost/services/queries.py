"""Queries about tenants, accounts and posts, for the command line and the web pages.

Each function reads in one transaction unless its docstring says otherwise, so its result is
consistent. No function writes to the database or sends a request to X.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from roost import store
from roost.errors import PostNotFound, RoostError
from roost.models import (
    AccountSnapshot,
    Anomaly,
    Event,
    Integration,
    IntegrationId,
    Post,
    PostId,
    Reason,
    ReasonCode,
    Scope,
    Tenant,
    TenantId,
    Wait,
)
from roost.prices import Operation, Price, price_of, sum_prices
from roost.publishing.decisions import Choice
from roost.publishing.selection import EVERY_POST, ListGroup, Selection
from roost.publishing.state import PublishState, find_wait
from roost.runtime import Runtime
from roost.services import pause
from roost.services.pause import PauseScope, PauseStatus
from roost.store.availability import DATABASE_AWAY
from roost.store.database import Transaction
from roost.unexpected import to_roost_error


@dataclass(frozen=True, slots=True)
class PostStatus:
    """A post with its account, and with the pauses and the wait that delay the post now."""

    post: Post
    account: Integration
    paused_by: tuple[PauseScope, ...]
    """The pauses that apply to the post; empty if there is none or the post is finished."""
    wait: Wait | None
    """The current wait of the post, apart from pauses; None if the post does not wait."""


@dataclass(frozen=True, slots=True)
class PostGroup:
    """The posts of one group of a list; `total` also counts the posts beyond the limit."""

    group: ListGroup
    posts: list[PostStatus]
    total: int


@dataclass(frozen=True, slots=True)
class PostDetails:
    """All data that is stored about one post."""

    status: PostStatus
    publish_state: PublishState
    """The post's parts with their attempts and uploads."""
    events: list[Event]
    """The post's history, oldest event first."""
    prices: tuple[Price, ...]
    """What X charges for each part, with its alt texts."""


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The pauses and back-offs that would delay a new post of an account."""

    paused_by: tuple[PauseScope, ...]
    wait: Wait | None
    """The back-off of the account or its app that ends last; None if all end by the due time."""


@dataclass(frozen=True, slots=True)
class AppBackoff:
    """An X app from which X accepts no request at present."""

    client_id: str
    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """An account with its posts, snapshots and anomalies, for the list of accounts."""

    account: Integration
    posts: list[Post]
    """The account's posts in due order."""
    snapshots: list[AccountSnapshot]
    """Snapshots of the account in the period, oldest first."""
    anomalies: list[Anomaly]
    """All anomalies of the account, not only those of the period; oldest day first."""


@dataclass(frozen=True, slots=True)
class TenantOverview:
    """A tenant with its accounts, or with the error that prevents reading the accounts."""

    tenant: Tenant
    accounts: list[AccountOverview]
    failure: RoostError | None = None


@dataclass(frozen=True, slots=True)
class TenantTotals:
    """The posts, anomalies, snapshots, requests and costs of a tenant since it was created."""

    posts: list[Post]
    anomalies: list[Anomaly]
    snapshots: int
    """The number of snapshots of accounts and of posts."""
    requests: int
    """The number of requests to X."""
    usd: Decimal
    """The price of the requests to X."""


async def get_tenant(runtime: Runtime, name: str) -> Tenant:
    """Return a tenant by name, in two transactions. Raises: TenantNotFound."""
    return await store.tenants.get(runtime.database, name)


async def count_tenants(runtime: Runtime) -> int:
    """Return the number of tenants."""
    return len(await store.tenants.list_ids(runtime.database))


async def list_tenants(runtime: Runtime) -> list[Tenant]:
    """Return every tenant, in one transaction each."""
    return [
        await store.tenants.get_by_id(runtime.database, tenant_id)
        for tenant_id in await store.tenants.list_ids(runtime.database)
    ]


async def list_accounts(runtime: Runtime, scope: Scope) -> list[Integration]:
    """Return the tenant's accounts in the order in which they were first connected."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.integrations.list_all(transaction)


async def get_account(runtime: Runtime, scope: Scope, account_id: IntegrationId) -> Integration:
    """Return an account by number. Raises: AccountNotFound."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.integrations.get(transaction, account_id)


async def is_shared_account(runtime: Runtime, scope: Scope, account: Integration) -> bool:
    """Return whether another tenant has connected the same X account too."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        row = await transaction.run_one(
            "is_connected_elsewhere", environment=account.environment, x_user=account.x_user_id
        )
    return bool(row and row["found"])


async def list_posts(runtime: Runtime, scope: Scope) -> list[Post]:
    """Return the tenant's posts in due order, drafts last."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.posts.list_all(transaction)


async def get_post(runtime: Runtime, scope: Scope, post_id: PostId) -> Post:
    """Return a post by number. Raises: PostNotFound."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.posts.get(transaction, post_id)


async def find_post(runtime: Runtime, scope: Scope, post_id: PostId) -> Post | None:
    """Return a post by number, or None if there is none."""
    try:
        return await get_post(runtime, scope, post_id)
    except PostNotFound:
        return None


async def list_post_statuses(runtime: Runtime, scope: Scope) -> list[PostStatus]:
    """Return the posts of a tenant in the order of their due times, drafts last."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        posts = await store.posts.list_all(transaction)
        return await _list_statuses(transaction, posts, runtime.clock.now())


async def list_post_groups(
    runtime: Runtime,
    scope: Scope,
    selection: Selection = EVERY_POST,
    account_id: IntegrationId | None = None,
) -> list[PostGroup]:
    """Return the selected posts of a tenant, or of one account, in the groups of the list."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        selected = await store.post_lists.select(transaction, selection, account_id)
        posts = [one.post for one in selected]
        statuses = await _list_statuses(transaction, posts, runtime.clock.now())
    groups: dict[ListGroup, PostGroup] = {}
    for one, status in zip(selected, statuses, strict=True):
        group = groups.setdefault(one.group, PostGroup(one.group, [], one.group_size))
        group.posts.append(status)
    return list(groups.values())


async def _list_statuses(
    transaction: Transaction, posts: Sequence[Post], now: datetime
) -> list[PostStatus]:
    accounts = {one.id: one for one in await store.integrations.list_all(transaction)}
    pauses = await pause.get_pause_status(transaction)
    return [_status(post, accounts[post.integration_id], pauses, now) for post in posts]


async def get_post_status(runtime: Runtime, scope: Scope, post_id: PostId) -> PostStatus:
    """Return a post by number, with its status. Raises: PostNotFound."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        post = await store.posts.get(transaction, post_id)
        account = await store.integrations.get(transaction, post.integration_id)
        pauses = await pause.get_pause_status(transaction)
    return _status(post, account, pauses, runtime.clock.now())


async def get_status_of(runtime: Runtime, scope: Scope, post: Post) -> PostStatus:
    """Return the status of a post that the caller has just loaded."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        account = await store.integrations.get(transaction, post.integration_id)
        pauses = await pause.get_pause_status(transaction)
    return _status(post, account, pauses, runtime.clock.now())


async def get_post_details(runtime: Runtime, scope: Scope, post_id: PostId) -> PostDetails:
    """Return all data that is stored about a post. Raises: PostNotFound."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        publish_state = await store.publishing.get(transaction, post_id)
        events = await store.posts.list_events(transaction, post_id)
        pauses = await pause.get_pause_status(transaction)
        prices = await _price_parts(transaction, publish_state.post)
    status = _status(publish_state.post, publish_state.account, pauses, runtime.clock.now())
    return PostDetails(status, publish_state, events, prices)


async def _price_parts(transaction: Transaction, post: Post) -> tuple[Price, ...]:
    alt_text = price_of(Operation.MEDIA_METADATA)
    return tuple(
        [
            sum_prices(
                [
                    await store.ledger.price_part(transaction, post.integration_id, part),
                    *(alt_text for asset in part.media if asset.alt_text),
                ]
            )
            for part in post.parts
        ]
    )


def _status(post: Post, account: Integration, pauses: PauseStatus, now: datetime) -> PostStatus:
    return PostStatus(
        post,
        account,
        pause.active_pauses(post, account, pauses),
        find_wait(post, account, now),
    )


async def get_account_status(
    runtime: Runtime, scope: Scope, account: Integration, due_at: datetime
) -> AccountStatus:
    """Return the pauses and back-offs that would delay a post of the account due at `due_at`."""
    now = runtime.clock.now()
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        pauses = await pause.get_pause_status(transaction)
        backoffs = await read_app_backoffs(runtime, transaction, now)
    waits = [Wait(one.reason, one.until) for one in backoffs if one.client_id == account.client_id]
    if account.backoff_until is not None and account.backoff_until > now:
        waits.append(
            Wait(
                account.backoff_reason or Reason(ReasonCode.NO_POSTS_ACCEPTED),
                account.backoff_until,
            )
        )
    later = [wait for wait in waits if wait.until is not None and wait.until > due_at]
    return AccountStatus(
        pause.active_account_pauses(account, pauses),
        max(later, key=lambda wait: wait.until or due_at, default=None),
    )


async def read_app_backoffs(
    runtime: Runtime, transaction: Transaction, now: datetime
) -> list[AppBackoff]:
    """Read, in the caller's transaction, the X apps that are in back-off at the instant `now`."""
    rows = await transaction.run(
        "list_app_backoffs", at=now, environment=runtime.settings.environment
    )
    return [
        AppBackoff(row["client_id"], Reason.from_json(row["reason"]), row["until"]) for row in rows
    ]


async def list_tenant_overviews(runtime: Runtime, *, since: datetime) -> list[TenantOverview]:
    """Return every tenant with its accounts and their snapshots since an instant.

    Uses two transactions per tenant. If the rows of one tenant cannot be read, the others are still
    returned. Raises: the errors in `store.availability.DATABASE_AWAY`.
    """
    overviews = []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        tenant = await store.tenants.get_by_id(runtime.database, tenant_id)
        try:
            accounts = await _list_account_overviews(runtime, tenant_id, since)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            overviews.append(TenantOverview(tenant, [], to_roost_error(error)))
        else:
            overviews.append(TenantOverview(tenant, accounts))
    return overviews


async def _list_account_overviews(
    runtime: Runtime, tenant_id: TenantId, since: datetime
) -> list[AccountOverview]:
    # The range excludes its end, but a snapshot of this very instant must be included.
    until = runtime.clock.now() + timedelta(seconds=1)
    async with runtime.database.for_tenant(tenant_id) as transaction:
        posts = await store.posts.list_all(transaction)
        anomalies = await store.anomalies.list_anomalies(transaction)
        return [
            AccountOverview(
                account,
                [post for post in posts if post.integration_id == account.id],
                await store.snapshots.list_account(
                    transaction, account.id, since=since, until=until
                ),
                [one for one in anomalies if one.integration_id == account.id],
            )
            for account in await store.integrations.list_all(transaction)
        ]


async def has_account_snapshot(
    runtime: Runtime, scope: Scope, account: Integration, *, since: datetime, until: datetime
) -> bool:
    """Whether the account has a snapshot from `since` up to, but not including, `until`."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return bool(
            await store.snapshots.list_account(transaction, account.id, since=since, until=until)
        )


async def get_tenant_totals(runtime: Runtime, scope: Scope) -> TenantTotals:
    """Return the tenant's posts, anomalies, snapshots, requests and costs."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        requests, usd = await store.ledger.get_total(transaction)
        return TenantTotals(
            posts=await store.posts.list_all(transaction),
            anomalies=await store.anomalies.list_anomalies(transaction),
            snapshots=await store.snapshots.count(transaction),
            requests=requests,
            usd=usd,
        )


async def get_known_until(runtime: Runtime) -> datetime | None:
    """Return the instant until which the database has a record of every request to X.

    If the database was restored, posts that were due after this instant may be on X although the
    database does not show it. The result is None if no worker has run yet.
    """
    return (await store.installation.read(runtime.database.autocommit)).known_until


def choice_word(choice: Choice) -> str:
    """Return the word that the command line and the web pages use for a choice."""
    return choice.value
