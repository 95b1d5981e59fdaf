"""A process that uploads a file, stores each state, and kills itself after two segments."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import msgspec

from roost import x
from roost.clock import open_clock
from roost.x.media import UploadState


async def upload(url: str, path: Path, stored_at: Path, token: str) -> None:
    async def store(state: UploadState) -> None:
        stored_at.write_bytes(msgspec.json.encode(state))
        if len(state.acknowledged) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    clock_url, endpoint = f"{url}/_emulator/clock", x.XEndpoint(url)
    async with aiohttp.ClientSession() as session, open_clock(clock_url, endpoint) as clock:
        client = x.Client(x.FixedToken(token, endpoint), session=session, clock=clock)
        await x.media.upload(
            client,
            path,
            mime_type="image/png",
            category="tweet_image",
            segment_bytes=4 * 1024,
            on_state=store,
        )


if __name__ == "__main__":
    address, file, state_file = sys.argv[1:]
    asyncio.run(upload(address, Path(file), Path(state_file), sys.stdin.read()))
