"""The budget of a tenant's models: no process overshoots it, and a crash does not free it."""

import contextlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fix_model import ModelServer
from fix_processes import environment_of
from fix_publishing import Publisher, piped_python, wait_for_result
from fix_runtime import make_tenant, scope_of
from roost import store
from roost.agents.errors import ModelBudgetExceeded
from roost.agents.model import ModelPrice
from roost.agents.openai_model import OpenAIModel
from roost.clock import wall_now
from roost.model_budget import TenantBudget
from roost.models import TenantId
from roost.runtime import open_runtime
from roost.services.drafts import write_drafts
from roost.services.tenant import get_model_usage
from services.test_drafts import BOTH, make_brief, reply

_PROCESS = str(Path(__file__).with_name("reserving_process.py"))


def capped(publisher: Publisher) -> TenantBudget:
    """Return a budget of 1,000 tokens and one dollar."""
    return budget_of(publisher, publisher.tenant.id)


def budget_of(publisher: Publisher, tenant_id: TenantId) -> TenantBudget:
    return TenantBudget(
        publisher.runtime.database, tenant_id, "small", max_tokens=1000, max_usd=Decimal("1.00")
    )


@pytest.mark.timing
async def test_processes_together_never_exceed_the_caps(
    publisher: Publisher, tmp_path: Path
) -> None:
    settings = publisher.runtime.settings.model_copy(
        update={"model_tokens_per_month": 2000, "model_usd_per_month": Decimal(2)}
    )
    settings.model_fields_set.update({"model_tokens_per_month", "model_usd_per_month"})
    environment = environment_of(settings)
    async with contextlib.AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(
                piped_python(
                    _PROCESS, str(publisher.tenant.id), environment=environment, folder=tmp_path
                )
            )
            for _ in range(3)
        ]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        results = [await wait_for_result(process) for process in processes]
    assert [result.code for result in results] == [0, 0, 0]
    usage = await get_model_usage(publisher.runtime, publisher.scope)
    made = sum(int(result.out) for result in results)
    assert usage.calls == made
    assert (usage.tokens, usage.usd) == (60 * made, Decimal("0.07") * made)
    # The last call was refused because less than its reservation was left. Before that, other
    # reservations were open, of at most eleven other calls.
    assert 2 - Decimal("1.20") < usage.usd <= 2


async def test_reservations_count_until_they_are_settled(publisher: Publisher) -> None:
    budget = capped(publisher)
    reservation = await budget.reserve(900, Decimal("0.10"))
    with pytest.raises(ModelBudgetExceeded) as refused:
        await budget.reserve(101, Decimal(0))
    assert refused.value.facts == {"needed": 101, "left": 100, "unit": "tokens"}
    await budget.settle(reservation, 300, Decimal("0.05"))
    await budget.settle(reservation, 0, Decimal(0))  # a second settlement changes nothing
    with pytest.raises(ModelBudgetExceeded) as refused:
        await budget.reserve(100, Decimal("0.96"))
    assert (refused.value.facts["unit"], Decimal(refused.value.facts["left"])) == (
        "usd", Decimal("0.95"),
    )  # fmt: skip
    await budget.reserve(700, Decimal("0.95"))


async def test_a_reservation_that_a_crash_left_counts_as_used(publisher: Publisher) -> None:
    await capped(publisher).reserve(900, Decimal("0.90"))
    # Another process, later: nothing in its memory knows of the call.
    async with open_runtime(publisher.runtime.settings) as runtime:
        usage = await get_model_usage(runtime, publisher.scope)
    assert (usage.calls, usage.tokens, usage.usd) == (1, 900, Decimal("0.90"))
    with pytest.raises(ModelBudgetExceeded):
        await capped(publisher).reserve(200, Decimal("0.01"))


async def test_the_caps_apply_to_each_tenant_and_month(publisher: Publisher) -> None:
    await capped(publisher).reserve(1000, Decimal(1))
    neighbour = await make_tenant(publisher.runtime, "neighbour")
    await budget_of(publisher, neighbour.id).reserve(1000, Decimal(1))
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        next_month = wall_now().replace(day=28) + timedelta(days=4)
        assert (await store.model_calls.get_usage(transaction, next_month)).tokens == 0
    assert (await get_model_usage(publisher.runtime, scope_of(neighbour))).tokens == 1000


async def test_a_model_without_a_price_has_only_the_cap_of_tokens(publisher: Publisher) -> None:
    budget = capped(publisher)
    await budget.reserve(1000, None)
    with pytest.raises(ModelBudgetExceeded):
        await budget.reserve(1, None)
    assert (await get_model_usage(publisher.runtime, publisher.scope)).unpriced == 1


async def test_drafts_are_counted_and_the_composer_writes_beyond_the_cap(
    publisher: Publisher, model_server: ModelServer
) -> None:
    settings = publisher.runtime.settings.model_copy(update={"model_tokens_per_month": 10_000})
    runtime = replace(publisher.runtime, settings=settings)
    model_server.answers = [reply(*BOTH)]
    model = OpenAIModel("small", model_server.url, None, 20, ModelPrice(Decimal(1), Decimal(4)))
    async with model:
        written = await write_drafts(runtime, publisher.scope, make_brief(), model=model)
        usage = await get_model_usage(runtime, publisher.scope)
        assert (usage.calls, usage.tokens, usage.usd) == (1, 150, Decimal("0.0003"))
        assert written.drafts[0].provenance.usd == Decimal("0.0003")
        small = replace(
            runtime, settings=settings.model_copy(update={"model_tokens_per_month": 200})
        )
        capped = await write_drafts(small, publisher.scope, make_brief(), model=model)
    assert [call.error for call in capped.calls] == ["model_budget_exceeded"]
    assert capped.drafts[0].origin == "composer"
    assert len(model_server.requests) == 1
