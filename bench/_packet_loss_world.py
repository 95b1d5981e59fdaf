"""A worker on a network that loses packets: which cases there are, and how one is played."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from _ground import Ground
from _net_judge import Verdict
from _net_schedules import Schedule
from _net_world import open_world
from _packet_loss import LossyNetwork
from _workers import spawn_worker

_DUE_AFTER_S = 4.0
_WITHIN_S = 240.0
#: The kernel sends again after 0.2, 0.4, 0.8 … s: what it was held from sending is sent within
#: the time it was held, once more.
_SENDS_AGAIN = 2.0


@dataclass(frozen=True, slots=True)
class LossCase:
    """How packets are lost."""

    name: str
    percent: int = 0
    """Of all packets, in both directions."""
    creates_for_s: float = 0.0
    """From the due time on, for so many wall seconds, every create's; reads pass."""


def loss_cases(network: LossyNetwork) -> Iterator[LossCase]:
    """Chance, and creates that stay in the kernel beyond their deadline."""
    if not network.has_nft:
        # All of the loopback loses at once, so there is one case.
        yield LossCase("share/30%", percent=30)
        return
    for percent in (20, 40):
        yield LossCase(f"share/{percent}%", percent)
    for seconds in (20, 27, 55, 85):
        yield LossCase(f"creates/{seconds}s", creates_for_s=seconds)


async def play_loss(
    ground: Ground, network: LossyNetwork, case: LossCase, *, wall: Mapping[str, str]
) -> list[Verdict]:
    """Play one case: X takes every duplicate."""
    async with open_world(ground, wall=wall, refuses=False) as world:
        listening = network.listen()
        port = int(listening.getsockname()[1])
        if case.percent:
            await network.lose(port, case.percent)
        start = partial(spawn_worker, before=network.before)
        worker = await world.start_worker("lossy", start=start, listening=listening)
        await worker.ready()
        kinds = (
            *(Schedule("plain"), Schedule("thread", parts=2), Schedule("image", has_image=True)),
            *((Schedule("second"), Schedule("third")) if case.percent else ()),
        )
        accounts = await world.connect(len(kinds))
        if case.creates_for_s:
            await network.lose_creates(port)
        for kind, account in zip(kinds, accounts, strict=True):
            named = Schedule(
                f"loss/{case.name}/{kind.name}", parts=kind.parts, has_image=kind.has_image
            )
            await world.plan(named, account, timedelta(seconds=_DUE_AFTER_S))
        due_at = time.monotonic() + _DUE_AFTER_S
        if case.creates_for_s:
            await asyncio.sleep(_DUE_AFTER_S + case.creates_for_s)
            await network.lose_nothing(port)
        await world.settled(_WITHIN_S)
        # What the kernel still holds is part of the case, however the post ended.
        arrives_at = due_at + _SENDS_AGAIN * case.creates_for_s + 20
        await asyncio.sleep(max(0.0, arrives_at - time.monotonic()))
        return await world.verdicts()
