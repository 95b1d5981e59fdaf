"""Supplies a stored account's tokens to the X client, and records requests in the ledger.

Across all machines, only one process at a time refreshes an account's tokens, because a refresh
token can be used only once. The process locks the account's row, reads the tokens again, and
commits the new pair before use.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from decimal import Decimal

from roost import prices, store, x
from roost.endpoint import XEndpoint
from roost.errors import ReconnectNeeded, SettingInvalid
from roost.failpoints import Failpoint, failpoint
from roost.models import AlertKind, Integration, LedgerEntry
from roost.models.alerts import about_account
from roost.runtime import Runtime
from roost.store.availability import DATABASE_AWAY
from roost.store.database import Transaction
from roost.store.integrations import Tokens

log = logging.getLogger(__name__)

_FREE = "X does not bill token requests"


@dataclass(frozen=True)
class _Rotated:
    """The result of a refresh: the tokens, and whether X was asked or has refused."""

    tokens: Tokens = field(repr=False)
    asked: bool
    """Whether X received a refresh request; False if another process had stored new tokens."""
    refused: "x.errors.RefreshTokenInvalid | None" = None
    """The error if X refused the refresh token, else None."""


class StoredTokenSource:
    """One account's token source (`x.TokenSource`), backed by the integrations table.

    The object keeps the tokens in memory, so a worker that publishes several posts reads the tokens
    from the database once. If another process replaces the tokens meanwhile, X rejects the kept
    access token with 401, and `refresh` finds the new tokens in the table.
    """

    def __init__(
        self, runtime: Runtime, integration: Integration, tokens: Tokens | None = None
    ) -> None:
        self.runtime = runtime
        self.integration = integration
        self._tokens = tokens

    @property
    def endpoint(self) -> XEndpoint:
        """Return this process's X endpoint.

        Raises: UnsafeHost if the account belongs to another environment.
        """
        account = self.integration
        endpoint = self.runtime.settings.x_endpoint
        return endpoint.require_environment(account.environment, f"@{account.username}")

    async def get(self) -> str:
        """Return the access token. If the token expires soon, refresh it first.

        Raises: the errors of `refresh`.
        """
        _ = self.endpoint
        if self._tokens is None:
            async with self.runtime.database.for_tenant(self.integration.tenant_id) as transaction:
                self._tokens = await self._open(transaction)
        if self.is_fresh():
            return self._tokens.access_token
        return await self.refresh(self._tokens.access_token)

    def is_fresh(self) -> bool:
        """Whether `get` can return the kept access token without the database or X."""
        tokens = self._tokens
        return (
            tokens is not None
            and tokens.expires_at - x.auth.EXPIRY_MARGIN > self.runtime.clock.now()
        )

    async def refresh(self, rejected: str) -> str:
        """Return a newer access token than `rejected`: from the database, or else from X.

        Once X has received the refresh request, X's response is stored even if the caller is
        cancelled or the database is temporarily unreachable.
        Raises: ReconnectNeeded if X refused the refresh token (the account is then marked as
        needing a reconnect), UnsafeHost if the account belongs to another environment, x.errors.*.
        """
        _ = self.endpoint
        return await asyncio.shield(asyncio.ensure_future(self._refresh(rejected)))

    async def _refresh(self, rejected: str) -> str:
        rotated = await self._rotate(rejected)
        if rotated.refused is not None:
            raise ReconnectNeeded(
                f"X no longer accepts the token of @{self.integration.username}.",
                did="Roost marked the account as needing a reconnect; the account's posts wait.",
            ) from rotated.refused
        if rotated.asked:
            failpoint(Failpoint.REFRESH_AFTER_COMMIT)
            await self.write_token_request()
        self._tokens = rotated.tokens
        return rotated.tokens.access_token

    async def _rotate(self, rejected: str) -> "_Rotated":
        """Refresh the tokens while the account's row is locked, and commit the new tokens."""
        account, fresh, used = self.integration, None, None
        try:
            # A dedicated connection: X may be slow, and the pool is for short transactions.
            async with self.runtime.database.for_tenant(
                account.tenant_id, dedicated=True
            ) as transaction:
                await store.integrations.lock_for_refresh(transaction, account.id)
                used = await self._open(transaction)
                if used.access_token != rejected:
                    return _Rotated(used, asked=False)
                failpoint(Failpoint.REFRESH_BEFORE_SEND)
                try:
                    fresh = await self._exchange(used)
                except x.errors.RefreshTokenInvalid as refused:
                    await self._mark_refused(transaction, used)
                    return _Rotated(used, asked=True, refused=refused)
                failpoint(Failpoint.REFRESH_AFTER_SEND)
                await self._store(transaction, fresh)
        except DATABASE_AWAY:
            if fresh is None or used is None:
                raise
            # X has already invalidated the old refresh token; only this process has the new one.
            await self._store_when_back(used, fresh)
        assert fresh is not None
        return _Rotated(fresh, asked=True)

    async def _store(self, transaction: Transaction, fresh: Tokens) -> None:
        vault = await self.runtime.vault.for_tenant(transaction, self.integration.tenant_id)
        await store.integrations.replace_tokens(transaction, vault, self.integration, fresh)

    async def _store_when_back(self, used: Tokens, fresh: Tokens) -> None:
        account = self.integration

        async def write() -> None:
            async with self.runtime.database.for_tenant(
                account.tenant_id, dedicated=True
            ) as transaction:
                await store.integrations.lock_for_refresh(transaction, account.id)
                if (await self._open(transaction)).sealed == used.sealed:
                    await self._store(transaction, fresh)

        await self.runtime.retry_until_written(f"the new token of @{account.username}", write)

    async def _mark_refused(self, transaction: Transaction, used: Tokens) -> None:
        account = self.integration
        if await store.integrations.mark_token_invalid(transaction, account.id, used):
            await open_reconnect_alert(self.runtime, transaction, account)

    async def _open(self, transaction: Transaction) -> Tokens:
        vault = await self.runtime.vault.for_tenant(transaction, self.integration.tenant_id)
        return await store.integrations.decrypt_tokens(transaction, vault, self.integration.id)

    async def _exchange(self, tokens: Tokens) -> Tokens:
        app, account = self.runtime.settings.x_app(), self.integration
        if app.client_id != account.client_id:
            raise SettingInvalid(
                f"@{account.username} was connected through an X app other than the one that"
                " TWITTER_CLIENT_ID names.",
                setting="TWITTER_CLIENT_ID",
            )
        now = self.runtime.clock.now()
        response = await x.auth.oauth2.refresh(
            self.runtime.http(),
            self.endpoint,
            app=app,
            refresh_token=tokens.refresh_token,
        )
        return Tokens(
            access_token=response.access_token,
            refresh_token=response.refresh_token or tokens.refresh_token,
            expires_at=now + response.expires_in,
        )

    async def write_token_request(self) -> None:
        """Record a token request in the ledger.

        Requests of `x.Client` are recorded by the method `price`.
        """
        async with self.runtime.database.for_tenant(self.integration.tenant_id) as transaction:
            await self._write(transaction, prices.Operation.TOKEN, 200, Decimal(0), _FREE)

    async def _write(
        self,
        transaction: Transaction,
        operation: prices.Operation,
        status: int | None,
        usd: Decimal,
        reason: str,
    ) -> None:
        entry = LedgerEntry(self.runtime.clock.now(), operation.value, status, usd, reason)
        await store.ledger.add(transaction, self.integration.tenant_id, self.integration.id, entry)

    async def price(self, exchange: "x.Exchange") -> None:
        """Record a request to X in the ledger, unless the request created a post.

        A request that created a post is recorded in the transaction that records the created part.
        """
        if exchange.created is not None:
            return
        async with self.runtime.database.for_tenant(self.integration.tenant_id) as transaction:
            usd, reason = await self._usd(transaction, exchange)
            await self._write(transaction, exchange.operation, exchange.status, usd, reason)

    async def _usd(self, transaction: Transaction, exchange: "x.Exchange") -> tuple[Decimal, str]:
        operation, status = exchange.operation, exchange.status
        if operation is prices.Operation.CREATE_POST:
            # A failed create is priced later, once it is known whether the post exists.
            return Decimal(0), "X has not confirmed that a post was created"
        if prices.billed_resource(operation) is None:
            price = prices.price_of_response(prices.price_of(operation), status)
            return price.low, price.reason
        day = self.runtime.clock.now().date()
        fresh = 0
        for resource, ids in (("post", exchange.posts_read), ("user", exchange.users_read)):
            fresh += await store.ledger.record_billed_reads(
                transaction, self.integration.client_id, resource, ids, day
            )
        price = prices.price_of_response(prices.price_of_reads(operation, fresh), status)
        return price.low, price.reason


