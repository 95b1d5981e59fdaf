"""The pages and the JSON API over real HTTP."""

import json
import math
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import psycopg
import pytest

from fix_emulator import Emulator
from fix_postgres import PostgresServer
from fix_processes import until
from fix_runtime import ACTOR, connect_account, make_tenant
from fix_web import get, serving
from roost import store
from roost.errors import Kind
from roost.insights.reports import page_charts
from roost.models import (
    POST_MOVES,
    AccountSnapshot,
    Anomaly,
    Integration,
    LedgerEntry,
    Metric,
    PartState,
    Post,
    PostSnapshot,
    PostState,
    Reason,
    Tenant,
    TweetId,
)
from roost.publishing.part_input import PartInput
from roost.runtime import Runtime
from roost.services import monitor, pause
from roost.web import error_handlers, templating

ACCOUNT = "larkbooks"


async def add_post(
    runtime: Runtime,
    account: Integration,
    *texts: str,
    due_in: timedelta | None = timedelta(hours=1),
) -> Post:
    """Add a scheduled post, or a draft if `due_in` is None."""
    now = runtime.clock.now()
    due_at = None if due_in is None else now + due_in
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        post_id = await store.posts.add(
            transaction,
            account.tenant_id,
            account.id,
            [PartInput(text) for text in texts],
            due_at=due_at,
            now=now,
            detail={"file": "plan.csv", "line": 3},
            actor=ACTOR,
            upload_lead=timedelta(),
        )
        assert post_id is not None
        return await store.posts.get(transaction, post_id)


async def move_post(
    runtime: Runtime, post: Post, after: PostState, reason: str | None = None
) -> None:
    """Move a scheduled post to the state `after`, through allowed transitions only."""
    now = runtime.clock.now()
    async with runtime.database.for_tenant(post.tenant_id) as transaction:
        before = post.state
        if after not in POST_MOVES[before]:
            assert await store.posts.move(
                transaction, post.id, before, PostState.PUBLISHING, at=now
            )
            before = PostState.PUBLISHING
        why = None if reason is None else Reason("rejected", {"message": reason})
        assert await store.posts.move(transaction, post.id, before, after, why, at=now)


async def send_post(runtime: Runtime, post: Post, first_tweet: int) -> None:
    """Record every part of a post as sent."""
    async with runtime.database.for_tenant(post.tenant_id) as transaction:
        for state in (PartState.SENDING, PartState.SENT):
            await transaction.raw.execute(
                "UPDATE parts SET state = %s, sent_at = %s,"
                " sent_as = CASE WHEN %s = 'sent' THEN (%s + position)::text END"
                " WHERE post_id = %s",
                [state, runtime.clock.now(), state, first_tweet, post.id],
            )
    await move_post(runtime, post, PostState.PUBLISHED)


@pytest.fixture
async def account(runtime: Runtime, tenant: Tenant, emulator: Emulator) -> Integration:
    """A connected account."""
    return await connect_account(runtime, tenant, emulator, ACCOUNT)


