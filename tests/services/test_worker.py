"""A worker wakes for due posts, stops when asked to, and survives failures."""

import asyncio
import signal
from pathlib import Path

import psycopg
import pytest

from fix_emulator import Emulator
from fix_processes import python_process, until
from fix_publishing import MOVING, Publisher
from fix_runtime import ACTOR, connect_account, make_tenant
from roost import worker
from roost.models import PostId, PostState, Tenant
from roost.runtime import Runtime
from roost.services import dispatch
from roost.services.schedule import cancel_post

pytestmark = pytest.mark.timing


async def finished(publisher: Publisher, *posts: PostId) -> None:
    """Wait until none of the posts is scheduled or being published."""

    async def are() -> bool:
        return all([(await publisher.get_post(post_id)).state not in MOVING for post_id in posts])

    await until(are, within=120)


async def alive(runtime: Runtime) -> None:
    """Wait until a worker has sent a heartbeat."""
    await until(lambda: worker.is_any_alive(runtime), within=120)


async def has_engines(runtime: Runtime) -> bool:
    """Whether a Roost worker has registered a procrastinate worker for each of its queues."""
    async with runtime.database.unscoped() as transaction:
        rows = await transaction.raw.execute("SELECT FROM procrastinate_workers")
        return rows.rowcount == len(worker.CONCURRENCY)


class Working:
    """Runs a worker in this process during an `async with` block."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(worker.run(self._runtime, ACTOR, stop=asyncio.Event()))
        await alive(self._runtime)

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_idle_worker_wakes_when_the_clock_jumps(publisher: Publisher) -> None:
    post_id = await publisher.schedule("In an hour", after_s=3600)
    async with Working(publisher.runtime):
        await publisher.emulator.jump(hours=1)
        await finished(publisher, post_id)
    assert await publisher.published_texts() == ["In an hour"]


async def test_idle_worker_wakes_for_a_new_post(publisher: Publisher) -> None:
    async with Working(publisher.runtime):
        await finished(publisher, await publisher.schedule("Now"))
        await finished(publisher, await publisher.schedule("And now, when it sleeps again"))
    assert await publisher.published_texts() == ["Now", "And now, when it sleeps again"]


async def test_post_of_a_dead_worker_is_published(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Left behind")
    await dispatch.dispatch_due(publisher.runtime)
    async with publisher.runtime.database.unscoped() as transaction:
        await transaction.raw.execute("DELETE FROM procrastinate_jobs")
    async with Working(publisher.runtime):
        await finished(publisher, post_id)
    assert await publisher.published_texts() == ["Left behind"]


async def test_job_whose_end_was_not_recorded_is_ended(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publisher.schedule("Held up", after_s=3600)
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ):
        await until(lambda: has_engines(publisher.runtime), within=120)
        async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
            await transaction.raw.execute(
                "UPDATE posts SET state = 'publishing' WHERE id = %s", [post_id]
            )
            await transaction.raw.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id)"
                " SELECT 'publish.emulator', 'publish',"
                " jsonb_build_object('integration_id', %s::bigint),"
                " 'doing', max(id) FROM procrastinate_workers",
                [publisher.account.id],
            )
        await publisher.emulator.jump(hours=1)
        await finished(publisher, post_id)
    assert await publisher.published_texts() == ["Held up"]
    assert "was not recorded" in log.read_text()


async def test_worker_survives_the_loss_of_every_connection(
    publisher: Publisher, admin_url: str
) -> None:
    async with Working(publisher.runtime):
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await finished(publisher, await publisher.schedule("After the loss"))
    assert await publisher.published_texts() == ["After the loss"]


async def test_two_workers_publish_each_post_once(publisher: Publisher, tmp_path: Path) -> None:
    posts = [await publisher.schedule(f"Post {number}", f"Reply {number}") for number in range(6)]
    log = tmp_path / "worker.log"
    async with (
        python_process("-m", "roost", "worker", settings=publisher.runtime.settings, log=log),
        python_process("-m", "roost", "worker", settings=publisher.runtime.settings, log=log),
    ):
        await finished(publisher, *posts)
    assert sorted(await publisher.published_texts()) == sorted(
        f"{kind} {number}" for number in range(6) for kind in ("Post", "Reply")
    )


async def test_stopped_worker_finishes_its_jobs(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.emulator.fail("create_post", "before", "delay", seconds=2)
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ) as process:
        await alive(publisher.runtime)
        post_id = await publisher.schedule("Begun")
        await publisher.wait_for_request("create_post")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(120):
            assert await process.wait() == 0, log.read_text()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.list_statuses("create_post") == [201]
    said = log.read_text()
    assert "Traceback" not in said, said


async def test_ended_worker_does_not_count_as_alive(publisher: Publisher) -> None:
    async with Working(publisher.runtime):
        assert await worker.is_any_alive(publisher.runtime)
    assert not await worker.is_any_alive(publisher.runtime)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_idle_worker_stops_at_once(
    sign: signal.Signals, publisher: Publisher, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ) as process:
        await alive(publisher.runtime)
        process.send_signal(sign)
        async with asyncio.timeout(120):
            assert await process.wait() == 0, log.read_text()
    assert "Traceback" not in log.read_text()


async def test_worker_log_has_no_texts_or_tokens(
    runtime: Runtime, tenant: Tenant, publisher: Publisher, emulator: Emulator, tmp_path: Path
) -> None:
    other = await connect_account(runtime, tenant, emulator, "tidewatcher")
    await emulator.fail("create_post", "before", "401")
    posts = [
        await publisher.schedule("A very private text"),
        await publisher.schedule("A very private text", after_s=1),
        await publisher.schedule("Another private text", account=other),
    ]
    await emulator.jump(seconds=2)
    log = tmp_path / "worker.log"
    async with python_process("-m", "roost", "worker", settings=runtime.settings, log=log):
        await finished(publisher, *posts)
    output = log.read_text()
    assert "private" not in output
    assert emulator.app.client_secret not in output


async def test_damaged_row_of_one_tenant_does_not_delay_others(publisher: Publisher) -> None:
    other = await make_tenant(publisher.runtime, "bakery")
    await connect_account(publisher.runtime, other, publisher.emulator, "tidewatcher")
    post_id = await publisher.schedule("Low tide at six", after_s=10)
    async with publisher.runtime.database.for_tenant(other.id) as transaction:
        await transaction.raw.execute("UPDATE integrations SET connected_at = 'infinity'")
        await transaction.raw.execute(
            "INSERT INTO posts (tenant_id, integration_id, state, due_at)"
            " SELECT tenant_id, id, 'scheduled', %s FROM integrations",
            ((await publisher.get_post(post_id)).due_at,),
        )
    async with Working(publisher.runtime):
        await publisher.emulator.jump(seconds=11)
        await finished(publisher, post_id)
    assert await publisher.published_texts() == ["Low tide at six"]


async def test_worker_removes_copies_that_no_post_needs(publisher: Publisher, teal: Path) -> None:
    post_id = await publisher.schedule("Cancelled", after_s=3600, media=teal)
    await cancel_post(publisher.runtime, publisher.scope, post_id)
    (part,) = (await publisher.get_post(post_id)).parts
    async with Working(publisher.runtime):

        async def is_removed() -> bool:
            return await publisher.runtime.media.list_missing([part.media[0].sha256]) != []

        await until(is_removed)
