"""Budgets of models: reservations are part of what is used until they are settled."""

from decimal import Decimal

import pytest

from roost.agents.budget import MemoryBudget
from roost.agents.errors import ModelBudgetExceeded


async def test_reserve_counts_open_reservations() -> None:
    budget = MemoryBudget(100, None)
    first = await budget.reserve(60, None)
    with pytest.raises(ModelBudgetExceeded) as raised:
        await budget.reserve(41, None)
    assert raised.value.facts == {"needed": 41, "left": 40, "unit": "tokens"}
    assert raised.value.code == "model_budget_exceeded"
    await budget.settle(first, 10, None)
    assert budget.used_tokens == 10
    await budget.reserve(90, None)


async def test_reserve_counts_dollars() -> None:
    budget = MemoryBudget(None, Decimal("0.10"))
    first = await budget.reserve(1, Decimal("0.06"))
    with pytest.raises(
        ModelBudgetExceeded, match=r"this month's cap of \$0\.10 has \$0\.040000 left"
    ):
        await budget.reserve(1, Decimal("0.05"))
    await budget.settle(first, 1, Decimal("0.02"))
    await budget.reserve(1, Decimal("0.08"))
    assert budget.used_usd == Decimal("0.02")


async def test_settle_counts_a_reservation_once() -> None:
    budget = MemoryBudget(100, None)
    reservation = await budget.reserve(60, None)
    await budget.settle(reservation, 10, None)
    await budget.settle(reservation, 10, None)
    assert budget.used_tokens == 10


async def test_reserve_has_no_cap_in_dollars__price_not_known() -> None:
    budget = MemoryBudget(None, Decimal(0))
    await budget.reserve(1_000_000, None)