async def test_pages_escape_hostile_texts(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    hostile = "<script>anomaly(1)</script>'\"&"
    await emulator.control("users", username="mallory", name=hostile)
    account = await connect_account(runtime, tenant, emulator, "mallory")
    post = await add_post(runtime, account, hostile)
    await move_post(runtime, post, PostState.FAILED, hostile)
    for path in ("/", "/posts", f"/posts/{post.id}", f"/accounts/{account.id}", "/report"):
        answer, body = await get(browser, web + path, tenant=tenant.name)
        assert answer.status == 200, path
        assert "<script>anomaly" not in body, path
        assert "&lt;script&gt;anomaly(1)&lt;/script&gt;&#39;&#34;&amp;" in body, path


async def test_accounts_page_lists_every_tenant_under_its_name(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    other = await make_tenant(runtime, "bakery")
    await connect_account(runtime, other, emulator, "tidewatcher")
    _, body = await get(browser, f"{web}/")
    below = body.partition(">bakery ")[2]
    assert ">default " in body.partition(">bakery ")[0]
    assert "@tidewatcher" in below
    assert "/api/auth/twitter/start?tenant=bakery" in below


async def test_accounts_page_shows_followers_next_post_decisions_and_anomalies(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, account: Integration
) -> None:
    await add_snapshots(runtime, account, [1000, 1010, 990])
    coming = await add_post(runtime, account, "soon", due_in=timedelta(minutes=5))
    await add_post(runtime, account, "later", due_in=timedelta(days=2))
    await move_post(runtime, await add_post(runtime, account, "which?"), PostState.NEEDS_DECISION)
    await add_anomaly(runtime, account, "Lost 20 followers.")
    _, body = await get(browser, f"{web}/")
    assert "990 <span" in body
    assert "\N{MINUS SIGN}20" in body
    assert "<polyline" in body
    assert f'Next post: <a href="/posts/{coming.id}?' in body
    assert "1 post needs a decision" in body
    assert "Lost 20 followers." in body


async def add_snapshots(
    runtime: Runtime, account: Integration, followers: list[int | None]
) -> None:
    """Add a snapshot for each of the last days, up to now; None omits a day's snapshot."""
    now = runtime.clock.now()
    for back, count in enumerate(reversed(followers)):
        if count is not None:
            metrics = {Metric.FOLLOWERS: count, Metric.FOLLOWING: 1, Metric.POSTS: 1}
            snapshot = AccountSnapshot(account.id, now - timedelta(days=back), metrics)
            await store.snapshots.ensure_partitions(runtime.database, snapshot.at)
            async with runtime.database.for_tenant(account.tenant_id) as transaction:
                await store.snapshots.add_account(transaction, account.tenant_id, snapshot)


async def add_anomaly(runtime: Runtime, account: Integration, message: str) -> None:
    """Add an anomaly that is dated yesterday."""
    now = runtime.clock.now()
    day = (now - timedelta(days=1)).date()
    anomaly = Anomaly(account.id, Metric.FOLLOWERS, day, -9.0, -20.0, 1.0, message)
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        await store.anomalies.add_anomalies(transaction, account.tenant_id, [anomaly], now=now)


async def test_posts_page_shows_states_and_reasons(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, account: Integration
) -> None:
    await add_post(runtime, account, "a draft", due_in=None)
    await add_post(runtime, account, "one", "two", "three")
    refused = await add_post(runtime, account, "refused")
    await move_post(runtime, refused, PostState.FAILED, "X says: too long.")
    _, body = await get(browser, f"{web}/posts", tenant="default")
    for word in ("Draft", "Scheduled", "Failed", "X says: too long (rejected)", "thread of 3"):
        assert word in body
    groups = ["Needs attention <", "Scheduled <", "Drafts <"]
    assert sorted(groups, key=body.index) == groups


async def test_post_page_shows_parts_and_history(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, account: Integration
) -> None:
    post = await add_post(runtime, account, "first", "second")
    await send_post(runtime, post, 1700)
    _, body = await get(browser, f"{web}/posts/{post.id}", tenant="default")
    assert "1 of 2" in body
    assert "1701 on the emulator" in body
    # The post is only on the emulator, so the page has no link to X.
    assert "https://x.com/" not in body
    assert "scheduled: imported from plan.csv, line 3" in body


async def test_post_page_of_a_live_account_links_to_x(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, account: Integration
) -> None:
    post = await add_post(runtime, account, "out there")
    await send_post(runtime, post, 1700)
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        await transaction.raw.execute("UPDATE integrations SET environment = 'live'")
    _, body = await get(browser, f"{web}/posts/{post.id}", tenant="default")
    assert 'href="https://x.com/i/web/status/1701"' in body


async def test_account_page_shows_metrics_and_no_invented_zero(
    web: str,
    browser: aiohttp.ClientSession,
    runtime: Runtime,
    account: Integration,
    emulator: Emulator,
) -> None:
    # An account's first snapshot counts for its day only if it is taken near the end of the day.
    await emulator.move_to_time(time(20))
    await add_snapshots(runtime, account, [1000, None, None, 1040])
    post = await add_post(runtime, account, "what it earned")
    await send_post(runtime, post, 1700)
    now = runtime.clock.now()
    metrics = {Metric.IMPRESSIONS: 4321, Metric.LIKES: None}
    snapshot = PostSnapshot(account.id, post.parts[0].id, TweetId("1701"), now, now, metrics)
    await store.snapshots.ensure_partitions(runtime.database, now)
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        await store.snapshots.add_posts(transaction, account.tenant_id, [snapshot])
        entry = LedgerEntry(now, "read_posts", 200, Decimal("0.215"), "a test")
        await store.ledger.add(transaction, account.tenant_id, account.id, entry)
    _, body = await get(browser, f"{web}/accounts/{account.id}", tenant="default")
    assert "<dd>1,040</dd>" in body
    assert ">+40</span>" in body
    assert 'data-name="Impressions">4,321<' in body
    assert 'data-name="Likes">–<' in body
    assert "$0.215" in body
    assert body.count("<svg") == 2


async def test_report_is_sandboxed(
    web: str, browser: aiohttp.ClientSession, account: Integration
) -> None:
    answer, body = await get(browser, f"{web}/report", tenant="default", days="7")
    assert answer.status == 200
    assert f"@{account.username}" in body
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy


async def test_pages_do_not_show_other_tenants(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, account: Integration
) -> None:
    await make_tenant(runtime, "neighbour")
    post = await add_post(runtime, account, "mine alone")
    for path in (f"/posts/{post.id}", f"/accounts/{account.id}"):
        answer, _ = await get(browser, web + path, tenant="neighbour")
        assert answer.status == 404
    _, body = await get(browser, f"{web}/api/posts", tenant="neighbour")
    assert json.loads(body) == {"posts": []}


async def test_api_lists_accounts_and_posts(
    web: str, browser: aiohttp.ClientSession, runtime: Runtime, account: Integration
) -> None:
    post = await add_post(runtime, account, "hello")
    _, accounts = await get(browser, f"{web}/api/accounts", tenant="default")
    _, posts = await get(browser, f"{web}/api/posts", tenant="default")
    assert [one["username"] for one in json.loads(accounts)["accounts"]] == [ACCOUNT]
    (listed,) = json.loads(posts)["posts"]
    assert (listed["id"], listed["state"]) == (post.id, "scheduled")
    assert [part["text"] for part in listed["parts"]] == ["hello"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/posts?tenant=missing", 404, "tenant_not_found"),
        ("/api/posts?tenant=%00", 422, "invalid_input"),
        ("/api/posts?tenant=" + "a" * 64, 422, "invalid_input"),
        ("/api/nothing", 404, "not_found"),
    ],
)
async def test_api_errors_have_one_shape(
    web: str, browser: aiohttp.ClientSession, path: str, status: int, code: str
) -> None:
    answer, body = await get(browser, web + path)
    assert answer.status == status
    error: dict[str, Any] = json.loads(body)["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["did"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/posts/1", 404, "post_not_found"),
        ("/accounts/1", 404, "account_not_found"),
        ("/posts/0", 422, "invalid_input"),
        ("/posts/99999999999999999999", 422, "invalid_input"),
        ("/report?days=0", 422, "invalid_input"),
        ("/nothing", 404, "not_found"),
        ("/static/../server.py", 404, "not_found"),
        ("/api/auth/callback/twitter", 403, "connect_flow_invalid"),
        ("/api/auth/twitter/start?tenant=missing", 404, "tenant_not_found"),
    ],
)
async def test_errors_of_pages_are_pages(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant, path: str, status: int, code: str
) -> None:
    answer, body = await get(browser, web + path)
    assert answer.status == status
    assert answer.content_type == "text/html"
    assert f"<code>{code}</code>" in body


