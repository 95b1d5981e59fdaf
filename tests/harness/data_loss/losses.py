"""Functions that cause a loss of data, for example by a fail-over or a restore.

Each function publishes the first posts and copies the database. The function then publishes more
posts, loses all data since the copy, and starts the workers again. After the function has returned,
the test setup (`LossEnvironment`) acts as an operator would.
"""

import shutil
import signal
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from fix_postgres import app_url
from fix_processes import until
from harness.data_loss.cluster import Cluster, ProgramFailed
from harness.data_loss.environment import LossEnvironment, count_attempts
from harness.data_loss.replica import open_replica
from harness.records import PlannedPost
from roost.store.schema import prepare_database

Workers = Literal["running", "stopped", "killed"]
"""The state of the workers while the data is lost. `stopped` means a clean stop."""
Method = Literal["recreate", "clean"]
"""How a dump is restored: after DROP and CREATE DATABASE, or by `pg_restore --clean` into
the existing database."""
Place = Literal["database", "cluster"]
"""The place of a copy: another database of the same cluster, or another cluster."""
Home = Literal["same", "fresh"]
Change = Literal["moved", "cancelled", "edited"]
#: The maximum number of attempts to restore a dump. While workers run, a deadlock can make a
#: restore fail, and an operator would then try again.
_MAX_ATTEMPTS = 20


async def fail_over(lag_s: float, workers: Workers, environment: LossEnvironment) -> None:
    """Fail over to an asynchronous replica that is `lag_s` seconds behind the primary."""
    replica = await environment.stack.enter_async_context(open_replica(environment.cluster, lag_s))
    await environment.publish_early()
    await replica.wait_caught_up()
    await environment.wait_published(_published_before_loss(environment))
    await _stop_workers(environment, workers)
    await replica.fail_over()
    environment.address.retarget(replica.cluster.socket)
    await _restart_workers(environment, workers)


async def fail_over_with_old_watermark(lag_s: float, environment: LossEnvironment) -> None:
    """Fail over to a replica that has all events up to the last watermark, but not later ones."""
    replica = await environment.stack.enter_async_context(open_replica(environment.cluster, lag_s))
    await environment.publish_early()
    await replica.wait_caught_up()
    watermark = environment.machine.get_watermark()
    written_at = watermark.stat().st_mtime_ns

    async def is_new() -> bool:
        return watermark.stat().st_mtime_ns != written_at

    await until(is_new)
    await environment.wait_published(_published_before_loss(environment))
    await _stop_workers(environment, "killed")
    await replica.fail_over()
    environment.address.retarget(replica.cluster.socket)
    await _restart_workers(environment, "killed")


async def restore_dump(method: Method, workers: Workers, environment: LossEnvironment) -> None:
    """Restore an older dump of the database, so that all later data is lost."""
    await environment.publish_early()
    dump = await _dump(environment)
    await environment.wait_published(_published_before_loss(environment))
    await _stop_workers(environment, workers)
    await _load(environment.cluster, dump, method)
    await _restart_workers(environment, workers)


async def restore_old_tokens(environment: LossEnvironment) -> None:
    """Restore a dump whose refresh tokens have become invalid.

    Workers used the refresh tokens after the dump, and X accepts each refresh token only once.
    """
    await environment.publish_early()
    await environment.scenario.execute(
        "UPDATE roost.integrations"
        " SET metadata = metadata || jsonb_build_object('tokenExpiresAt', %s::text)",
        environment.scenario.runtime.clock.now().isoformat(),
    )
    dump = await _dump(environment)
    await environment.wait_published(_published_before_loss(environment))
    await environment.machine.stop(signal.SIGTERM)
    await _load(environment.cluster, dump, "clean")
    await environment.machine.start()


async def restore_files(workers: Workers, environment: LossEnvironment) -> None:
    """Replace PostgreSQL's data folder by an older copy."""
    await environment.publish_early()
    copy = await environment.cluster.copy_data()
    await environment.wait_published(_published_before_loss(environment))
    await _stop_workers(environment, workers)
    await _replace_data(environment.cluster, copy)
    await _restart_workers(environment, workers)


async def restore_snapshot(workers: Workers, environment: LossEnvironment) -> None:
    """Simulate the restore of a virtual machine's snapshot.

    Copy PostgreSQL's data folder and ROOST_HOME, let the workers publish more posts, and then
    replace both folders by the copies. While the copies are made, the workers are suspended, or
    have stopped cleanly.
    """
    machine, saved_home = environment.machine, environment.scenario.folder / "home-snapshot"
    await environment.publish_early()
    if workers == "stopped":
        await machine.stop(signal.SIGTERM)
    else:
        for worker in machine.workers:
            worker.send(signal.SIGSTOP)
    copy = await environment.cluster.copy_data()
    machine.copy_home(saved_home)
    if workers == "stopped":
        await machine.start()
    else:
        for worker in machine.workers:
            worker.send(signal.SIGCONT)
    await environment.wait_published(_published_before_loss(environment))
    await _stop_workers(environment, workers)
    machine.replace_home(saved_home)
    await _replace_data(environment.cluster, copy)
    await machine.start()


