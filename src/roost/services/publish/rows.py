"""One post on its way, and every line it writes into its rows.

Every move is a compare-and-set: where another worker has moved the row meanwhile, nothing is
written, and the rows are read again. X's answers are written until the database takes them.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import TypeVar

from roost import prices, store, x
from roost.account_client import StoredTokenSource, mark_needs_reconnect, open_client
from roost.errors import PostNotFound, ReconnectNeeded
from roost.failpoints import Failpoint
from roost.models import (
    AlertKind,
    Integration,
    Part,
    PartState,
    PostId,
    PostState,
    TenantId,
    TweetId,
)
from roost.outcome_alerts import alert_outcome
from roost.part_price import price_part
from roost.prices import Price
from roost.publishing.state import Attempt, Outcome, PartProgress, PublishState, Upload
from roost.rate_limits import Window
from roost.runtime import Runtime
from roost.store.alerts import OF_APPS
from roost.store.database import Transaction
from roost.store.locks import AccountLocks
from roost.telemetry import failpoint

log = logging.getLogger(__name__)

T = TypeVar("T")

#: What concerns every account of an app; no sentence of X's is in their messages.
AppWide = x.errors.OutOfCredits | x.errors.AppMisconfigured | x.errors.RateLimited


class Turn(Enum):
    """How it goes on after a step."""

    ON = "on"
    """With the account's next step, whichever post it is of."""
    BEHIND = "behind"
    """Without this post, which waits."""
    OVER = "over"
    """Not at all: the account has nothing left to go on with."""


