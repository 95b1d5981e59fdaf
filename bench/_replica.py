"""An asynchronous streaming replica of a cluster that is a given time behind, and its promotion."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from _cluster import Cluster
from _forwarder import Forwarder, forwarding

_STREAMING = "SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'"


@dataclass
class Replica:
    """A standby and the slow link over which it reads the primary's log."""

    cluster: Cluster
    primary: Cluster
    link: Forwarder

    async def has_caught_up(self) -> None:
        """Return once it has replayed all that the primary has committed so far."""
        ((position,),) = await self.primary.execute("SELECT pg_current_wal_lsn()")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        async with asyncio.timeout(60):
            while not (await self.cluster.execute(query))[0][0]:
                await asyncio.sleep(0.05)

    async def take_over(self) -> None:
        """The primary dies, and what is still on the link is lost; the standby is promoted."""
        self.link.lead_to(None)
        await self.primary.stop("immediate")
        await self.cluster.promote()


@contextlib.asynccontextmanager
async def replicating(primary: Cluster, lag_s: float) -> AsyncIterator[Replica]:
    """A replica that receives each commit so many wall seconds late."""
    cluster = Cluster(primary.site, primary.site.new_data())
    async with forwarding(primary.socket, lag_s) as link:
        socket_folder = str(primary.socket.parent)
        try:
            await primary.site.run(
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
