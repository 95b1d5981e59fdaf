"""Plays schedules in several worlds side by side and judges each."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from _cluster import Site
from _judge import Finding, judge
from _loss_judge import Harm, count_adopted, judge_loss
from _loss_list import Schedule
from _loss_world import World, open_world
from _rows import tell

from x_emulator.pytest_plugin import run_emulator


@dataclass(frozen=True)
class Play:
    """One schedule, with X's refusal of duplicates on or off."""

    schedule: Schedule
    refuses: bool

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.schedule.name} (X {'refuses' if self.refuses else 'takes'} duplicates)"


@dataclass(frozen=True)
class Verdict:
    """What came of a play."""

    play: Play
    harm: tuple[Harm, ...] = ()
    broken: str = ""
    """Why it could not be played to its end; empty: it was."""
    story: str = ""
    """Rows and ground truth of the posts that were harmed."""
    alerts: Counter[str] = field(default_factory=Counter)
    resumes: int = 0
    adopted: int = 0
    reconnected: int = 0
    asked: int = 0
    endings: tuple[str, ...] = ()
    """How the log of each worker ends that ended by itself."""
    findings: tuple[Finding, ...] = ()
    """What the judge of all benches finds besides."""
    seconds: float = 0.0


async def play_all(
    site: Site,
    folder: Path,
    plays: Sequence[Play],
    worlds: int,
    seed: int,
    report: Callable[[Verdict, int], None] = lambda verdict, done: None,
) -> list[Verdict]:
    """Play them in so many worlds side by side; `report` gets each verdict as it comes."""
    waiting = list(reversed(plays))
    verdicts: list[Verdict] = []

    async def work(number: int) -> None:
        with run_emulator("--scenario", "steady", "--seed", str(seed + number)) as url:
            while waiting:
                play, below = waiting.pop(), folder / f"world-{number}-{len(waiting)}"
                verdict = await _play(site, url, below, play)
                shutil.rmtree(below, ignore_errors=True)
                verdicts.append(verdict)
                report(verdict, len(verdicts))

    async with asyncio.TaskGroup() as group:
        for number in range(min(worlds, len(plays))):
            group.create_task(work(number))
    return verdicts


async def _play(site: Site, emulator_url: str, folder: Path, play: Play) -> Verdict:
    began = time.monotonic()
    schedule = play.schedule
    try:
        async with open_world(
            site, emulator_url, folder, wall=schedule.wall, refuses=play.refuses
        ) as world:
            try:
                await world.plan()
                await schedule.play(world)
                is_at_rest = await world.come_to_rest()
                return await _judge(world, play, is_at_rest, began)
            except Exception as error:
                logs = "\n".join(each.last_words() for each in world.scene.workers)
                error.add_note(logs)
                raise
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        broken = f"{type(error).__name__}: {error}\n{notes}"
        return Verdict(play, broken=broken, seconds=time.monotonic() - began)


async def _judge(world: World, play: Play, is_at_rest: bool, began: float) -> Verdict:
    loss = await world.as_loss()
    harm = judge_loss(loss)
    harmed = {each.post_id for each in harm}
    lines = [f"  {each.fault.value}: post {each.post_id}: {each.what}" for each in harm]
    for planned in loss.planned:
        if planned.post_id in harmed and planned.post_id in loss.rows:
            copies = [
                copy
                for position in range(1, len(planned.texts) + 1)
                for copy in loss.copies(planned, position)
            ]
            lines.append(tell(loss.rows[planned.post_id], copies))
    if harm:
        did = world.operator
        lines += [f"  resume ended with {code}: {output}" for code, output in did.resumes]
        lines += [f"  then {command}" for command in did.commands]
    if harm and not is_at_rest:
        lines += ["  it did not come to rest"]
        lines += [f"  {each.name}: {each.last_words()}" for each in world.scene.workers]
    return Verdict(
        play,
        tuple(harm),
        story="\n".join(lines),
        alerts=Counter(loss.alerts),
        resumes=len(world.operator.resumes),
        reconnected=world.operator.reconnected,
        adopted=count_adopted(loss) + world.operator.found,
        asked=sum(row.state == "needs_decision" for row in loss.rows.values()),
        endings=tuple(ending for each in world.machines for ending in each.endings),
        findings=tuple(judge(loss.as_case(), at_rest=False)),
        seconds=time.monotonic() - began,
    )
