"""Runs the writer against the model's server: hostile replies, good drafts, budgets, no model."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp

from harness.report import log_progress
from harness.writer import model_server
from harness.writer.cases import Case, assemble
from harness.writer.replies import Canary, PlannedReply, plan_replies, render_alone
from harness.writer.tally import Run, Tally, describe_refusal
from roost.agents.brief import Brief, Fact
from roost.agents.brief_lint import lint_brief
from roost.agents.budget import MemoryBudget
from roost.agents.model import ModelPrice
from roost.agents.openai_model import OpenAIModel
from roost.agents.writer import write_drafts
from roost.agents.written import Writing
from roost.errors import BriefInvalid

NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)
PRICE = ModelPrice(Decimal("0.15"), Decimal("0.60"))
TIMEOUT_S = 5.0
#: Lanes that run at the same time.
_AT_ONCE = 8
#: A run uses at most this number of replies: two calls with three attempts each.
_MAX_ATTEMPTS = 6
#: The number of calls of `write_drafts` that run at the same time and share one cap.
_UNDER_ONE_CAP = 4
#: The most rounds of these calls. Fewer rounds are made if the cap refuses a call earlier.
_MAX_ROUNDS = 10
_KEY = "sk-bench-0123456789abcdef"


@dataclass(frozen=True)
class ModelServer:
    """The running server of the model, and the session that controls its lanes."""

    url: str
    session: aiohttp.ClientSession

    async def set_replies(self, lane: str, specs: Sequence[dict[str, Any]]) -> None:
        """Give a lane its replies, and empty its log."""
        async with self.session.put(f"{self.url}/control/lanes/{lane}", json=specs) as response:
            response.raise_for_status()

    async def get_log(self, lane: str, since: int) -> list[dict[str, Any]]:
        """Return what happened to each request since a number of requests."""
        url = f"{self.url}/control/lanes/{lane}"
        async with self.session.get(url, params={"since": since}) as response:
            log: list[dict[str, Any]] = await response.json()
            return log

    def open_model(self, lane: str) -> OpenAIModel:
        """Return the client of a lane. As a context manager, it keeps its connections."""
        return OpenAIModel("bench", f"{self.url}/lanes/{lane}/v1", _KEY, TIMEOUT_S, PRICE)


@contextlib.asynccontextmanager
async def open_server() -> AsyncIterator[ModelServer]:
    """Run the server in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        model_server.__file__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        async with aiohttp.ClientSession() as session:
            yield ModelServer(f"http://127.0.0.1:{port}", session)
    finally:
        process.stdin.close()
        await process.wait()


async def run_hostile(server: ModelServer, cases: Sequence[Case], replies: int, seed: int) -> Tally:
    """Write drafts until the server has sent so many replies, half of them with a fault."""
    tally = Tally(PRICE)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def run_case(case: Case, count: int) -> None:
        async with gate:
            await _run_lane(server, case, plan_replies(case, count, seed, TIMEOUT_S), tally)
            log_progress(f"{case.slug}: {tally.runs} runs, {tally.invalid_drafts} invalid drafts")

    share, rest = divmod(replies, len(cases))
    async with asyncio.TaskGroup() as group:
        for index, case in enumerate(cases):
            group.create_task(run_case(case, share + (index < rest)))
    return tally


async def _run_lane(
    server: ModelServer, case: Case, planned: list[PlannedReply], tally: Tally
) -> None:
    # After the last reply, the server repeats it: it must be one that ends the run.
    last = PlannedReply(render_alone(case.drafts[0]), good_drafts=1)
    await server.set_replies(case.slug, [*(reply.spec for reply in planned), last.spec])
    used = 0
    async with server.open_model(case.slug) as model:
        while used < len(planned):
            canaries = [each.canary for each in planned[used : used + _MAX_ATTEMPTS] if each.canary]
            brief, writing = await _write(inject(case.brief, canaries), case, model, used)
            tally.refused_briefs += bool(canaries) and brief == case.brief
            log = await server.get_log(case.slug, used)
            if not log:
                raise RuntimeError(f"{case.slug}: write_drafts did not ask the model")
            replies = [*planned[used : used + len(log)]]
            replies += [last] * (len(log) - len(replies))
            tally.add(Run(case, brief, writing, replies, log, [each.word for each in canaries]))
            billed = sum(
                (PRICE.usd(entry["input_tokens"], entry["output_tokens"]))
                for entry in log
                if entry["billed"]
            )
            spent = sum((call.usd or Decimal(0)) for call in writing.calls)
            tally.unaccounted_usd += max(billed - spent, Decimal(0))
            used += len(log)


async def _write(brief: Brief, case: Case, model: OpenAIModel, seed: int) -> tuple[Brief, Writing]:
    """Write drafts. If the brief is refused for an injected instruction, use the clean brief."""
    try:
        return brief, await write_drafts(
            brief, model, recent_posts=case.recent_posts, now=NOW, seed=seed
        )
    except BriefInvalid:
        if brief == case.brief:
            raise
        return case.brief, await write_drafts(
            case.brief, model, recent_posts=case.recent_posts, now=NOW, seed=seed
        )