async def update_profile(runtime: Runtime, integration: Integration, user: "x.users.XUser") -> None:
    """Store an account's current handle, name and subscription, which X has just returned."""
    async with runtime.database.for_tenant(integration.tenant_id) as transaction:
        changed = await store.integrations.save_profile(
            transaction,
            integration.id,
            username=user.username,
            name=user.name or integration.name,
            subscription_type=user.subscription_type,
        )
    if changed:
        log.info("account %s: the handle, name or subscription changed on X", integration.id)


async def mark_needs_reconnect(
    runtime: Runtime, integration: Integration, error: ReconnectNeeded
) -> None:
    """Mark an account as needing a reconnect if X requires a new authorization.

    In that case, `error` is a `ReauthorizationRequired`. Any other error changes nothing here: if X
    refused a refresh token, `StoredTokenSource.refresh` has already marked the account.
    """
    if isinstance(error, x.errors.ReauthorizationRequired):
        async with runtime.database.for_tenant(integration.tenant_id) as transaction:
            if await store.integrations.mark_needs_reconnect(transaction, integration):
                await open_reconnect_alert(runtime, transaction, integration)


async def open_reconnect_alert(
    runtime: Runtime, transaction: Transaction, integration: Integration
) -> None:
    """Open an alert that asks the owner of an account to connect the account again."""
    await store.alerts.open_alert(
        transaction,
        integration.tenant_id,
        AlertKind.RECONNECT,
        about_account(integration.id),
        at=runtime.clock.now(),
        detail={"username": integration.username},
    )


def open_account(runtime: Runtime, integration: Integration) -> "x.Client":
    """Return a client for one account; the client reads the account's tokens on first use.

    Raises: UnsafeHost.
    """
    return open_client(StoredTokenSource(runtime, integration))


def open_client(tokens: StoredTokenSource) -> "x.Client":
    """Return a client for the account of a token source. Raises: UnsafeHost."""
    runtime, integration = tokens.runtime, tokens.integration
    return x.Client(
        tokens,
        session=runtime.http(),
        on_exchange=tokens.price,
        clock=runtime.clock,
        server_time=runtime.server_time,
        names=(integration.username, integration.name),
    )
