"""Runs the computing of a report in a child process, so that requests and posts do not wait."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from roost.child_environment import child_environment
from roost.errors import Broken
from roost.models import NarrativeSource, ReportOptions, TenantId

#: Limit in wall time. A report on a thousand posts takes a few seconds.
_TIMEOUT_S: Final = 300


class ReportNotMade(Broken):
    """The process that computes or renders a report failed or timed out."""

    did = "No report was made."
    default_next = "Try again. If making the report fails repeatedly, report the message as a bug."


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """The model that may word the narratives, and how much of it the tenant may use in a month."""

    name: str
    url: str | None
    key: str | None = field(repr=False)
    timeout_s: float
    max_tokens: int | None
    max_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class MakeRequest:
    """The report to make. A process gets it on standard input, because it contains secrets."""

    conninfo: str = field(repr=False)
    """The connection string of the database; it may contain a password."""
    tenant_id: TenantId
    zone: str
    first: date
    last: date
    now: datetime
    options: ReportOptions
    model: ModelAccess | None = None


@dataclass(frozen=True, slots=True)
class MadeDocument:
    """What the making process returns."""

    document: bytes
    """The packed document."""
    narratives: tuple[NarrativeSource, ...]


async def run_child(module: str, content: bytes, *, variables: Sequence[str] = ()) -> bytes:
    """Run a module of Roost in a fresh interpreter; write `content` to it, return its output.

    The process gets libpq's environment variables, because the database's URL may depend on them,
    and the `variables`.
    Raises: ReportNotMade.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=child_environment("PG", *variables),
    )  # fmt: skip
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            output, errors = await process.communicate(content)
    except TimeoutError:
        raise ReportNotMade(f"Making the report took longer than {_TIMEOUT_S} s.") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        # The last line names the error. Earlier lines are not used, as they may quote a post.
        lines = errors.decode(errors="replace").strip().splitlines() or ["no output"]
        name = lines[-1].partition(":")[0].rpartition(".")[2]
        raise ReportNotMade(f"Making the report failed with {name}.")
    return output
