"""Budgets of tokens and dollars: the most that a call can cost is reserved before the call."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from roost.agents.errors import ModelBudgetExceeded


@dataclass(frozen=True, slots=True)
class Reservation:
    """The part of a budget that one call may use."""

    id: str
    tokens: int
    usd: Decimal | None
    """None if the model has no known price."""


class Budget(Protocol):
    """The tokens and dollars that a tenant's models may use in a month."""

    async def reserve(self, tokens: int, usd: Decimal | None) -> Reservation:
        """Reserve the most that a call can cost. Raises: ModelBudgetExceeded."""
        ...

    async def settle(self, reservation: Reservation, tokens: int, usd: Decimal | None) -> None:
        """Replace a reservation by what the call has cost; 0 frees it."""
        ...


class MemoryBudget:
    """A budget that is kept in this process. None as a cap means that there is no cap."""

    def __init__(self, max_tokens: int | None = None, max_usd: Decimal | None = None) -> None:
        self._max_tokens = max_tokens
        self._max_usd = max_usd
        self._open: dict[str, Reservation] = {}
        self._count = 0
        self.used_tokens = 0
        self.used_usd = Decimal(0)

    async def reserve(self, tokens: int, usd: Decimal | None) -> Reservation:
        """Reserve tokens and dollars. Raises: ModelBudgetExceeded."""
        reserved = self.used_tokens + sum(each.tokens for each in self._open.values())
        if self._max_tokens is not None and reserved + tokens > self._max_tokens:
            left = self._max_tokens - reserved
            raise ModelBudgetExceeded(
                f"The call may use {tokens} tokens; {max(left, 0)} of {self._max_tokens} are left.",
                did="The model was not called.",
                needed=tokens,
                left=max(left, 0),
                unit="tokens",
            )
        dollars = self.used_usd + sum((each.usd or Decimal(0)) for each in self._open.values())
        if self._max_usd is not None and usd is not None and dollars + usd > self._max_usd:
            left_usd = max(self._max_usd - dollars, Decimal(0))
            raise ModelBudgetExceeded(
                f"The call may cost ${usd:.6f}; ${left_usd:.6f} of ${self._max_usd} are left.",
                did="The model was not called.",
                needed=str(usd),
                left=str(left_usd),
                unit="usd",
            )
        self._count += 1
        reservation = Reservation(str(self._count), tokens, usd)
        self._open[reservation.id] = reservation
        return reservation

    async def settle(self, reservation: Reservation, tokens: int, usd: Decimal | None) -> None:
        """Count what the call has cost, in place of the reservation."""
        if self._open.pop(reservation.id, None) is not None:
            self.used_tokens += tokens
            self.used_usd += usd or Decimal(0)
