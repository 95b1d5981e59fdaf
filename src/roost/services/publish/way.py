"""One post on its way, and every line it writes into its rows."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from roost import prices, store, x
from roost.accounts import mark_lost, open_account
from roost.errors import ReconnectNeeded, RoostError
from roost.house import House
from roost.models import (
    Attempt,
    Integration,
    LedgerEntry,
    Part,
    PartState,
    Post,
    PostState,
    TenantId,
    TweetId,
)
from roost.services.publish.points import Point
from roost.store.database import Transaction
from roost.store.locks import SenderLocks
from roost.telemetry import reached

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Way:
    """One post's way through its steps: what they share, and the journal that they write.

    Every move is a compare-and-set: where another worker has moved the row meanwhile, nothing
    is written, and the rows are read again.
    """

    house: House
    locks: SenderLocks
    integration: Integration
    post: Post

    @cached_property
    def client(self) -> x.Client:
        """The hand for X, for this account. Raises: UnsafeHost."""
        return open_account(self.house, self.integration)

    @property
    def tenant_id(self) -> TenantId:
        """Whose post it is."""
        return self.integration.tenant_id

    def parent_of(self, part: Part) -> TweetId | None:
        """What the part answers to: the part before it."""
        before = [other for other in self.post.parts if other.position < part.position]
        return before[-1].sent_as if before else None

    async def sent(
        self, part: Part, attempt: Attempt, tweet_id: TweetId, *, found_of: datetime | None = None
    ) -> None:
        """Write X's id, what it costs and the story, in one transaction.

        `found_of` is when X made it, where its timeline told of it rather than its answer.
        """
        now, adopted = self.house.clock.now(), found_of is not None
        price = prices.price_of_create(part.text, media=bool(part.media))
        before = PartState.UNKNOWN if adopted else PartState.SENDING
        async with self.house.database.tenant(self.tenant_id) as transaction:
            known = await store.posts.list_adopted(transaction, self.integration.id, [tweet_id])
            if tweet_id in known:
                # Whoever took over has found it on the timeline meanwhile, and written all this.
                return
            await store.ledger.add(
                transaction,
                self.tenant_id,
                self.integration.id,
                LedgerEntry(now, prices.Operation.CREATE_POST.value, 201, price.low, price.reason),
            )
            if not await store.posts.move_part(
                transaction,
                part,
                {PartState.SENDING, PartState.UNKNOWN},
                PartState.SENT,
                attempt,
                sent_as=tweet_id,
                sent_at=found_of or now,
            ):
                # Another worker has gone on from the rows; X's id must not be lost for that.
                why = f"X answered an older attempt late: it has it as {tweet_id}, perhaps twice"
                log.error("post %s, part %s: %s", self.post.id, part.position, why)
                await self._move_post(
                    transaction, PostState.NEEDS_DECISION, why, position=part.position
                )
                return
            outcome = "adopted" if adopted else "sent"
            await store.posts.end_attempt(transaction, attempt.id, outcome)
            why = "found on X's timeline" if adopted else "X has it"
            await self.tell_part(transaction, part, before, PartState.SENT, f"{why} as {tweet_id}")

    async def take_back(
        self, part: Part, attempt: Attempt, why: str, *, outcome: str = "not_created"
    ) -> None:
        """X surely created nothing by this attempt: the part is as it was before it."""
        await self._end(part, attempt, part.state, outcome, why)

    async def unknown(self, part: Part, attempt: Attempt, why: str) -> None:
        """Nobody knows what became of the attempt; the timeline has to tell."""
        await self._end(part, attempt, PartState.UNKNOWN, "unknown", why)

    async def refused(self, part: Part, attempt: Attempt | None, error: RoostError) -> None:
        """X refused the part for good; without an attempt, it refused its media."""
        why = f"{error.code}: {error.message}"
        if attempt is not None:
            await self._end(part, attempt, PartState.FAILED, "refused", why)
            return
        async with self.house.database.tenant(self.tenant_id) as transaction:
            last = await store.posts.find_last_attempt(transaction, part.id)
            if await store.posts.move_part(
                transaction,
                part,
                {PartState.PENDING},
                PartState.FAILED,
                last.attempt if last else None,
            ):
                await self.tell_part(transaction, part, part.state, PartState.FAILED, why)

    async def _end(
        self, part: Part, attempt: Attempt, after: PartState, outcome: str, why: str
    ) -> None:
        async with self.house.database.tenant(self.tenant_id) as transaction:
            await store.posts.end_attempt(transaction, attempt.id, outcome)
            if await store.posts.move_part(transaction, part, {PartState.SENDING}, after, attempt):
                await self.tell_part(transaction, part, PartState.SENDING, after, why)

    async def rest(self, pause: timedelta, why: str) -> None:
        """Let the post rest; the dispatcher brings it back (or its account's reconnection does)."""
        resume_at = self.house.clock.now() + pause
        async with self.house.database.tenant(self.tenant_id) as transaction:
            await store.posts.wait_until(transaction, self.post.id, resume_at)
            await self._tell_post(transaction, PostState.PUBLISHING, f"waits: {why}")

    async def lose_account(self, error: ReconnectNeeded) -> None:
        """The grant is dead: the account's posts wait until its owner connects it again."""
        await mark_lost(self.house, self.integration, error)
        await self.rest(timedelta(0), str(error))

    async def ask_person(self, part: Part, why: str) -> None:
        """Roost cannot know; somebody has to look."""
        async with self.house.database.tenant(self.tenant_id) as transaction:
            await self._move_post(transaction, PostState.NEEDS_DECISION, why, part.position)

    async def settle(self) -> None:
        """The post's own last step: every part is sent, or one was refused for good."""
        sent = sum(part.state is PartState.SENT for part in self.post.parts)
        reached(Point.POST_BEFORE_SETTLED)
        async with self.house.database.tenant(self.tenant_id) as transaction:
            if sent == len(self.post.parts):
                await self._move_post(transaction, PostState.PUBLISHED, "every part is on X")
            else:
                after = PostState.PARTLY_PUBLISHED if sent else PostState.FAILED
                events = await store.posts.list_events(transaction, self.post.id)
                why = next(e.why for e in reversed(events) if e.after == PartState.FAILED)
                await self._move_post(transaction, after, why)
        reached(Point.POST_AFTER_SETTLED)

    async def _move_post(
        self, transaction: Transaction, after: PostState, why: str, position: int | None = None
    ) -> None:
        reason = None if after is PostState.PUBLISHED else why
        if await store.posts.move(transaction, self.post.id, PostState.PUBLISHING, after, reason):
            await self._tell_post(transaction, after, why, position)

    async def _tell_post(
        self, transaction: Transaction, after: PostState, why: str, position: int | None = None
    ) -> None:
        now = self.house.clock.now()
        await store.posts.tell(
            transaction,
            self.tenant_id,
            self.post.id,
            now,
            self.post.state,
            after,
            why,
            position=position,
        )

    async def tell_part(
        self, transaction: Transaction, part: Part, before: PartState, after: PartState, why: str
    ) -> None:
        """Write a line of a part's history."""
        now = self.house.clock.now()
        await store.posts.tell(
            transaction,
            self.tenant_id,
            self.post.id,
            now,
            before,
            after,
            why,
            position=part.position,
        )
