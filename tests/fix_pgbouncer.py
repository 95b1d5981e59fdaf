"""Runs PgBouncer in front of a test's database.

Tests with the mark `needs_pgbouncer` are skipped if PgBouncer is not installed.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from fix_processes import until

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")

needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")

_SETTINGS = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {pool_size}
server_round_robin = {round_robin}
max_client_conn = 200
"""


@contextlib.asynccontextmanager
async def pgbouncer(
    database_url: str, mode: str, *, pool_size: int = 60, round_robin: int = 0
) -> AsyncIterator[str]:
    """Run PgBouncer in the pool mode `mode`; yield the database's URL through PgBouncer."""
    assert PROGRAM is not None
    server = conninfo_to_dict(database_url)
    host = str(server["host"])
    # PgBouncer runs as the owner of PostgreSQL's socket, because no other user may use the socket.
    # PgBouncer does not run as root.
    owner = Path(host).stat()
    with socket.create_server(("127.0.0.1", 0)) as found:
        listen_port = found.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="roost-pgbouncer-"))
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _SETTINGS.format(
            host=host, port=server["port"], user=server["user"], listen_port=listen_port, mode=mode,
            pool_size=pool_size, round_robin=round_robin,
        )
    )  # fmt: skip
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, owner.st_uid, owner.st_gid)
        settings.chmod(0o644)
        as_user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": ()}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, str(settings), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            **as_user,
        )  # fmt: skip

    async def listens() -> bool:
        assert process.returncode is None, (folder / "log").read_text()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", listen_port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(listens)
        yield f"postgresql://{server['user']}@127.0.0.1:{listen_port}/{server['dbname']}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)