async def use_copy(place: Place, home: Home, environment: LossEnvironment) -> None:
    """Restore a dump to another database or cluster, and use it instead of the original."""
    await environment.publish_early()
    dump = await _dump(environment)
    await environment.wait_published(_published_before_loss(environment))
    await environment.machine.stop(signal.SIGTERM)
    cluster = await _copy_elsewhere(environment, dump, place)
    if place == "cluster":
        environment.address.retarget(cluster.socket)
    else:
        await environment.use_database(environment.scenario.admin_url.replace("/roost", "/copy"))
    if home == "fresh":
        # A new home has the old home's media folder, because people copy this folder together
        # with a database.
        fresh_home = environment.scenario.folder / "home-fresh"
        fresh_home.mkdir(mode=0o700)
        shutil.copytree(environment.machine.home / "media", fresh_home / "media")
        environment.machine.home = fresh_home
    environment.must_alert = True
    environment.attempts_copied = await count_attempts(environment.scenario.admin_url)
    await environment.machine.start()


async def use_copy_beside_original(place: Place, home: Home, environment: LossEnvironment) -> None:
    """Run workers on a copy of the database while other workers use the original.

    The copy is a dump that is restored to another database or cluster.
    """
    await environment.publish_early()
    cluster = await _copy_elsewhere(environment, await _dump(environment), place)
    environment.copy_url = cluster.url("roost" if place == "cluster" else "copy")
    environment.must_alert = True
    environment.attempts_copied = await count_attempts(environment.copy_url)
    folder = environment.machine.home if home == "same" else None
    await environment.add_machine("copy", folder, app_url(environment.copy_url)).start()


async def damage_watermark(
    kept_share: float, is_restored: bool, environment: LossEnvironment
) -> None:
    """Truncate the watermark file to a share of its bytes.

    With `is_restored`, an older dump of the database is restored first.
    """
    await environment.publish_early()
    dump = await _dump(environment)
    await environment.wait_published(_published_before_loss(environment))
    await environment.machine.stop(signal.SIGKILL)
    if is_restored:
        await _load(environment.cluster, dump, "clean")
    watermark = environment.machine.get_watermark()
    content = watermark.read_bytes()
    watermark.write_bytes(content[: int(len(content) * kept_share)])
    environment.must_alert = True
    await environment.machine.start()


async def start_other_machine_first(
    home: Literal["fresh", "older"], environment: LossEnvironment, *, restart_first: bool
) -> None:
    """Restore a dump, and start another machine before the first machine.

    The other machine's watermark is older (`older`) or missing (`fresh`).
    """
    await environment.publish_early()
    older_home = environment.scenario.folder / "home-older"
    if home == "older":
        environment.machine.copy_home(older_home)
        await environment.wait_published(environment.middle[:2])
    dump = await _dump(environment)
    await environment.wait_published(_published_before_loss(environment))
    await environment.machine.stop(signal.SIGTERM)
    await _load(environment.cluster, dump, "clean")
    other = environment.add_machine("other", older_home if home == "older" else None)
    await other.start()
    if restart_first:
        ids = [each.post_id for each in _published_before_loss(environment)]

        async def are_final() -> bool:
            return await environment.scenario.are_final(ids)

        await environment.scenario.run_until(are_final, within=30)
        await environment.machine.start()


async def restore_after_change(
    change: Change, workers: Workers, environment: LossEnvironment
) -> None:
    """Restore a dump that was made before a person changed a post, so the change is lost."""
    await environment.publish_early()
    dump = await _dump(environment)
    match change:
        case "moved":
            await environment.move_post(environment.late[0], timedelta(minutes=5))
            await environment.wait_published([environment.late[0]])
        case "cancelled":
            await environment.cancel_post(environment.late[1])
        case "edited":
            await environment.edit_post(
                environment.middle[0], "The first of the middle, with another text"
            )
    published = [
        each
        for each in _published_before_loss(environment)
        if each.post_id not in environment.operator.edited
    ]
    await environment.wait_published(published)
    await _stop_workers(environment, workers)
    await _load(environment.cluster, dump, "clean")
    await _restart_workers(environment, workers)


def _published_before_loss(environment: LossEnvironment) -> Sequence[PlannedPost]:
    """Return the posts to publish before the loss: all in `middle` except the last two."""
    return environment.middle[:-2]


async def _stop_workers(environment: LossEnvironment, workers: Workers) -> None:
    if workers != "running":
        await environment.machine.stop(signal.SIGTERM if workers == "stopped" else signal.SIGKILL)


async def _restart_workers(environment: LossEnvironment, workers: Workers) -> None:
    if workers != "running":
        await environment.machine.start()


async def _dump(environment: LossEnvironment) -> Path:
    file = environment.scenario.folder / "database.dump"
    await environment.cluster.dump(file)
    return file


async def _load(cluster: Cluster, dump: Path, method: Method) -> None:
    if method == "recreate":
        await cluster.execute("DROP DATABASE roost WITH (FORCE)")
        await cluster.execute("CREATE DATABASE roost")
        await cluster.restore(dump)
        return
    for attempts_left in reversed(range(_MAX_ATTEMPTS)):
        try:
            await cluster.restore(dump, "--clean", "--if-exists")
        except ProgramFailed:
            if not attempts_left:
                raise
        else:
            return


async def _copy_elsewhere(environment: LossEnvironment, dump: Path, place: Place) -> Cluster:
    if place == "database":
        await environment.cluster.execute("CREATE DATABASE copy")
        await environment.cluster.restore(dump, database="copy")
        # The roles for the tables contain the database's name, so the copy needs new roles.
        await prepare_database(environment.cluster.url("copy"))
        return environment.cluster
    cluster = await environment.stack.enter_async_context(environment.host.cluster("second"))
    await _load(cluster, dump, "recreate")
    return cluster


async def _replace_data(cluster: Cluster, copy: Path) -> None:
    await cluster.stop("fast")
    await cluster.replace_data(copy)
    await cluster.start()
