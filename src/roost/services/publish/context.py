"""The context that the steps of one post share: publishing state, X client and database."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TypeVar

from roost import x
from roost.account_client import StoredTokenSource, open_client
from roost.models import Integration, Post, PostId, Scope, TenantId
from roost.publishing.state import PublishState
from roost.runtime import Runtime
from roost.store.database import Transaction
from roost.store.locks import AccountLocks

T = TypeVar("T")


class StepResult(Enum):
    """How the publishing of an account's posts continues after a step."""

    CONTINUE = "continue"
    """Continue with the account's next step, which may be of another post."""
    SKIP_POST = "skip_post"
    """Continue with the account's other posts, because this post waits."""
    DONE = "done"
    """Stop, because no post of the account can proceed."""


@dataclass(frozen=True)
class PublishContext:
    """One post's publishing state, and the resources that its steps use."""

    runtime: Runtime
    scope: Scope
    locks: AccountLocks
    token_source: StoredTokenSource
    state: PublishState
    deferred: Collection[PostId]
    """The account's posts that this worker skips because they wait."""

    @cached_property
    def client(self) -> x.Client:
        """The X client of the account. Raises: UnsafeHost."""
        return open_client(self.token_source)

    @property
    def post(self) -> Post:
        """The post that is being published."""
        return self.state.post

    @property
    def account(self) -> Integration:
        """The X account of the post."""
        return self.state.account

    @property
    def tenant_id(self) -> TenantId:
        """The tenant of the post."""
        return self.scope.tenant_id

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` in one transaction of the tenant."""
        async with self.runtime.database.for_tenant(self.tenant_id) as transaction:
            return await work(transaction)

    async def retry_until_written(self, write: Callable[[], Awaitable[T]]) -> T:
        """Call `write` until it succeeds, because only this process has X's response."""
        return await self.runtime.retry_until_written(
            f"X's response about post {self.post.id}", write
        )
