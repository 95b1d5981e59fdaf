import asyncio, sys, signal
from fix_publishing import *
import pytest, time as wall
@pytest.mark.parametrize("n", range(20))
async def test_dbg(desk: Desk, tmp_path, n):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-X", "faulthandler", "-m", "roost", "worker", "--json",
        env=environment_of(desk.house.settings), cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    await process.stdout.readline()
    await asyncio.sleep(0.015 * n)
    process.send_signal(signal.SIGTERM)
    t = wall.monotonic()
    try:
        async with asyncio.timeout(6):
            await process.wait()
        print(n, "ended", process.returncode, wall.monotonic() - t)
    except TimeoutError:
        process.send_signal(signal.SIGABRT)
        out, err = await process.communicate()
        print(n, "HUNG", err.decode()[-3000:])