@dataclass(frozen=True)
class Way:
    """One post's way through its steps: what they share, and the journal that they write."""

    runtime: Runtime
    locks: AccountLocks
    grant: StoredTokenSource
    journal: PublishState
    behind: Collection[PostId]
    """The account's posts that wait."""

    @cached_property
    def client(self) -> x.Client:
        """The hand for X, for this account. Raises: UnsafeHost."""
        return open_client(self.grant)

    @property
    def account(self) -> Integration:
        """Whose post it is, on X."""
        return self.journal.account

    @property
    def tenant_id(self) -> TenantId:
        """Whose post it is."""
        return self.journal.post.tenant_id

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """One transaction of this tenant."""
        async with self.runtime.database.for_tenant(self.tenant_id) as transaction:
            return await work(transaction)

    async def keep(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """The same for what this process alone knows, again while the database is away."""
        return await self.runtime.until_kept(self._what, lambda: self.write(work))

    @property
    def _what(self) -> str:
        return f"what X answered about post {self.journal.post.id}"

    async def begin_attempt(
        self,
        part: PartProgress,
        uploads: Sequence[Upload],
        *,
        started_at: datetime,
        deadline: timedelta,
        why: str,
    ) -> Attempt | None:
        """Commit an attempt; None where the part, its post or a pause changed meanwhile.

        Raises: DatabaseForgot.
        """
        begun = await store.publishing.begin_attempt(
            self.runtime.database.autocommit,
            self.tenant_id,
            part,
            uploads,
            started_at=started_at,
            deadline=deadline,
            at=self.runtime.clock.now(),
            reason=why,
            actor=self.runtime.actor,
            fence=self.locks.fence,
            is_wall_time=self.runtime.clock.is_wall_time,
        )
        if begun is None:
            return None
        attempt, self.locks.fence = begun
        return attempt

    async def sent(
        self,
        part: PartProgress,
        attempt: Attempt,
        tweet_id: TweetId,
        *,
        rate: Collection[Window] = (),
        found_of: datetime | None = None,
    ) -> Turn:
        """Write X's id, what it costs and the story, in one transaction.

        `rate` is how many more creates X takes, as its answer told; `found_of` when X made it,
        where its timeline told of it rather than its answer.
        """
        now, adopted = self.runtime.clock.now(), found_of is not None
        told = "found on X's timeline" if adopted else "X has it"
        unknown = PartState.UNKNOWN

        async def keep() -> store.publishing.RecordedSent:
            price = await self._price(part.part)
            return await store.publishing.record_sent(
                self.runtime.database.autocommit,
                self.tenant_id,
                self.account.id,
                part.part,
                attempt,
                tweet_id,
                outcome=Outcome.ADOPTED if adopted else Outcome.SENT,
                sent_at=found_of or now,
                usd=price.low,
                price_reason=price.reason,
                windows=rate,
                at=now,
                from_state=unknown if adopted and part.part.state is unknown else PartState.SENDING,
                reason=f"{told} as {tweet_id}",
                actor=self.runtime.actor,
                excluding=self.behind,
            )

        sent = await self.runtime.until_kept(self._what, keep)
        if sent.forgotten:
            await self._note_forgotten(part, tweet_id)
            return Turn.OVER
        if not sent.moved and not sent.known:
            # Another worker has gone on from the rows; X's id must not be lost for that.
            why = f"X answered an older attempt late: it has it as {tweet_id}, perhaps twice"
            log.error("post %s, part %s: %s", self.journal.post.id, part.part.position, why)
            await self._tell_perhaps_twice(part, why)
            await self.ask_person(part, why)
        elif sent.moved:
            await self.end_backoffs()
        return Turn.OVER if sent.is_last else Turn.ON

    async def _price(self, part: Part) -> Price:
        if part.options.reply_to is None:
            return prices.price_of_part(part.text, part.options, has_media=bool(part.media))
        return await self.write(lambda transaction: price_part(transaction, self.account.id, part))

    async def _note_forgotten(self, part: PartProgress, tweet_id: TweetId) -> None:
        """The database lacks the attempt that X has answered: nothing more may be sent from it.

        The search of X after the resume finds the post; the history says where it is.
        """
        why = f"X answered an attempt that the database has forgotten: it has it as {tweet_id}"
        log.error("post %s, part %s: %s", self.journal.post.id, part.part.position, why)
        self.locks.close_gate("the database lacks an attempt of this worker")

        async def work(transaction: Transaction) -> None:
            state = await store.posts.lock_state(transaction, self.journal.post.id)
            await store.posts.add_event(
                transaction, self.tenant_id, self.journal.post.id, self.runtime.clock.now(), state,
                state, why, actor=self.runtime.actor, position=part.part.position,
            )  # fmt: skip

        with contextlib.suppress(PostNotFound):
            await self.keep(work)

    async def _tell_perhaps_twice(self, part: PartProgress, why: str) -> None:
        post_id, now = self.journal.post.id, self.runtime.clock.now()

        async def work(transaction: Transaction) -> None:
            state = await store.posts.lock_state(transaction, post_id)
            await store.posts.add_event(
                transaction, self.tenant_id, post_id, now, state, state, why,
                actor=self.runtime.actor, position=part.part.position,
            )  # fmt: skip
            await store.alerts.open_alert(
                transaction, self.tenant_id, AlertKind.POSSIBLE_DUPLICATE,
                store.alerts.about_post(post_id), at=now,
                message=f"Post {post_id} of @{self.account.username}: {why}",
                next="Look at the account's timeline, and delete what is there twice; then"
                f" `roost decide {post_id} leave`.",
            )  # fmt: skip

        await self.keep(work)

    async def end_backoffs(self) -> None:
        """X takes posts again: of the account, and of the app, whose alerts end."""
        account, now = self.account, self.runtime.clock.now()
        if account.rests:
            async with self.runtime.database.for_tenant(self.tenant_id) as transaction:
                await transaction.run("end_account_backoff", integration=account.id)
        if self.journal.app_rest is None:
            return

        async def work(transaction: Transaction) -> None:
            await transaction.run(
                "end_app_backoff", client_id=account.client_id, environment=account.environment
            )
            for kind in OF_APPS:
                await store.alerts.resolve_alert(transaction, None, kind, account.client_id, at=now)

        await self.write(work)

    async def take_back(
        self,
        part: PartProgress,
        attempt: Attempt,
        why: str,
        *,
        outcome: Outcome = Outcome.NOT_CREATED,
        rate: Collection[Window] = (),
    ) -> None:
        """X surely created nothing by this attempt: the part is as it was before it."""
        await self._end(part, attempt, part.part.state, outcome, why, rate)

    async def unknown(self, part: PartProgress, attempt: Attempt, why: str) -> None:
        """Nobody knows what became of the attempt; the timeline has to tell."""
        await self._end(part, attempt, PartState.UNKNOWN, Outcome.UNKNOWN, why)

    async def refused(self, part: PartProgress, attempt: Attempt, why: str) -> None:
        """X refused the part for good."""
        await self._end(part, attempt, PartState.FAILED, Outcome.REFUSED, why)

    async def _end(
        self,
        part: PartProgress,
        attempt: Attempt,
        after: PartState,
        outcome: Outcome,
        why: str,
        rate: Collection[Window] = (),
    ) -> None:
        now = self.runtime.clock.now()

        async def work(transaction: Transaction) -> None:
            if rate:
                await store.publishing.save_rate_windows(transaction, self.account.id, rate)
            await store.publishing.end_attempt(
                transaction, part.part, attempt, after, outcome,
                at=now, reason=why, actor=self.runtime.actor,
            )  # fmt: skip

        await self.keep(work)

    async def rest(
        self, pause: timedelta, why: str, *, excused: bool = False, counts_as_late: bool = False
    ) -> None:
        """Let the post wait; the dispatcher brings it back (or its account's reconnection does)."""
        now = self.runtime.clock.now()

        async def work(transaction: Transaction) -> None:
            await store.publishing.defer_post(
                transaction,
                self.journal.post.id,
                now + pause,
                excused=excused,
                counts_as_late=counts_as_late,
                at=now,
                reason=why,
                actor=self.runtime.actor,
            )

        await self.write(work)

    async def rest_account(
        self, pause: timedelta, why: str, *, counts_as_late: bool = False
    ) -> None:
        """X takes no post of the account for a while: all of them rest, by what the row says."""
        until = self.runtime.clock.now() + pause

        async def work(transaction: Transaction) -> None:
            await transaction.run(
                "back_off_account", integration=self.account.id, until=until, reason=why,
                counts_as_late=counts_as_late,
            )  # fmt: skip

        await self.write(work)
        await self.rest(pause, why, counts_as_late=counts_as_late)

    async def rest_app(self, pause: timedelta, kind: AlertKind, error: AppWide) -> None:
        """X takes nothing of the whole app: everything waits, nothing is dropped, one alert.

        It names the cause that X names now; an earlier one has ended. Every tenant reads why: these
        errors say it in Roost's words alone.
        """
        now, account = self.runtime.clock.now(), self.account

        async def work(transaction: Transaction) -> None:
            await transaction.run(
                "back_off_app",
                client_id=account.client_id,
                environment=account.environment,
                until=now + pause,
                reason=error.message,
            )
            for other in set(OF_APPS) - {kind}:
                await store.alerts.resolve_alert(
                    transaction, None, other, account.client_id, at=now
                )
            await store.alerts.open_alert(
                transaction, None, kind, account.client_id,
                at=now, message=f"{error.message} All posts of this X app wait.", next=error.next,
            )  # fmt: skip

        await self.write(work)
        await self.rest(pause, error.message, excused=True)

    async def lose_account(self, error: ReconnectNeeded) -> None:
        """The grant is dead: the account's posts wait until its owner connects it again."""
        await mark_needs_reconnect(self.runtime, self.account, error)
        await self.rest(timedelta(0), str(error))

    async def ask_for_media(self, pause: timedelta, why: str) -> None:
        """Have somebody bring the post's files to X, and rest meanwhile."""
        now = self.runtime.clock.now()

        async def work(transaction: Transaction) -> None:
            await transaction.run("request_upload", post=self.journal.post.id, at=now)

        await self.write(work)
        await self.rest(pause, why)

    async def ask_person(self, part: PartProgress, why: str) -> None:
        """Roost cannot know; somebody has to look."""
        await self.settle(PostState.NEEDS_DECISION, why, position=part.part.position)

    async def settle(
        self,
        after: PostState,
        why: str,
        *,
        position: int | None = None,
    ) -> None:
        """The post's own last step; a part's refusal is its reason where there is one."""
        post, now = self.journal.post, self.runtime.clock.now()
        failpoint(Failpoint.POST_BEFORE_SETTLED)

        async def work(transaction: Transaction) -> None:
            reason = why
            if after in {PostState.FAILED, PostState.PARTLY_PUBLISHED}:
                events = await store.posts.list_events(transaction, post.id)
                refusals = (e.why for e in reversed(events) if e.after == PartState.FAILED)
                reason = next(refusals, why)
            told = None if after is PostState.PUBLISHED else reason
            # A post that was edited meanwhile, to another time, is not what this was decided on.
            if not await store.posts.move(
                transaction, post.id, PostState.PUBLISHING, after, told, at=now, due_at=post.due_at
            ):
                return
            await store.posts.add_event(
                transaction, self.tenant_id, post.id, now, PostState.PUBLISHING, after, reason,
                actor=self.runtime.actor, position=position,
            )  # fmt: skip
            await alert_outcome(transaction, post, self.account, after, reason, at=now)

        await self.write(work)
        failpoint(Failpoint.POST_AFTER_SETTLED)
