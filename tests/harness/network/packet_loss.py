"""Workers on a network that loses packets: the list of cases, and a function to run one."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from harness.network.checker import ScheduleResult
from harness.network.environment import open_environment
from harness.network.lossy_network import LossyNetwork
from harness.network.schedules import Schedule
from harness.server import Server
from harness.workers import spawn_worker

_DUE_AFTER_S = 4.0
_SETTLE_TIMEOUT_S = 240.0
#: The kernel sends a lost packet again after 0.2, 0.4, 0.8 … s. If all packets are lost for some
#: seconds, the kernel therefore sends a packet successfully at the latest after twice this time.
_RETRANSMIT_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class PacketLossCase:
    """How packets are lost in one case: a percentage of all packets, or all creates."""

    name: str
    percent: int = 0
    """The percentage of packets that are lost, in both directions."""
    drop_creates_for_s: float = 0.0
    """The wall seconds from the due time in which all creates are lost, but no reads."""


def packet_loss_cases(network: LossyNetwork) -> Iterator[PacketLossCase]:
    """List cases of random loss, and of creates that the kernel sends after their deadline."""
    if not network.has_nft:
        # Without nftables, netem drops packets of the whole loopback device, so only this case is
        # possible.
        yield PacketLossCase("share/30%", percent=30)
        return
    for percent in (20, 40):
        yield PacketLossCase(f"share/{percent}%", percent)
    for seconds in (20, 27, 55, 85):
        yield PacketLossCase(f"creates/{seconds}s", drop_creates_for_s=seconds)


async def run_packet_loss_case(
    server: Server, network: LossyNetwork, case: PacketLossCase, *, wall: Mapping[str, str]
) -> list[ScheduleResult]:
    """Publish some posts over the lossy network, and check them. X accepts duplicates."""
    async with open_environment(server, wall=wall, refuse_duplicates=False) as environment:
        listening = network.listen()
        port = int(listening.getsockname()[1])
        if case.percent:
            await network.drop_packets(port, case.percent)
        start = partial(spawn_worker, command_prefix=network.command_prefix)
        worker = await environment.start_worker("lossy", start=start, listening=listening)
        await worker.wait_ready()
        schedules = (
            *(Schedule("plain"), Schedule("thread", parts=2), Schedule("image", has_image=True)),
            *((Schedule("second"), Schedule("third")) if case.percent else ()),
        )
        accounts = await environment.connect(len(schedules))
        if case.drop_creates_for_s:
            await network.drop_creates(port)
        for schedule, account in zip(schedules, accounts, strict=True):
            named = replace(schedule, name=f"loss/{case.name}/{schedule.name}")
            await environment.plan_post(named, account, timedelta(seconds=_DUE_AFTER_S))
        due_at = time.monotonic() + _DUE_AFTER_S
        if case.drop_creates_for_s:
            await asyncio.sleep(_DUE_AFTER_S + case.drop_creates_for_s)
            await network.stop_dropping(port)
        await environment.wait_settled(_SETTLE_TIMEOUT_S)
        # The kernel may still send a create of a post that is final, which makes a duplicate.
        arrives_at = due_at + _RETRANSMIT_FACTOR * case.drop_creates_for_s + 20
        await asyncio.sleep(max(0.0, arrives_at - time.monotonic()))
        return await environment.check_schedules()
