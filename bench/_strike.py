"""One crash played in a world: posts are due, a worker falls silent at a point, others go on."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from _cells import DUPLICATE, Blow, Cell, Kind
from _ground import Ground
from _judge import Case, Planned, PostRow, judge
from _rows import tell
from _scene import Scene, open_scene
from _workers import Worker
from PIL import Image

from fix_processes import QUICK, until
from roost.models import NO_OPTIONS, Integration, PartOptions, Poll, TweetId
from x_emulator.pytest_plugin import run_emulator

#: Emulated seconds in one wall second: X's lag and the pauses between reads pass quickly.
RATE = 20
#: Workers in a world: one falls silent, another is there.
WORKERS = 2


@dataclass(frozen=True)
class Verdict:
    """What came of a crash."""

    cell: Cell
    wrong: tuple[str, ...]
    """Each broken promise; none: it went right."""
    asked: int
    """Posts that went to a person."""
    lock_held: bool = False
    """Whether the silent worker held the account when it fell silent."""
    fault_unmet: bool = False
    """Whether the answer that was to befall a request never did."""
    end_s: float = 0.0
    """Wall seconds that the woken worker took to end when it was asked to."""
    story: str = ""
    """Rows and truth, where something is wrong."""


async def play_all(
    ground: Ground,
    cells: Sequence[Cell],
    worlds: int,
    tell: Callable[[Verdict, int], None] = lambda verdict, done: None,
) -> list[Verdict]:
    """Play crashes in so many worlds side by side; `tell` hears of each as it is judged."""
    waiting = list(reversed(cells))
    verdicts: list[Verdict] = []

    async def go_on(world: int) -> None:
        async with contextlib.AsyncExitStack() as stack:
            url = stack.enter_context(run_emulator("--scenario", "steady", "--seed", str(world)))
            database = await stack.enter_async_context(ground.database())
            folder = ground.folder / f"world_{world}"
            scene = await stack.enter_async_context(open_scene(database, url, folder, wall=QUICK))
            await scene.emulator.control("clock", rate=RATE)
            await scene.emulator.switch(tier="enterprise")
            while waiting:
                verdict = await play(scene, waiting.pop())
                verdicts.append(verdict)
                tell(verdict, len(verdicts))

    await asyncio.gather(*(go_on(world) for world in range(min(worlds, len(cells)))))
    return verdicts


async def play(scene: Scene, cell: Cell) -> Verdict:
    """Play one crash and judge it."""
    await scene.fill_up(WORKERS)
    account = await scene.connect(f"cell_{cell.number}")
    wrong: list[str] = []
    held, struck, end_s = False, None, 0.0
    planned = await _set_up(scene, cell, account)
    posts = [each.post_id for each in planned]

    async def is_decided() -> bool:
        return await scene.trap.has_sprung() or await scene.are_final(posts)

    await scene.go_on_until(is_decided, within=60)
    with contextlib.suppress(TimeoutError):
        # A worker may be between the post's last commit and the point behind it.
        await until(scene.trap.has_sprung, within=5)
    if not await scene.trap.has_sprung():
        scene.trap.disarm()
        wrong.append("no worker came to the point")
    else:
        struck = await _struck(scene, cell.blow)
        held = cell.blow is not Blow.KILL and await scene.holds(struck, account)
        match cell.blow:
            case Blow.KILL:
                await struck.ended()
            case Blow.STOP:
                wrong += await _wait_beside(scene, cell, account, held)
                struck.send(signal.SIGCONT)
            case Blow.STOP_ENDED:
                if not await scene.end_sessions(struck):
                    wrong.append("the stopped worker had no session to end")
                if not await scene.settled(posts):
                    wrong.append("nobody took over from the stopped worker")
                end_s, silent = await _wake(scene, struck)
                wrong += silent
    if not await scene.settled(posts):
        wrong.append("the posts come to no end")
    wrong += [
        f"{worker.name} ended by itself; {worker.last_words()}"
        for worker in scene.workers
        if worker.has_ended and worker is not struck
    ]
    unmet = bool(await scene.faults_left())
    await scene.emulator.clear_faults()
    verdict = await _judge(scene, cell, planned, wrong)
    return replace(verdict, lock_held=held, fault_unmet=unmet, end_s=end_s)


async def _set_up(scene: Scene, cell: Cell, account: Integration) -> list[Planned]:
    """Arm the trap and the faults, and let three posts' parts be due."""
    name = f"{account.username}:"
    image = scene.folder / f"{account.username}.png"
    Image.new("RGB", (64, 64), (cell.number % 256, cell.number // 256, 90)).save(image)
    first, second, later = f"{name} first of two", f"{name} second of two", timedelta(seconds=2)
    for text, stands_on_x in ((first, cell.answer is DUPLICATE), (second, cell.is_of_the_end)):
        if stands_on_x:
            await scene.post_by_hand(account, text)
            await scene.emulator.jump(seconds=3600)
    if cell.subject == "refresh":
        await scene.emulator.jump(hours=2)
    if cell.subject == "read":
        # X commits, and its answer is lost: only the timeline can tell.
        await scene.emulator.fail("create_post", "after", "drop")
    if cell.answer.kind:
        await scene.emulator.fail(cell.operation, cell.answer.when, cell.answer.kind)
    scene.trap.arm(cell.point.value, signal.SIGKILL if cell.blow is Blow.KILL else signal.SIGSTOP)
    options = await _options(scene, cell, account)
    carried = image if cell.kind in {Kind.PLAIN, Kind.REPLY} else None
    thread = await scene.plan(account, first, second, after=later, media=carried, options=options)
    alone = await scene.plan(account, f"{name} on its own", after=later + timedelta(seconds=1))
    return [thread, alone]


async def _options(scene: Scene, cell: Cell, account: Integration) -> PartOptions:
    """What the thread's first part is; somebody else's post is made where it needs one."""
    match cell.kind:
        case Kind.PLAIN:
            return NO_OPTIONS
        case Kind.POLL:
            return PartOptions(poll=Poll(("Yes", "No"), timedelta(days=1)))
        case Kind.REPLY | Kind.QUOTE:
            other = (await scene.emulator.users())[0]["username"]
            text = f"What of it, @{account.username}?"
            named = TweetId((await scene.emulator.act("post", username=other, text=text))["id"])
            is_reply = cell.kind is Kind.REPLY
            return PartOptions(reply_to=named) if is_reply else PartOptions(quote_of=named)


async def _struck(scene: Scene, blow: Blow) -> Worker:
    """The worker that fell silent."""
    found: list[Worker] = []

    async def look() -> bool:
        found[:] = [
            each
            for each in scene.workers
            if (each.has_ended if blow is Blow.KILL else each.is_stopped)
        ]
        return bool(found)

    await until(look)
    return found[0]


async def _wait_beside(scene: Scene, cell: Cell, account: Integration, held: bool) -> list[str]:
    """Let the others live on for long enough to have taken over, if they might.

    A post of another account, due when the stopped worker counts as dead and its attempt's
    deadline is over, shows that they do. Nothing may have been sent for the silent one's account.
    """
    wrong = []
    before = await _creates(scene, account)
    beside = await scene.connect(f"beside_{cell.number}")
    wall = float(scene.environment["ROOST_WORKER_TIMEOUT_S"]) + float(
        scene.environment["ROOST_CREATE_TIMEOUT_S"]
    )
    witness = await scene.plan(
        beside, f"{beside.username} is on time", after=timedelta(seconds=(wall + 0.5) * RATE)
    )
    if not await scene.settled([witness.post_id]):
        wrong.append("the other worker does nothing for other accounts")
    if held and await _creates(scene, account) != before:
        wrong.append("a second worker sent for an account that the stopped one holds")
    return wrong


async def _creates(scene: Scene, account: Integration) -> int:
    told = (await scene.truth("requests"))["requests"]
    return sum(
        each["operation"] == "create_post" and each["user"] == account.x_user_id for each in told
    )


async def _wake(scene: Scene, worker: Worker) -> tuple[float, list[str]]:
    """Wake a worker whose sessions were ended; once it has come to itself, it is asked to end.

    How many seconds that took it, and what was wrong with it.
    """
    worker.send(signal.SIGCONT)

    async def is_back() -> bool:
        return worker.has_ended or await scene.sessions_of(worker) > 0

    silent, asked_at = "did not come back to the database", time.monotonic()
    try:
        await until(is_back)
        silent, asked_at = "did not end when it was asked to", time.monotonic()
        worker.send(signal.SIGTERM)
        await worker.ended(within=120)
    except TimeoutError:
        worker.send(signal.SIGKILL)
        await worker.ended()
        return 0.0, [f"the woken worker {silent}; {worker.last_words()}"]
    return time.monotonic() - asked_at, []


async def _judge(scene: Scene, cell: Cell, planned: Sequence[Planned], wrong: list[str]) -> Verdict:
    rows = await scene.rows()
    truth = await scene.on_x()
    mine = {each.post_id: rows[each.post_id] for each in planned}
    on_x = [each for each in truth if each.user_id == planned[0].user_id]
    case = Case(planned, mine, on_x)
    wrong += [f"{each.wrong.value}: {each.what}" for each in judge(case)]
    wrong += _unmet(cell, mine.values())
    asked = sum(row.state == "needs_decision" for row in mine.values())
    story = "\n".join(tell(row, on_x) for row in mine.values()) if wrong else ""
    return Verdict(cell, tuple(wrong), asked, story=story)


def _unmet(cell: Cell, rows: Iterable[PostRow]) -> list[str]:
    """What every crash of this kind has to end in, besides keeping the promise."""
    if cell.answer is DUPLICATE:
        return []
    right = {"published"}
    if cell.is_of_the_end:
        # A hand's post in its way: X refuses the part, or takes an attempt to be its repetition.
        right |= {"partly_published", "needs_decision"}
    return [
        f"post {row.id} is {row.state}, though X hid nothing for long: {row.reason}"
        for row in rows
        if row.state not in right
    ]
