"""The schedules: how the data is lost, what the workers do meanwhile, who starts first after it.

Each copies the database after the first posts are out, publishes more, loses what came after the
copy, and brings workers back. What an operator does then is the world's business.
"""

import shutil
import signal
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from _cluster import Cluster, ProgramFailed
from _judge import Planned
from _loss_world import World, count_attempts
from _replica import replicating

from fix_postgres import app_url
from fix_processes import until
from roost.store.schema import prepare_database

Workers = Literal["running", "stopped", "killed"]
"""What the workers do while the data is lost: a stopped one had a clean stop."""
Method = Literal["recreate", "clean"]
"""DROP and CREATE DATABASE, or `pg_restore --clean` into the database that is there."""
Place = Literal["database", "cluster"]
"""Where a copy is: another database of the same cluster, or another cluster."""
Home = Literal["same", "fresh"]
Change = Literal["moved", "cancelled", "edited"]
#: A restore under running workers may meet deadlocks; an operator repeats it.
_MOST_TRIES = 20


async def fail_over(lag_s: float, workers: Workers, world: World) -> None:
    replica = await world.stack.enter_async_context(replicating(world.cluster, lag_s))
    await world.publish_early()
    await replica.has_caught_up()
    await world.reach(_published(world))
    await _end(world, workers)
    await replica.take_over()
    world.address.lead_to(replica.cluster.socket)
    await _start_again(world, workers)


async def fail_over_with_old_watermark(lag_s: float, world: World) -> None:
    """The replica loses less than the watermark has missed."""
    replica = await world.stack.enter_async_context(replicating(world.cluster, lag_s))
    await world.publish_early()
    await replica.has_caught_up()
    watermark = world.machine.watermark()
    seen = watermark.stat().st_mtime_ns

    async def is_new() -> bool:
        return watermark.stat().st_mtime_ns != seen

    await until(is_new)
    await world.reach(_published(world))
    await _end(world, "killed")
    await replica.take_over()
    world.address.lead_to(replica.cluster.socket)
    await _start_again(world, "killed")


async def restore_dump(method: Method, workers: Workers, world: World) -> None:
    await world.publish_early()
    dump = await _dump(world)
    await world.reach(_published(world))
    await _end(world, workers)
    await _load(world.cluster, dump, method)
    await _start_again(world, workers)


async def restore_old_tokens(world: World) -> None:
    """Refresh tokens work once, and those of the backup were used after it."""
    await world.publish_early()
    await world.scene.run(
        "UPDATE roost.integrations"
        " SET metadata = metadata || jsonb_build_object('tokenExpiresAt', %s::text)",
        world.scene.runtime.clock.now().isoformat(),
    )
    dump = await _dump(world)
    await world.reach(_published(world))
    await world.machine.end(signal.SIGTERM)
    await _load(world.cluster, dump, "clean")
    await world.machine.start()


async def restore_files(workers: Workers, world: World) -> None:
    await world.publish_early()
    copy = await world.cluster.copy_data()
    await world.reach(_published(world))
    await _end(world, workers)
    await _replace_data(world.cluster, copy)
    await _start_again(world, workers)


async def restore_snapshot(workers: Workers, world: World) -> None:
    """Home and data are put back from one snapshot, taken while the workers ran or after a stop."""
    machine, saved = world.machine, world.scene.folder / "home-snapshot"
    await world.publish_early()
    if workers == "stopped":
        await machine.end(signal.SIGTERM)
    else:
        for worker in machine.workers:
            worker.send(signal.SIGSTOP)
    copy = await world.cluster.copy_data()
    machine.copy_home(saved)
    if workers == "stopped":
        await machine.start()
    else:
        for worker in machine.workers:
            worker.send(signal.SIGCONT)
    await world.reach(_published(world))
    await _end(world, workers)
    machine.replace_home(saved)
    await _replace_data(world.cluster, copy)
    await machine.start()


async def use_copy(place: Place, home: Home, world: World) -> None:
    """The original is shut down, and a dump of it is used in another place."""
    await world.publish_early()
    dump = await _dump(world)
    await world.reach(_published(world))
    await world.machine.end(signal.SIGTERM)
    cluster = await _copy_elsewhere(world, dump, place)
    if place == "cluster":
        world.address.lead_to(cluster.socket)
    else:
        await world.use(world.scene.admin_url.replace("/roost", "/copy"))
    if home == "fresh":
        # Nothing of the old home but the media folder, which goes with each copy of a database.
        fresh = world.scene.folder / "home-fresh"
        fresh.mkdir(mode=0o700)
        shutil.copytree(world.machine.home / "media", fresh / "media")
        world.machine.home = fresh
    world.must_alert = True
    world.attempts_copied = await count_attempts(world.scene.admin_url)
    await world.machine.start()