def inject(brief: Brief, canaries: Sequence[Canary]) -> Brief:
    """Return a brief with instructions to the model in a fact, and in an example."""
    facts = [each.command for each in canaries if each.in_fact]
    examples = [each.command for each in canaries if not each.in_fact]
    notes = tuple(
        Fact(id="note" if index == 0 else f"note{index}", text=text)
        for index, text in enumerate(facts)
    )
    return brief.model_copy(
        update={
            "facts": (*brief.facts, *notes),
            "examples": (*brief.examples, *examples),
        }
    )


@dataclass
class Precision:
    """How many drafts were refused or released with a doubt, each alone in its reply."""

    drafts: int = 0
    with_doubts: int = 0
    """Drafts that were released with a doubt."""
    refused: list[tuple[str, int, list[tuple[str, str]]]] = field(default_factory=list)
    """The brief, the draft's number, and the validators with their findings."""

    @property
    def without_doubt(self) -> int:
        """The number of drafts that were released without a doubt."""
        return self.drafts - len(self.refused) - self.with_doubts


async def run_good(server: ModelServer, cases: Sequence[Case]) -> Precision:
    """Let the model reply with one good draft at a time, as often as it is asked."""
    precision = Precision()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def run_case(case: Case) -> None:
        lane = f"good-{case.slug}"
        brief = case.brief.model_copy(update={"n": 1})
        async with gate, server.open_model(lane) as model:
            for number, draft in enumerate(case.drafts):
                await server.set_replies(lane, [render_alone(draft)])
                writing = await write_drafts(
                    brief, model, recent_posts=case.recent_posts, now=NOW, seed=number
                )
                precision.drafts += 1
                of_model = [each for each in writing.drafts if each.origin == "model"]
                precision.with_doubts += any(each.doubts for each in of_model)
                if not of_model:
                    text = " // ".join(assemble(draft, brief))
                    reasons = [
                        reason for each in writing.refused[:1] for reason in describe_refusal(each)
                    ] or [(str([call.error for call in writing.calls]), text)]
                    precision.refused.append((case.slug, number, reasons))

    async with asyncio.TaskGroup() as group:
        for case in cases:
            group.create_task(run_case(case))
    return precision


@dataclass
class Spending:
    """What was spent under a cap, as the server counted it."""

    caps: int = 0
    overshoot_usd: Decimal = Decimal(0)
    overshoot_tokens: int = 0
    stopped: int = 0
    """Caps that refused a call, so that the cap was tested."""
    without_draft: int = 0
    spent_share: list[float] = field(default_factory=list)


async def run_budgets(server: ModelServer, cases: Sequence[Case], seed: int) -> Spending:
    """Write drafts of a brief in parallel under one cap until the cap refuses calls."""
    spending = Spending()
    for index, case in enumerate(cases):
        in_tokens = index % 3 == 2
        lane = f"budget-{case.slug}"
        planned = plan_replies(case, 40, seed + 1, TIMEOUT_S)
        await server.set_replies(lane, [each.spec for each in planned])
        max_tokens, max_usd = 40_000, Decimal("0.01")
        budget = MemoryBudget(max_tokens if in_tokens else None, None if in_tokens else max_usd)
        errors: set[str] = set()
        async with server.open_model(lane) as model:
            for number in range(_MAX_ROUNDS):
                if "model_budget_exceeded" in errors:
                    break
                writings = await asyncio.gather(
                    *(
                        write_drafts(
                            case.brief,
                            model,
                            recent_posts=case.recent_posts,
                            budget=budget,
                            now=NOW,
                            seed=number,
                        )
                        for _ in range(_UNDER_ONE_CAP)
                    )
                )
                errors |= {call.error for writing in writings for call in writing.calls}
                spending.without_draft += sum(not writing.drafts for writing in writings)
        billed = [each for each in await server.get_log(lane, 0) if each["billed"]]
        tokens = sum(each["input_tokens"] + each["output_tokens"] for each in billed)
        usd = sum(
            (PRICE.usd(each["input_tokens"], each["output_tokens"]) for each in billed), Decimal(0)
        )
        spending.caps += 1
        spending.stopped += "model_budget_exceeded" in errors
        if in_tokens:
            spending.overshoot_tokens += max(tokens - max_tokens, 0)
            spending.spent_share.append(tokens / max_tokens)
        else:
            spending.overshoot_usd += max(usd - max_usd, Decimal(0))
            spending.spent_share.append(float(usd / max_usd))
    return spending


async def run_composer(cases: Sequence[Case], rounds: int) -> tuple[int, float]:
    """Write drafts without a model. Returns their number and the seconds of CPU time."""
    count = 0
    start = time.process_time()
    for number in range(rounds):
        for case in cases:
            writing = await write_drafts(
                case.brief, None, recent_posts=case.recent_posts, now=NOW, seed=number
            )
            count += len(writing.drafts)
    return count, time.process_time() - start


def find_lint_errors(cases: Sequence[Case]) -> dict[str, str]:
    """Return the errors that the lint finds in briefs that have none, by the brief's name."""
    return {
        case.slug: finding.message
        for case in cases
        for finding in lint_brief(case.brief, today=NOW.date())
        if finding.is_error
    }
