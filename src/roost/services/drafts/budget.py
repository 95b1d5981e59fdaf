"""The budget of a tenant's models: the tokens and dollars of a month, in all processes together."""

from datetime import datetime
from decimal import Decimal

from roost import store
from roost.agents.budget import Reservation
from roost.agents.errors import ModelBudgetExceeded
from roost.clock import wall_now
from roost.models import TenantId
from roost.runtime import Runtime
from roost.store.database import Transaction


class TenantBudget:
    """A budget that PostgreSQL keeps. The caps are settings of the installation, per tenant.

    A month is a UTC month of wall time, because a provider bills by it, also in a play against the
    emulator. A reservation without a settlement counts in full for the rest of its month.
    """

    def __init__(self, runtime: Runtime, tenant_id: TenantId, model: str) -> None:
        self._database = runtime.database
        self._max_tokens = runtime.settings.model_tokens_per_month
        self._max_usd = runtime.settings.model_usd_per_month
        self._tenant_id = tenant_id
        self._model = model

    async def reserve(self, tokens: int, usd: Decimal | None) -> Reservation:
        """Reserve tokens and dollars. Raises: ModelBudgetExceeded."""
        at = wall_now()
        async with self._database.for_tenant(self._tenant_id) as transaction:
            await store.model_calls.lock_reservations(transaction, self._tenant_id)
            await self._require_room(transaction, at, tokens, usd)
            call = await store.model_calls.reserve(
                transaction, self._tenant_id, model=self._model, at=at, tokens=tokens, usd=usd
            )
        return Reservation(str(call), tokens, usd)

    async def settle(self, reservation: Reservation, tokens: int, usd: Decimal | None) -> None:
        """Count what the call has cost, in place of the reservation."""
        async with self._database.for_tenant(self._tenant_id) as transaction:
            await store.model_calls.settle(transaction, int(reservation.id), tokens, usd)

    async def _require_room(
        self, transaction: Transaction, at: datetime, tokens: int, usd: Decimal | None
    ) -> None:
        used = await store.model_calls.get_usage(transaction, at)
        if self._max_tokens is not None and used.tokens + tokens > self._max_tokens:
            left = max(self._max_tokens - used.tokens, 0)
            raise ModelBudgetExceeded(
                f"The call may use {tokens} tokens; {left} of the {self._max_tokens} tokens of this"
                " month are left.",
                did="The model was not called.",
                needed=tokens,
                left=left,
                unit="tokens",
            )
        if self._max_usd is not None and usd is not None and used.usd + usd > self._max_usd:
            left_usd = max(self._max_usd - used.usd, Decimal(0))
            raise ModelBudgetExceeded(
                f"The call may cost ${usd:.6f}; ${left_usd:.6f} of the ${self._max_usd} of this"
                " month are left.",
                did="The model was not called.",
                needed=str(usd),
                left=str(left_usd),
                unit="usd",
            )