async def test_a_page_without_buttons_refuses_a_form(
    web: str, browser: aiohttp.ClientSession, tenant: Tenant
) -> None:
    async with browser.post(f"{web}/posts", headers={"origin": web}) as answer:
        assert answer.status == 405


async def test_an_unexpected_error_is_shown_without_its_text(
    web: str,
    browser: aiohttp.ClientSession,
    runtime: Runtime,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with runtime.database.unscoped() as transaction:
        await store.tenants.make(transaction, "lost", time_zone="Never/Neverland")
    tenant = await store.tenants.get(runtime.database, "lost")
    account = await connect_account(runtime, tenant, emulator, ACCOUNT)
    await add_post(runtime, account, "at what time?")
    answer, body = await get(browser, f"{web}/posts", tenant="lost")
    assert answer.status == 500
    assert "<code>broken</code>" in body
    assert "ZoneInfoNotFoundError" in caplog.text
    assert "templating.py" in caplog.text
    assert "Neverland" not in body + caplog.text


def test_every_kind_of_error_has_a_status() -> None:
    assert set(error_handlers.STATUS) == set(Kind)


async def test_health_shows_live_workers_and_the_oldest_due_post(
    web: str,
    browser: aiohttp.ClientSession,
    runtime: Runtime,
    account: Integration,
    emulator: Emulator,
) -> None:
    await emulator.freeze()
    await emulator.jump(days=1)
    await add_post(runtime, account, "late", due_in=timedelta(seconds=-90))
    answer, body = await get(browser, f"{web}/healthz")
    assert answer.status == 200
    assert json.loads(body) == {
        "status": "no_worker",
        "database": "ok",
        "workers_alive": 0,
        "oldest_due_seconds": 90.0,
    }


async def test_health_is_503_while_a_post_is_late_unless_everything_is_paused(
    web: str,
    browser: aiohttp.ClientSession,
    runtime: Runtime,
    account: Integration,
    emulator: Emulator,
) -> None:
    await emulator.freeze()
    await emulator.jump(days=1)
    await add_post(runtime, account, "late", due_in=timedelta(seconds=-121))
    answer, body = await get(browser, f"{web}/healthz")
    assert (answer.status, json.loads(body)["status"]) == (503, "late")
    assert json.loads(body)["oldest_due_seconds"] == 121.0
    await pause.pause_everything(runtime, ACTOR)
    answer, body = await get(browser, f"{web}/healthz")
    assert (answer.status, json.loads(body)["status"]) == (200, "stopped")
    assert json.loads(body)["oldest_due_seconds"] is None


@pytest.mark.timing
async def test_the_web_server_opens_an_alert_for_a_late_post(
    runtime: Runtime, account: Integration, emulator: Emulator, browser: aiohttp.ClientSession
) -> None:
    await emulator.freeze()
    await emulator.jump(days=1)
    await add_post(runtime, account, "late", due_in=timedelta(seconds=-600))
    async with serving(runtime) as web:
        await until(lambda: monitor.list_alerts(runtime), within=60)
        _, body = await get(browser, f"{web}/")
    assert "A post due on" in body


async def test_health_is_503_while_the_database_is_unreachable(
    web: str,
    browser: aiohttp.ClientSession,
    tenant: Tenant,
    admin_url: str,
    postgres_server: PostgresServer,
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(admin_url)["dbname"]
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
    answer, body = await get(browser, f"{web}/healthz")
    assert answer.status == 503
    assert json.loads(body)["database"] == "away"
    answer, body = await get(browser, f"{web}/")
    assert answer.status == 500
    assert "database_unavailable" in body


def test_sparkline_keeps_gaps() -> None:
    lines = templating.sparkline_points([0.0, 10.0, math.nan, 5.0, 10.0])
    assert lines == ["2.0,30.0 31.0,2.0", "89.0,16.0 118.0,2.0"]


def test_sparkline_of_one_value_is_a_dash_at_half_height() -> None:
    assert templating.sparkline_points([7.0]) == ["1.0,16.0 3.0,16.0"]


def test_sparkline_without_values_has_no_points() -> None:
    assert templating.sparkline_points([math.nan]) == []


async def test_style_sheet_has_the_colours_of_the_charts(
    web: str, browser: aiohttp.ClientSession
) -> None:
    _, style = await get(browser, f"{web}/static/roost.css")
    for colour in (
        page_charts.INK,
        page_charts.MUTED,
        page_charts.SERIES,
        page_charts.ALERT,
        page_charts.GAP,
    ):
        assert f'[fill="{colour}"]' in style
    for colour in (page_charts.SERIES, page_charts.RULE):
        assert f'[stroke="{colour}"]' in style
