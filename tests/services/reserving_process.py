"""A process that reserves and settles calls to a model until its budget refuses one."""

import asyncio
import sys
from decimal import Decimal

from roost.agents.errors import ModelBudgetExceeded
from roost.model_budget import TenantBudget
from roost.models import TenantId
from roost.runtime import open_runtime
from roost.settings import read_settings


async def main() -> None:
    async with open_runtime(read_settings()) as runtime:
        settings = runtime.settings
        budget = TenantBudget(
            runtime.database,
            TenantId(int(sys.argv[1])),
            "small",
            max_tokens=settings.model_tokens_per_month,
            max_usd=settings.model_usd_per_month,
        )
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
