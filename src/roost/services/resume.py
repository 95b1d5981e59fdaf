"""Lets everything go on after a stop; after a restore, X is searched for the calendar first.

What X has is adopted. What is due and not found is looked for once more after 120 s, when no
request of before can arrive any more, and sent then.
A post that is due later and is on X already was moved after the copy was made: a person is asked.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from roost import store, timelines
from roost.account_client import open_account
from roost.errors import DatabaseCopied, ReconnectNeeded, RestoreSearchFailed, RoostError
from roost.models import (
    AlertKind,
    Integration,
    IntegrationStatus,
    PartState,
    PostId,
    PostState,
    TenantId,
    TweetId,
)
from roost.outcome_alerts import alert_outcome
from roost.part_price import price_part
from roost.publishing import reconcile
from roost.publishing.next_step import RESEND_AFTER
from roost.publishing.reconcile import TimelinePost
from roost.publishing.state import Outcome, PartProgress, PublishState
from roost.runtime import Runtime
from roost.store.database import Transaction

_FORGOTTEN: Final = "the database was restored, and may have forgotten that this was sent"
#: Timelines that are read at a time.
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Adopted:
    """A part that X has, though the restored database did not know."""

    post_id: PostId
    position: int
    tweet_id: TweetId


@dataclass(slots=True)
class Resumed:
    """What was found when everything was resumed; all empty where nothing was restored."""

    adopted: list[Adopted] = field(default_factory=list)
    asked: list[PostId] = field(default_factory=list)
    """Due later, yet X has an identical post since the copy: a person decides."""
    looked_for: list[PostId] = field(default_factory=list)
    """Due by now and not found: looked for once more, 120 s later, before they are sent."""
    may_have_changed: list[PostId] = field(default_factory=list)
    """On the calendar: edits and cancellations since the copy are lost."""
    paused: list[Integration] = field(default_factory=list)
    """X could not be searched for them: they have to be connected again, or are of another X."""

    @property
    def paused_accounts(self) -> list[str]:
        """The usernames of `paused`."""
        return [account.username for account in self.paused]


async def resume_everything(runtime: Runtime, *, accept_copy: bool = False) -> Resumed:
    """Switch everything on again; after a restore, search X first.

    One read of the timeline an account with posts on its calendar, billed by the posts in it.
    Raises: DatabaseCopied (unless `accept_copy`), RestoreSearchFailed; nothing is resumed then.
    """
    async with runtime.database.unscoped() as transaction:
        switch = await transaction.run_one("get_global_pause")
    assert switch is not None
    resumed = Resumed()
    if switch["copied"] and not accept_copy:
        raise DatabaseCopied(
            "This database is a copy of the one that workers have published from. Where both are"
            " used, posts go out twice.",
            did="Nothing was resumed.",
        )
    if switch["restored_to"] is not None:
        resumed = await _search(runtime, switch["restored_to"])
    now = runtime.clock.now()
    state = await store.installation.read(runtime.database.autocommit)
    async with runtime.database.unscoped() as transaction:
        if switch["restored_to"] is not None:
            await store.installation.accept(
                transaction, state, since=switch["restored_to"], until=now + RESEND_AFTER
            )
        await transaction.run("resume_everything", at=now, actor=runtime.actor)
        for kind in (AlertKind.RESTORED, AlertKind.COPIED):
            await store.alerts.resolve_alert(transaction, None, kind, "database", at=now)
        await transaction.run("announce_due")
    return resumed


async def _search(runtime: Runtime, since: datetime) -> Resumed:
    """Search X for the calendar of every account, a few at a time."""
    resumed, failed = Resumed(), list[str]()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def search(account: Integration, calendar: Sequence[PostId]) -> None:
        async with gate:
            try:
                await _Search(runtime, account, since, resumed).run(calendar)
            except RoostError as error:
                failed.append(f"@{account.username} ({error.code})")

    searches = []
    for tenant_id in await store.tenants.list_ids(runtime.database):
        async with runtime.database.for_tenant(tenant_id) as transaction:
            accounts = await store.integrations.list_all(transaction)
            rows = await transaction.run("list_calendar")
        for account in accounts:
            calendar = [PostId(row["id"]) for row in rows if row["integration_id"] == account.id]
            if calendar:
                searches.append(search(account, calendar))
    await asyncio.gather(*searches)
    if failed:
        raise RestoreSearchFailed(
            f"X could not be searched for {', '.join(sorted(failed))}.",
            did="Nothing was resumed; what was found on X is kept.",
        )
    # Not before the search has succeeded: another one may find them connected again.
    for account in resumed.paused:
        await _pause(runtime, account)
    return resumed


async def _pause(runtime: Runtime, account: Integration) -> None:
    """Pause an account that could not be searched, until a person resumes it."""
    why = f"@{account.username} could not be searched on X after the restore"
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        await transaction.run("lock_pauses")
        await transaction.run(
            "set_account_paused", integration=account.id, paused=True,
            at=runtime.clock.now(), reason=why, actor=runtime.actor,
        )  # fmt: skip


@dataclass(frozen=True)
class _Search:
    """The search for one account's calendar."""

    runtime: Runtime
    account: Integration
    since: datetime
    resumed: Resumed

    @property
    def _tenant_id(self) -> TenantId:
        return self.account.tenant_id

    async def run(self, calendar: Sequence[PostId]) -> None:
        """Read the timeline and match the calendar with it, in due order."""
        timeline = await self._read_timeline()
        async with self.runtime.database.for_tenant(self._tenant_id) as transaction:
            taken = await store.posts.list_claimed(
                transaction, [seen.tweet_id for seen in timeline or ()]
            )
        for post_id in calendar:
            async with self.runtime.database.for_tenant(self._tenant_id) as transaction:
                await store.posts.lock_state(transaction, post_id)
                journal = await store.publishing.get(transaction, post_id)
                matches = match_post(
                    journal, since=self.since, timeline=timeline or (), claimed=taken
                )
                taken |= {seen.tweet_id for _, seen in matches}
                await self._settle(transaction, journal, matches)

    async def _read_timeline(self) -> list[TimelinePost] | None:
        """None where this X cannot be asked by the account."""
        account = self.account
        try:
            if account.environment is not self.runtime.settings.environment:
                raise ReconnectNeeded(f"@{account.username} is of the {account.environment} X.")
            if account.status is not IntegrationStatus.CONNECTED:
                raise ReconnectNeeded(f"@{account.username} is not connected.")
            client = open_account(self.runtime, account)
            return await timelines.read_since(client, account.x_user_id, self.since)
        except ReconnectNeeded:
            self.resumed.paused.append(self.account)
            return None

    async def _settle(
        self,
        transaction: Transaction,
        journal: PublishState,
        matches: Sequence[tuple[PartProgress, TimelinePost]],
    ) -> None:
        post, now = journal.post, self.runtime.clock.now()
        assert post.due_at is not None, "what is on the calendar has a time"
        is_due = post.due_at <= now
        if matches and not is_due:
            await self._ask(transaction, journal, *matches[0])
            return
        if matches and post.state is PostState.SCHEDULED:
            await self._move(transaction, journal, PostState.PUBLISHING, _FORGOTTEN)
        for part, seen in matches:
            await self._adopt(transaction, journal, part, seen)
        matched = [part for part, _ in matches]
        missing = [one for one in journal.parts if _may_be_forgotten(one) and one not in matched]
        if missing and is_due:
            self.resumed.looked_for.append(post.id)
        elif missing:
            self.resumed.may_have_changed.append(post.id)

    async def _ask(
        self,
        transaction: Transaction,
        journal: PublishState,
        part: PartProgress,
        seen: TimelinePost,
    ) -> None:
        """A post that is due later is on X: it was moved, or another is identical."""
        if journal.post.state is PostState.SCHEDULED:
            await self._move(transaction, journal, PostState.PUBLISHING, _FORGOTTEN)
        await self._doubt(transaction, part, PartState.UNKNOWN)
        why = f"X has an identical post since the copy was made: {seen.tweet_id}"
        journal = await store.publishing.get(transaction, journal.post.id)
        await self._move(transaction, journal, PostState.NEEDS_DECISION, why)
        await alert_outcome(
            transaction, journal.post, self.account, PostState.NEEDS_DECISION, why,
            at=self.runtime.clock.now(),
        )  # fmt: skip
        self.resumed.asked.append(journal.post.id)

    async def _adopt(
        self,
        transaction: Transaction,
        journal: PublishState,
        part: PartProgress,
        seen: TimelinePost,
    ) -> None:
        await self._doubt(transaction, part, PartState.SENDING)
        again = await store.publishing.get(transaction, journal.post.id)
        current = next(one for one in again.parts if one.part.id == part.part.id)
        price = await price_part(transaction, self.account.id, part.part)
        await store.publishing.record_sent(
            transaction,
            self._tenant_id,
            self.account.id,
            current.part,
            current.last,
            seen.tweet_id,
            outcome=Outcome.ADOPTED,
            sent_at=seen.created_at,
            usd=price.low,
            price_reason=price.reason,
            windows=(),
            at=self.runtime.clock.now(),
            from_state=PartState.SENDING,
            reason=f"found on X's timeline as {seen.tweet_id}",
            actor=self.runtime.actor,
        )
        self.resumed.adopted.append(Adopted(journal.post.id, part.part.position, seen.tweet_id))

    async def _doubt(self, transaction: Transaction, part: PartProgress, after: PartState) -> None:
        """An attempt whose answer is not known, for what X has or may have."""
        now = self.runtime.clock.now()
        await transaction.run(
            "mark_part_unknown", part=part.part.id, from_state=part.part.state,
            started_at=self.since, at=now, reason=_FORGOTTEN, actor=self.runtime.actor,
        )  # fmt: skip
        if after is PartState.UNKNOWN:
            await store.publishing.move_part(
                transaction, part.part.id, PartState.SENDING, PartState.UNKNOWN, at=now,
                reason="X has an identical post", actor=self.runtime.actor,
            )  # fmt: skip

    async def _move(
        self, transaction: Transaction, journal: PublishState, after: PostState, why: str
    ) -> None:
        post, now = journal.post, self.runtime.clock.now()
        reason = why if after is PostState.NEEDS_DECISION else None
        if await store.posts.move(transaction, post.id, post.state, after, reason, at=now):
            await store.posts.add_event(
                transaction, self._tenant_id, post.id, now, post.state, after,
                why, actor=self.runtime.actor,
            )  # fmt: skip


def _may_be_forgotten(one: PartProgress) -> bool:
    """Whether the part would be sent without a look at X: a later attempt may be forgotten."""
    return one.part.state is PartState.PENDING or (
        one.part.state is PartState.UNKNOWN and one.confirmed_absent
    )


def match_post(
    journal: PublishState,
    *,
    since: datetime,
    timeline: Sequence[TimelinePost],
    claimed: set[TweetId],
) -> list[tuple[PartProgress, TimelinePost]]:
    """Which parts X has without Roost's knowledge, from the first that it may have. Pure."""
    matches: list[tuple[PartProgress, TimelinePost]] = []
    parent: TweetId | None = None
    for one in journal.parts:
        parent = parent or one.part.options.reply_to
        if one.part.state is PartState.SENT:
            parent = one.part.sent_as
            continue
        if not _may_be_forgotten(one):
            break
        verdict = reconcile.judge_forgotten(
            timelines.describe_part(one, parent),
            since=since,
            timeline=timeline,
            claimed=claimed | {seen.tweet_id for _, seen in matches},
        )
        if not isinstance(verdict, reconcile.Found):
            break
        matches.append((one, verdict.seen))
        parent = verdict.seen.tweet_id
    return matches
