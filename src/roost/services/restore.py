"""Notices that the database is a restored copy: its story ends before what this machine has seen.

A mark in `ROOST_HOME` holds the database's own number and its last event. A fail-over to an
asynchronous replica shows the same way.
"""

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from roost.house import House


class Mark(msgspec.Struct, frozen=True):
    """How far a database's story had gone."""

    system_id: str
    last_event: int
    last_at: datetime | None


_MARK: Final = msgspec.json.Decoder(Mark)


def mark_file(home: Path) -> Path:
    """Where the mark lies."""
    return home / "database-mark.json"


def is_restored(kept: Mark, found: Mark) -> bool:
    """Whether the database cannot be the one that was marked, gone on."""
    return kept.system_id != found.system_id or kept.last_event > found.last_event


async def read_mark(house: House) -> Mark:
    """How far the database's story goes now."""
    async with house.database.statements(None) as transaction:
        row = await transaction.run_one("find_mark")
    assert row is not None
    return Mark(row["system_id"], row["last_event"] or 0, row["last_at"])


async def find_restored(house: House) -> Mark | None:
    """The mark of a database that was restored since this machine saw it last; None: it was not."""
    found = await read_mark(house)
    try:
        kept = _MARK.decode(
            await asyncio.to_thread(mark_file(house.settings.roost_home).read_bytes)
        )
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return found if is_restored(kept, found) else None


async def keep_mark(house: House, before: Mark | None) -> Mark:
    """Write the mark down where the story has gone on since `before`; the mark as it is now."""
    found = await read_mark(house)
    if found != before:
        await asyncio.to_thread(_write, mark_file(house.settings.roost_home), found)
    return found


def _write(path: Path, mark: Mark) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # By its own name: another worker of this machine may write at this moment.
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(msgspec.json.encode(mark))
    fresh.replace(path)
