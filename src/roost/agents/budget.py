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


def require_room(
    tokens: int,
    usd: Decimal | None,
    *,
    used_tokens: int,
    used_usd: Decimal,
    max_tokens: int | None,
    max_usd: Decimal | None,
) -> None:
    """Raise ModelBudgetExceeded if a call that can cost so much does not fit into the caps. Pure.

    `used_tokens` and `used_usd` include the open reservations. None as a cap means that there is no
    cap; `usd` is None if the model has no known price, and then only the cap of tokens applies.
    """
    if max_tokens is not None and used_tokens + tokens > max_tokens:
        left = max(max_tokens - used_tokens, 0)
        raise ModelBudgetExceeded(
            f"The call may use {tokens} tokens; {left} of the {max_tokens} tokens of this month are"
            " left.",
            did="The model was not called.",
            needed=tokens,
            left=left,
            unit="tokens",
        )
    if max_usd is not None and usd is not None and used_usd + usd > max_usd:
        left_usd = max(max_usd - used_usd, Decimal(0))
        raise ModelBudgetExceeded(
            f"The call may cost ${usd:.6f}; ${left_usd:.6f} of the ${max_usd} of this month are"
            " left.",
            did="The model was not called.",
            needed=str(usd),
            left=str(left_usd),
            unit="usd",
        )


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
        open_usd = sum((each.usd or Decimal(0) for each in self._open.values()), Decimal(0))
        require_room(
            tokens,
            usd,
            used_tokens=self.used_tokens + sum(each.tokens for each in self._open.values()),
            used_usd=self.used_usd + open_usd,
            max_tokens=self._max_tokens,
            max_usd=self._max_usd,
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
