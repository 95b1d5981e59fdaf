"""Token refresh: in time, single flight, and committed before the token is used."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from fix_processes import environment_of
from fix_publishing import Desk, piped_python
from roost import store, x
from roost.account_client import StoredTokenSource, open_account
from roost.cli.next_actions import describe_next
from roost.errors import ReconnectNeeded, SettingInvalid
from roost.models import IntegrationStatus, PartState, PostState
from roost.services import collect
from roost.store.integrations import Tokens

_PROCESS = str(Path(__file__).with_name("refreshing_process.py"))


def source_of(desk: Desk) -> StoredTokenSource:
    return StoredTokenSource(desk.runtime, desk.account)


def with_secret(desk: Desk, secret: str) -> Desk:
    """A publisher whose X app has this secret."""
    settings = desk.runtime.settings.model_copy(update={"twitter_client_secret": secret})
    return replace(desk, runtime=replace(desk.runtime, settings=settings))


async def test_get_returns_a_fresh_token_unchanged(desk: Desk) -> None:
    token = await source_of(desk).get()
    assert token == (await desk.kept_tokens()).access_token
    assert await desk.requests("refresh") == []


async def test_get_refreshes_a_token_before_it_expires(desk: Desk) -> None:
    before = await desk.kept_tokens()
    await desk.emulator.jump(hours=2, seconds=-30)
    token = await source_of(desk).get()
    assert token != before.access_token
    assert await desk.requests("refresh") == [200]


async def test_get_returns_a_token_with_a_minute_left(desk: Desk) -> None:
    before = await desk.kept_tokens()
    await desk.emulator.jump(hours=2, seconds=-60)
    assert await source_of(desk).get() == before.access_token
    assert await desk.requests("refresh") == []


async def test_request_after_two_hours_refreshes_first(desk: Desk) -> None:
    await desk.emulator.jump(hours=2)
    me = await x.users.read_me(open_account(desk.runtime, desk.account))
    assert me.username == "larkbooks"
    assert await desk.requests("read_me") == [200]
    assert await desk.requests("refresh") == [200]


async def test_refresh_stores_both_tokens(desk: Desk) -> None:
    before = await desk.kept_tokens()
    await desk.emulator.jump(hours=3)
    token = await source_of(desk).get()
    after = await desk.kept_tokens()
    assert after.access_token == token
    assert after.refresh_token != before.refresh_token
    assert (after.expires_at - desk.runtime.clock.now()).total_seconds() == 2 * 3600
    await desk.emulator.jump(hours=3)
    assert await source_of(desk).get() != token
    assert await desk.requests("refresh") == [200, 200]


@pytest.mark.timing
async def test_get_refreshes_once__ten_callers(desk: Desk) -> None:
    await desk.emulator.jump(hours=2)
    tokens = await asyncio.gather(*(source_of(desk).get() for _ in range(10)))
    assert len(set(tokens)) == 1
    assert await desk.requests("refresh") == [200]


@pytest.mark.timing
async def test_refresh_asks_x_once__ten_callers_with_a_rejected_token(desk: Desk) -> None:
    old = await source_of(desk).get()
    tokens = await asyncio.gather(*(source_of(desk).refresh(old) for _ in range(10)))
    assert len(set(tokens)) == 1
    assert tokens[0] != old
    assert await desk.requests("refresh") == [200]


@pytest.mark.timing
async def test_get_does_not_exhaust_the_pool__thirty_callers(desk: Desk) -> None:
    await desk.emulator.jump(hours=2)
    async with asyncio.timeout(60):
        tokens = await asyncio.gather(*(source_of(desk).get() for _ in range(30)))
    assert len(set(tokens)) == 1
    assert await desk.requests("refresh") == [200]


@pytest.mark.timing
async def test_refresh_asks_x_once__two_processes(desk: Desk, tmp_path: Path) -> None:
    await desk.emulator.jump(hours=2)
    given = environment_of(desk.runtime.settings)
    command = (_PROCESS, str(desk.tenant.id), str(desk.account.id))
    async with (
        piped_python(*command, environment=given, folder=tmp_path) as one,
        piped_python(*command, environment=given, folder=tmp_path) as other,
    ):
        for process in (one, other):
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        ends = await asyncio.gather(one.communicate(b"go\n"), other.communicate(b"go\n"))
    token = hashlib.sha256((await desk.kept_tokens()).access_token.encode()).hexdigest()
    assert [out.decode().split() for out, _ in ends] == [[token] * 10] * 2
    assert await desk.requests("refresh") == [200]


async def refresh_under_way(desk: Desk) -> asyncio.Task[str]:
    """A refresh in progress: X was asked and responds slowly."""
    await desk.emulator.jump(hours=2)
    await desk.emulator.fail("refresh", "before", "delay", seconds=1)
    task = asyncio.create_task(source_of(desk).get())
    await desk.under_way("refresh")
    return task


@pytest.mark.timing
async def test_refresh_is_stored__caller_cancelled(desk: Desk) -> None:
    before = await desk.kept_tokens()
    task = await refresh_under_way(desk)
    task.cancel()
    await asyncio.wait({task})
    token = await source_of(desk).get()
    assert token == (await desk.kept_tokens()).access_token != before.access_token
    assert await desk.requests("refresh") == [200]


@pytest.mark.timing
async def test_refresh_is_stored__idle_transaction_timeout_of_the_role(
    desk: Desk, admin_url: str
) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            f'ALTER ROLE postgres IN DATABASE "{admin.info.dbname}"'
            " SET idle_in_transaction_session_timeout = '50ms'"
        )
    task = await refresh_under_way(desk)
    assert await task == (await desk.kept_tokens()).access_token
    assert (await desk.integration()).status is IntegrationStatus.CONNECTED
    assert await desk.requests("refresh") == [200]


@pytest.mark.timing
async def test_refresh_does_not_overwrite_newer_tokens(desk: Desk) -> None:
    task = await refresh_under_way(desk)
    newer = await _connect_again(desk)
    await task
    assert (await desk.kept_tokens()).access_token == newer


async def test_refused_refresh_token_is_tried_once_and_posts_wait(desk: Desk) -> None:
    posts = [await desk.plan(text, after_s=7200) for text in ("One", "Two", "Three")]
    await desk.kill_grant()
    await desk.emulator.jump(hours=2)
    await desk.work()
    assert (await desk.integration()).status is IntegrationStatus.NEEDS_RECONNECT
    states = [(await desk.see(post_id)).state for post_id in posts]
    assert states == [PostState.PUBLISHING] * 3
    assert await desk.requests("refresh") == [400]


async def test_posts_wait_until_the_account_is_reconnected(desk: Desk) -> None:
    post_id = await desk.plan("One", "Two", after_s=7200)
    await desk.kill_grant()
    await desk.emulator.jump(hours=2)
    await desk.work()
    late = await desk.plan("Three", after_s=60)
    await desk.emulator.jump(seconds=3500)
    await desk.work()
    assert await desk.on_x() == []
    await _connect_again(desk)
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two", "Three"]
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert (await desk.see(late)).state is PostState.PUBLISHED


async def _connect_again(desk: Desk) -> str:
    """The owner reconnects the account; return the access token."""
    grant = await desk.emulator.connect("larkbooks")
    now = desk.runtime.clock.now()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        vault = await desk.runtime.vault.for_tenant(transaction, desk.tenant.id)
        account = await store.integrations.get(transaction, desk.account.id)
        who = store.integrations.Identity(
            account.x_user_id,
            account.username,
            account.name,
            None,
            account.environment,
            account.client_id,
            account.scopes,
        )
        tokens = Tokens(grant["access_token"], grant["refresh_token"], now + timedelta(hours=2))
        await store.integrations.upsert(transaction, vault, desk.tenant.id, who, tokens, now=now)
    return tokens.access_token


async def test_thread_loses_no_part__access_revoked_in_the_middle(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    post_id = await desk.plan("One", "Two")
    await desk.work()
    await desk.kill_grant()
    await desk.work_through()
    assert (await desk.see(post_id)).parts[0].state is PartState.PENDING
    await _connect_again(desk)
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two"]


async def test_wrong_app_secret_disconnects_no_account(desk: Desk) -> None:
    await desk.emulator.jump(hours=2)
    wrong = with_secret(desk, "not the secret")
    with pytest.raises(x.errors.AppMisconfigured):
        await source_of(wrong).get()
    assert (await desk.integration()).status is IntegrationStatus.CONNECTED


async def test_post_waits_while_the_app_secret_is_wrong(desk: Desk) -> None:
    post_id = await desk.plan("Low tide at six", after_s=7200)
    await desk.emulator.jump(hours=2)
    await with_secret(desk, "not the secret").work()
    assert (await desk.see(post_id)).state is PostState.PUBLISHING
    assert (await desk.integration()).status is IntegrationStatus.CONNECTED
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED


async def test_collection_waits_while_the_app_secret_is_wrong(desk: Desk) -> None:
    await desk.emulator.jump(hours=2)
    wrong = with_secret(desk, "not the secret")
    collected = await collect.collect_account(wrong.runtime, desk.scope, desk.account.id)
    assert (collected.account, collected.posts) == (0, 0)
    assert (await desk.integration()).status is IntegrationStatus.CONNECTED


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("500", x.errors.OutcomeUnknown),
        ("502text", x.errors.OutcomeUnknown),
        ("drop", x.errors.OutcomeUnknown),
        ("429", x.errors.XUnavailable),
    ],
)
async def test_failed_refresh_disconnects_no_account(
    desk: Desk, kind: str, raised: type[x.errors.XError]
) -> None:
    await desk.emulator.jump(hours=2)
    await desk.emulator.fail("refresh", "before", kind)
    with pytest.raises(raised):
        await source_of(desk).get()
    assert (await desk.integration()).status is IntegrationStatus.CONNECTED
    assert await source_of(desk).get() == (await desk.kept_tokens()).access_token


async def test_refresh_needs_a_reconnect__response_lost(desk: Desk) -> None:
    await desk.emulator.jump(hours=2)
    await desk.emulator.fail("refresh", "after", "drop")
    with pytest.raises(x.errors.OutcomeUnknown):
        await source_of(desk).get()
    assert (await desk.integration()).status is IntegrationStatus.CONNECTED
    with pytest.raises(ReconnectNeeded):
        await source_of(desk).get()
    assert (await desk.integration()).status is IntegrationStatus.NEEDS_RECONNECT


async def test_refresh_is_refused__another_x_app(desk: Desk) -> None:
    await desk.emulator.jump(hours=2)
    other = desk.runtime.settings.model_copy(update={"twitter_client_id": "another app"})
    with pytest.raises(SettingInvalid, match="@larkbooks"):
        await StoredTokenSource(replace(desk.runtime, settings=other), desk.account).get()
    assert await desk.requests("refresh") == []
    assert (await desk.integration()).status is IntegrationStatus.CONNECTED


async def test_reconnect_error_says_what_to_do_and_no_token(desk: Desk) -> None:
    before = await desk.kept_tokens()
    await desk.kill_grant()
    await desk.emulator.jump(hours=2)
    with pytest.raises(ReconnectNeeded, match="@larkbooks") as raised:
        await source_of(desk).get()
    shown = repr(raised.value.as_dict()) + repr(raised.value.__cause__)
    assert before.refresh_token not in shown
    assert before.access_token not in shown
    assert "roost connect" in describe_next(raised.value)
