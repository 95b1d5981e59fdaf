"""Budgets for calls to models, in tokens and dollars.

Before a call, the most that the call can cost is reserved. After the call, its real cost replaces
the reservation.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from roost.agents.errors import ModelBudgetExceeded


@dataclass(frozen=True, slots=True)
class Reservation:
    """The tokens and dollars that are reserved in a budget for one call to a model."""

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
        """Replace a reservation by the real cost of its call; a cost of 0 releases it."""
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
    """Raise ModelBudgetExceeded if a call to a model does not fit into the caps of the month.

    `tokens` and `usd` are the most that the call can cost. `usd` is None if the model has no known
    price; then only the cap on tokens applies. `used_tokens` and `used_usd` include the open
    reservations. `max_tokens` and `max_usd` are the caps; None means that there is no cap.
    """
    if max_tokens is not None and used_tokens + tokens > max_tokens:
        left = max(max_tokens - used_tokens, 0)
        raise ModelBudgetExceeded(
            f"The call may use {tokens} tokens; this month's cap of {max_tokens} tokens"
            f" has {left} tokens left.",
            did="The model was not called.",
            needed=tokens,
            left=left,
            unit="tokens",
        )
    if max_usd is not None and usd is not None and used_usd + usd > max_usd:
        left_usd = max(max_usd - used_usd, Decimal(0))
        raise ModelBudgetExceeded(
            f"The call may cost ${usd:.6f}; this month's cap of ${max_usd} has ${left_usd:.6f}"
            " left.",
            did="The model was not called.",
            needed=str(usd),
            left=str(left_usd),
            unit="usd",
        )


class MemoryBudget:
    """A budget that this process keeps in memory, for drafts without a database.

    A cap of None means that there is no cap.
    """

    def __init__(self, max_tokens: int | None = None, max_usd: Decimal | None = None) -> None:
        self._max_tokens = max_tokens
        self._max_usd = max_usd
        self._open: dict[str, Reservation] = {}
        self._count = 0
        self.used_tokens = 0
        self.used_usd = Decimal(0)

    async def reserve(self, tokens: int, usd: Decimal | None) -> Reservation:
        """Reserve the most that a call can cost. Raises: ModelBudgetExceeded."""
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
        """Replace a reservation by the real cost of its call."""
        if self._open.pop(reservation.id, None) is not None:
            self.used_tokens += tokens
            self.used_usd += usd or Decimal(0)