async def use_copy_beside(place: Place, home: Home, world: World) -> None:
    """A dump is used in another place while the original goes on."""
    await world.publish_early()
    cluster = await _copy_elsewhere(world, await _dump(world), place)
    world.copy_url = cluster.url("roost" if place == "cluster" else "copy")
    world.must_alert = True
    world.attempts_copied = await count_attempts(world.copy_url)
    folder = world.machine.home if home == "same" else None
    await world.another_machine("copy", folder, app_url(world.copy_url)).start()


async def spoil_watermark(keep: float, restored: bool, world: World) -> None:
    """Only this share of the watermark's bytes is left, with and without a restored database."""
    await world.publish_early()
    dump = await _dump(world)
    await world.reach(_published(world))
    await world.machine.end(signal.SIGKILL)
    if restored:
        await _load(world.cluster, dump, "clean")
    watermark = world.machine.watermark()
    content = watermark.read_bytes()
    watermark.write_bytes(content[: int(len(content) * keep)])
    world.must_alert = True
    await world.machine.start()


async def another_machine_first(
    home: Literal["fresh", "older"], world: World, *, join: bool
) -> None:
    """After a restore a machine starts that has seen less than the dump holds."""
    await world.publish_early()
    older = world.scene.folder / "home-older"
    if home == "older":
        world.machine.copy_home(older)
        await world.reach(world.middle[:2])
    dump = await _dump(world)
    await world.reach(_published(world))
    await world.machine.end(signal.SIGTERM)
    await _load(world.cluster, dump, "clean")
    other = world.another_machine("other", older if home == "older" else None)
    await other.start()
    if join:
        ids = [each.post_id for each in _published(world)]

        async def has_worked() -> bool:
            return await world.scene.are_final(ids)

        await world.scene.go_on_until(has_worked, within=30)
        await world.machine.start()


async def restore_after(change: Change, workers: Workers, world: World) -> None:
    """A person changes a post after the backup."""
    await world.publish_early()
    dump = await _dump(world)
    match change:
        case "moved":
            await world.move(world.late[0], timedelta(minutes=5))
            await world.reach([world.late[0]])
        case "cancelled":
            await world.cancel(world.late[1])
        case "edited":
            await world.edit(world.middle[0], "The first of the middle, with another text")
    published = [each for each in _published(world) if each.post_id not in world.operator.edited]
    await world.reach(published)
    await _end(world, workers)
    await _load(world.cluster, dump, "clean")
    await _start_again(world, workers)


def _published(world: World) -> Sequence[Planned]:
    """The posts that are out before the loss: all of the middle but the last two."""
    return world.middle[:-2]


async def _end(world: World, workers: Workers) -> None:
    if workers != "running":
        await world.machine.end(signal.SIGTERM if workers == "stopped" else signal.SIGKILL)


async def _start_again(world: World, workers: Workers) -> None:
    if workers != "running":
        await world.machine.start()


async def _dump(world: World) -> Path:
    file = world.scene.folder / "database.dump"
    await world.cluster.dump(file)
    return file


async def _load(cluster: Cluster, dump: Path, method: Method) -> None:
    if method == "recreate":
        await cluster.execute("DROP DATABASE roost WITH (FORCE)")
        await cluster.execute("CREATE DATABASE roost")
        await cluster.restore(dump)
        return
    for left in reversed(range(_MOST_TRIES)):
        try:
            await cluster.restore(dump, "--clean", "--if-exists")
        except ProgramFailed:
            if not left:
                raise
        else:
            return


async def _copy_elsewhere(world: World, dump: Path, place: Place) -> Cluster:
    if place == "database":
        await world.cluster.execute("CREATE DATABASE copy")
        await world.cluster.restore(dump, database="copy")
        # Under another name the tables get roles of their own.
        await prepare_database(world.cluster.url("copy"))
        return world.cluster
    cluster = await world.stack.enter_async_context(world.site.cluster("second"))
    await _load(cluster, dump, "recreate")
    return cluster


async def _replace_data(cluster: Cluster, copy: Path) -> None:
    await cluster.stop("fast")
    await cluster.replace_data(copy)
    await cluster.start()
