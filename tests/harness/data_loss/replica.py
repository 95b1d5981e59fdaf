"""An asynchronous streaming replica with a fixed lag, to which tests can fail over."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from harness.data_loss.cluster import Cluster
from harness.data_loss.forwarder import Forwarder, open_forwarder

_STREAMING = "SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'"


@dataclass
class Replica:
    """A standby server, and the slow link over which it receives the primary's log."""

    cluster: Cluster
    primary: Cluster
    link: Forwarder

    async def wait_caught_up(self) -> None:
        """Wait until the standby has replayed all present commits of the primary."""
        ((position,),) = await self.primary.execute("SELECT pg_current_wal_lsn()")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        async with asyncio.timeout(60):
            while not (await self.cluster.execute(query))[0][0]:
                await asyncio.sleep(0.05)

    async def fail_over(self) -> None:
        """Crash the primary and promote the standby; data that is still on the link is lost."""
        self.link.retarget(None)
        await self.primary.stop("immediate")
        await self.cluster.promote()


@contextlib.asynccontextmanager
async def open_replica(primary: Cluster, lag_s: float) -> AsyncIterator[Replica]:
    """Run a replica that receives each commit `lag_s` wall seconds after the primary."""
    cluster = Cluster(primary.host, primary.host.new_data())
    async with open_forwarder(primary.socket, lag_s) as link:
        socket_folder = str(primary.socket.parent)
        try:
            await primary.host.run(
                "pg_basebackup",
                *(f"--pgdata={cluster.data}", f"--host={socket_folder}", f"--port={primary.port}"),
                *("--username=postgres", "--checkpoint=fast", "--wal-method=stream", "--no-sync"),
                as_server=True,
            )
            (cluster.data / "standby.signal").touch()
            with (cluster.data / "postgresql.auto.conf").open("a") as file:
                file.write(f"primary_conninfo = 'host=127.0.0.1 port={link.port} user=postgres'\n")
            await cluster.start()
            async with asyncio.timeout(60):
                while not await cluster.execute(_STREAMING):
                    await asyncio.sleep(0.05)
            yield Replica(cluster, primary, link)
        finally:
            await cluster.remove()
