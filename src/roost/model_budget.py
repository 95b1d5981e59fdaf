"""The budget of a tenant's models: the tokens and dollars of a month, in all processes together."""

from decimal import Decimal

from roost import store
from roost.agents.budget import Reservation, require_room
from roost.clock import wall_now
from roost.models import TenantId
from roost.store.database import Database


class TenantBudget:
    """A budget that PostgreSQL keeps. The caps are settings of the installation, per tenant.

    `max_tokens` and `max_usd` are the caps of a month; None means that there is no cap.
    A month is a UTC month of wall time, even if domain time is the emulator's, because the provider
    of the model bills by wall time. A reservation without a settlement counts in full for the rest
    of its month.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        model: str,
        *,
        max_tokens: int | None,
        max_usd: Decimal | None,
    ) -> None:
        self._database = database
        self._max_tokens = max_tokens
        self._max_usd = max_usd
        self._tenant_id = tenant_id
        self._model = model

    async def reserve(self, tokens: int, usd: Decimal | None) -> Reservation:
        """Reserve tokens and dollars. Raises: ModelBudgetExceeded."""
        at = wall_now()
        async with self._database.for_tenant(self._tenant_id) as transaction:
            await store.model_calls.lock_reservations(transaction, self._tenant_id)
            used = await store.model_calls.get_usage(transaction, at)
            require_room(
                tokens,
                usd,
                used_tokens=used.tokens,
                used_usd=used.usd,
                max_tokens=self._max_tokens,
                max_usd=self._max_usd,
            )
            call = await store.model_calls.reserve(
                transaction, self._tenant_id, model=self._model, at=at, tokens=tokens, usd=usd
            )
        return Reservation(str(call), tokens, usd)

    async def settle(self, reservation: Reservation, tokens: int, usd: Decimal | None) -> None:
        """Count what the call has cost, in place of the reservation."""
        async with self._database.for_tenant(self._tenant_id) as transaction:
            await store.model_calls.settle(transaction, int(reservation.id), tokens, usd)
