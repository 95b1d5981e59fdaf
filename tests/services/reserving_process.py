"""A process that reserves and settles calls to a model until its budget refuses one."""

import asyncio
import sys
from decimal import Decimal

from roost.agents.errors import ModelBudgetExceeded
from roost.models import TenantId
from roost.runtime import open_runtime
from roost.services.drafts.budget import TenantBudget
from roost.settings import read_settings


async def main() -> None:
    async with open_runtime(read_settings()) as runtime:
        budget = TenantBudget(runtime, TenantId(int(sys.argv[1])), "small")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)

        async def call() -> int:
            made = 0
            while True:
                try:
                    reservation = await budget.reserve(100, Decimal("0.10"))
                except ModelBudgetExceeded:
                    return made
                made += 1
                await budget.settle(reservation, 60, Decimal("0.07"))

        sys.stdout.write(str(sum(await asyncio.gather(*(call() for _ in range(4))))))


asyncio.run(main())
