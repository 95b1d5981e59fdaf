"""Token refresh: in time, only one at a time, and committed before the token is used."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from fix_processes import environment_of
from fix_publishing import Publisher, piped_python
from roost import store, x
from roost.account_client import StoredTokenSource, open_account
from roost.cli.next_actions import describe_next
from roost.errors import ReconnectNeeded, SettingInvalid
from roost.models import IntegrationStatus, PartState, PostState
from roost.services import collect
from roost.store.integrations import Tokens

_PROCESS = str(Path(__file__).with_name("refreshing_process.py"))


def source_of(publisher: Publisher) -> StoredTokenSource:
    return StoredTokenSource(publisher.runtime, publisher.account)


def with_secret(publisher: Publisher, secret: str) -> Publisher:
    """Return the publisher with another secret of its X app."""
    settings = publisher.runtime.settings.model_copy(update={"twitter_client_secret": secret})
    return replace(publisher, runtime=replace(publisher.runtime, settings=settings))


async def test_get_returns_a_fresh_token_unchanged(publisher: Publisher) -> None:
    token = await source_of(publisher).get()
    assert token == (await publisher.get_stored_tokens()).access_token
    assert await publisher.list_statuses("refresh") == []


async def test_get_refreshes_a_token_before_it_expires(publisher: Publisher) -> None:
    before = await publisher.get_stored_tokens()
    await publisher.emulator.jump(hours=2, seconds=-30)
    token = await source_of(publisher).get()
    assert token != before.access_token
    assert await publisher.list_statuses("refresh") == [200]


async def test_get_returns_a_token_with_a_minute_left(publisher: Publisher) -> None:
    before = await publisher.get_stored_tokens()
    await publisher.emulator.jump(hours=2, seconds=-60)
    assert await source_of(publisher).get() == before.access_token
    assert await publisher.list_statuses("refresh") == []


async def test_request_after_two_hours_refreshes_first(publisher: Publisher) -> None:
    await publisher.emulator.jump(hours=2)
    me = await x.users.read_me(open_account(publisher.runtime, publisher.account))
    assert me.username == "larkbooks"
    assert await publisher.list_statuses("read_me") == [200]
    assert await publisher.list_statuses("refresh") == [200]


async def test_refresh_stores_both_tokens(publisher: Publisher) -> None:
    before = await publisher.get_stored_tokens()
    await publisher.emulator.jump(hours=3)
    token = await source_of(publisher).get()
    after = await publisher.get_stored_tokens()
    assert after.access_token == token
    assert after.refresh_token != before.refresh_token
    assert (after.expires_at - publisher.runtime.clock.now()).total_seconds() == 2 * 3600
    await publisher.emulator.jump(hours=3)
    assert await source_of(publisher).get() != token
    assert await publisher.list_statuses("refresh") == [200, 200]


@pytest.mark.timing
async def test_get_refreshes_once__ten_callers(publisher: Publisher) -> None:
    await publisher.emulator.jump(hours=2)
    tokens = await asyncio.gather(*(source_of(publisher).get() for _ in range(10)))
    assert len(set(tokens)) == 1
    assert await publisher.list_statuses("refresh") == [200]


@pytest.mark.timing
async def test_refresh_asks_x_once__ten_callers_with_a_rejected_token(publisher: Publisher) -> None:
    old = await source_of(publisher).get()
    tokens = await asyncio.gather(*(source_of(publisher).refresh(old) for _ in range(10)))
    assert len(set(tokens)) == 1
    assert tokens[0] != old
    assert await publisher.list_statuses("refresh") == [200]


@pytest.mark.timing
async def test_get_does_not_exhaust_the_pool__thirty_callers(publisher: Publisher) -> None:
    await publisher.emulator.jump(hours=2)
    async with asyncio.timeout(60):
        tokens = await asyncio.gather(*(source_of(publisher).get() for _ in range(30)))
    assert len(set(tokens)) == 1
    assert await publisher.list_statuses("refresh") == [200]


@pytest.mark.timing
async def test_refresh_asks_x_once__two_processes(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.emulator.jump(hours=2)
    given = environment_of(publisher.runtime.settings)
    command = (_PROCESS, str(publisher.tenant.id), str(publisher.account.id))
    async with (
        piped_python(*command, environment=given, folder=tmp_path) as one,
        piped_python(*command, environment=given, folder=tmp_path) as other,
    ):
        for process in (one, other):
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        ends = await asyncio.gather(one.communicate(b"go\n"), other.communicate(b"go\n"))
    token = hashlib.sha256((await publisher.get_stored_tokens()).access_token.encode()).hexdigest()
    assert [out.decode().split() for out, _ in ends] == [[token] * 10] * 2
    assert await publisher.list_statuses("refresh") == [200]


async def refresh_under_way(publisher: Publisher) -> asyncio.Task[str]:
    """Start a refresh to which X responds slowly; return after X has received the request."""
    await publisher.emulator.jump(hours=2)
    await publisher.emulator.fail("refresh", "before", "delay", seconds=1)
    task = asyncio.create_task(source_of(publisher).get())
    await publisher.wait_for_request("refresh")
    return task


@pytest.mark.timing
async def test_refresh_is_stored__caller_cancelled(publisher: Publisher) -> None:
    before = await publisher.get_stored_tokens()
    task = await refresh_under_way(publisher)
    task.cancel()
    await asyncio.wait({task})
    token = await source_of(publisher).get()
    assert token == (await publisher.get_stored_tokens()).access_token != before.access_token
    assert await publisher.list_statuses("refresh") == [200]


@pytest.mark.timing
async def test_refresh_is_stored__idle_transaction_timeout_of_the_role(
    publisher: Publisher, admin_url: str
) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            f'ALTER ROLE postgres IN DATABASE "{admin.info.dbname}"'
            " SET idle_in_transaction_session_timeout = '50ms'"
        )
    task = await refresh_under_way(publisher)
    assert await task == (await publisher.get_stored_tokens()).access_token
    assert (await publisher.get_integration()).status is IntegrationStatus.CONNECTED
    assert await publisher.list_statuses("refresh") == [200]


@pytest.mark.timing
async def test_refresh_does_not_overwrite_newer_tokens(publisher: Publisher) -> None:
    task = await refresh_under_way(publisher)
    newer = await _connect_again(publisher)
    await task
    assert (await publisher.get_stored_tokens()).access_token == newer


async def test_refused_refresh_token_is_tried_once_and_posts_wait(publisher: Publisher) -> None:
    posts = [await publisher.schedule(text, after_s=7200) for text in ("One", "Two", "Three")]
    await publisher.revoke_tokens()
    await publisher.emulator.jump(hours=2)
    await publisher.run_due_jobs()
    assert (await publisher.get_integration()).status is IntegrationStatus.NEEDS_RECONNECT
    states = [(await publisher.get_post(post_id)).state for post_id in posts]
    assert states == [PostState.PUBLISHING] * 3
    assert await publisher.list_statuses("refresh") == [400]


async def test_posts_wait_until_the_account_is_reconnected(publisher: Publisher) -> None:
    post_id = await publisher.schedule("One", "Two", after_s=7200)
    await publisher.revoke_tokens()
    await publisher.emulator.jump(hours=2)
    await publisher.run_due_jobs()
    late = await publisher.schedule("Three", after_s=60)
    await publisher.emulator.jump(seconds=3500)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    await _connect_again(publisher)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One", "Two", "Three"]
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert (await publisher.get_post(late)).state is PostState.PUBLISHED


async def _connect_again(publisher: Publisher) -> str:
    """Reconnect the account as its owner does, and return the new access token."""
    grant = await publisher.emulator.connect("larkbooks")
    now = publisher.runtime.clock.now()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        vault = await publisher.runtime.vault.for_tenant(transaction, publisher.tenant.id)
        account = await store.integrations.get(transaction, publisher.account.id)
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
        await store.integrations.upsert(
            transaction, vault, publisher.tenant.id, who, tokens, now=now
        )
    return tokens.access_token


async def test_thread_loses_no_part__access_revoked_in_the_middle(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    await publisher.revoke_tokens()
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).parts[0].state is PartState.PENDING
    await _connect_again(publisher)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One", "Two"]


async def test_wrong_app_secret_disconnects_no_account(publisher: Publisher) -> None:
    await publisher.emulator.jump(hours=2)
    wrong = with_secret(publisher, "not the secret")
    with pytest.raises(x.errors.AppMisconfigured):
        await source_of(wrong).get()
    assert (await publisher.get_integration()).status is IntegrationStatus.CONNECTED


async def test_post_waits_while_the_app_secret_is_wrong(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six", after_s=7200)
    await publisher.emulator.jump(hours=2)
    await with_secret(publisher, "not the secret").run_due_jobs()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHING
    assert (await publisher.get_integration()).status is IntegrationStatus.CONNECTED
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


async def test_collection_waits_while_the_app_secret_is_wrong(publisher: Publisher) -> None:
    await publisher.emulator.jump(hours=2)
    wrong = with_secret(publisher, "not the secret")
    collected = await collect.collect_account(wrong.runtime, publisher.scope, publisher.account.id)
    assert (collected.account, collected.posts) == (0, 0)
    assert (await publisher.get_integration()).status is IntegrationStatus.CONNECTED


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
    publisher: Publisher, kind: str, raised: type[x.errors.XError]
) -> None:
    await publisher.emulator.jump(hours=2)
    await publisher.emulator.fail("refresh", "before", kind)
    with pytest.raises(raised):
        await source_of(publisher).get()
    assert (await publisher.get_integration()).status is IntegrationStatus.CONNECTED
    assert await source_of(publisher).get() == (await publisher.get_stored_tokens()).access_token


async def test_refresh_needs_a_reconnect__response_lost(publisher: Publisher) -> None:
    await publisher.emulator.jump(hours=2)
    await publisher.emulator.fail("refresh", "after", "drop")
    with pytest.raises(x.errors.OutcomeUnknown):
        await source_of(publisher).get()
    assert (await publisher.get_integration()).status is IntegrationStatus.CONNECTED
    with pytest.raises(ReconnectNeeded):
        await source_of(publisher).get()
    assert (await publisher.get_integration()).status is IntegrationStatus.NEEDS_RECONNECT


async def test_refresh_is_refused__another_x_app(publisher: Publisher) -> None:
    await publisher.emulator.jump(hours=2)
    other = publisher.runtime.settings.model_copy(update={"twitter_client_id": "another app"})
    with pytest.raises(SettingInvalid, match="@larkbooks"):
        await StoredTokenSource(replace(publisher.runtime, settings=other), publisher.account).get()
    assert await publisher.list_statuses("refresh") == []
    assert (await publisher.get_integration()).status is IntegrationStatus.CONNECTED


async def test_reconnect_error_says_what_to_do_and_no_token(publisher: Publisher) -> None:
    before = await publisher.get_stored_tokens()
    await publisher.revoke_tokens()
    await publisher.emulator.jump(hours=2)
    with pytest.raises(ReconnectNeeded, match="@larkbooks") as raised:
        await source_of(publisher).get()
    shown = repr(raised.value.as_dict()) + repr(raised.value.__cause__)
    assert before.refresh_token not in shown
    assert before.access_token not in shown
    assert "roost connect" in describe_next(raised.value)
