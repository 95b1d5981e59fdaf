"""Ends the global pause. After a restore, first searches X for the scheduled posts.

Posts that are found on X are adopted. A due post that is not found is searched for again 120 s
later, when no request from before the restore can still reach X; if it is still not found, it is
sent. If a post is on X although it is due later, its due time was changed after the backup was
made, so a user decides.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from roost import store, timelines
from roost.account_client import open_account
from roost.errors import DatabaseCopied, ReconnectNeeded, RestoreSearchFailed, RoostError
from roost.models import (
    Actor,
    AlertKind,
    EventCode,
    Integration,
    IntegrationStatus,
    PartState,
    PostId,
    PostState,
    Reason,
    ReasonCode,
    TenantId,
    TweetId,
    reason_detail,
)
from roost.models.alerts import DATABASE
from roost.outcome_alerts import alert_outcome
from roost.publishing import reconcile
from roost.publishing.next_step import RESEND_AFTER
from roost.publishing.reconcile import TimelinePost
from roost.publishing.state import Outcome, PartProgress, PublishState
from roost.runtime import Runtime
from roost.store.database import Transaction
from roost.store.statements import json_of

#: Maximum number of timelines that are read at a time.
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Adopted:
    """A part that is on X, although the restored database did not show it."""

    post_id: PostId
    position: int
    tweet_id: TweetId


@dataclass(slots=True)
class Resumed:
    """The result of the search of X; every list is empty if the database was not restored."""

    adopted: list[Adopted] = field(default_factory=list)
    needs_decision: list[PostId] = field(default_factory=list)
    """Posts that are due later although an identical post is on X; a user has to decide."""
    searched_again: list[PostId] = field(default_factory=list)
    """Due posts that were not found on X. They are searched for again after 120 s; posts that are
    still not found are sent."""
    may_have_changed: list[PostId] = field(default_factory=list)
    """Posts that are still scheduled; edits and cancellations made after the backup are lost."""
    paused: list[Integration] = field(default_factory=list)
    """Accounts that could not be searched: not connected, or of another environment."""

    was_paused: bool = True
    """Whether everything was paused."""

    @property
    def paused_accounts(self) -> list[str]:
        """The usernames of the accounts that are paused because they could not be searched."""
        return [account.username for account in self.paused]


async def resume_everything(
    runtime: Runtime, actor: Actor, *, accept_copy: bool = False
) -> Resumed:
    """End the global pause. After a restore, search X first.

    The search reads the timeline of each account with scheduled posts; X bills each post that it
    returns.
    Raises: DatabaseCopied (unless `accept_copy`), RestoreSearchFailed. If an error is raised,
    nothing is resumed.
    """
    async with runtime.database.unscoped() as transaction:
        pause = await transaction.run_one("get_global_pause")
    assert pause is not None
    resumed = Resumed(was_paused=pause["paused"])
    if pause["copied"] and not accept_copy:
        raise DatabaseCopied(
            "This database is a copy of the database from which workers have published. If workers"
            " use both, posts are published twice.",
            did="Nothing was resumed.",
        )
    if pause["restored_to"] is not None:
        resumed = await _search(runtime, actor, pause["restored_to"])
    if not await _end_pause(runtime, actor, pause):
        raise RestoreSearchFailed(
            "While Roost was resuming, it detected a restore or a copy of the database.",
            did="Nothing was resumed. Posts that were found on X were adopted.",
        )
    return resumed


async def _end_pause(runtime: Runtime, actor: Actor, searched: Mapping[str, Any]) -> bool:
    """End the global pause, unless X must be searched again.

    `searched` is the row of the global pause as it was before the search of X. If its columns
    `restored_to` or `copied` have changed since then, resume nothing and return False.
    """
    now = runtime.clock.now()
    async with runtime.database.unscoped() as transaction:
        await transaction.run("lock_pauses")
        pause = await transaction.run_one("get_global_pause")
        assert pause is not None
        if any(pause[name] != searched[name] for name in ("restored_to", "copied")):
            return False
        if pause["restored_to"] is not None:
            state = await store.installation.read(transaction)
            await store.installation.accept(
                transaction, state, since=pause["restored_to"], until=now + RESEND_AFTER
            )
        await transaction.run("resume_everything", at=now, actor=str(actor))
        for kind in (AlertKind.RESTORED, AlertKind.COPIED):
            await store.alerts.resolve_alert(transaction, None, kind, DATABASE, at=now)
        await transaction.run("announce_due")
    return True


async def _search(runtime: Runtime, actor: Actor, since: datetime) -> Resumed:
    """Search X for the scheduled posts of every account, a few accounts at a time."""
    resumed, failed = Resumed(), list[str]()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def search(account: Integration, calendar: Sequence[PostId]) -> None:
        async with gate:
            try:
                await _Search(runtime, actor, account, since, resumed).run(calendar)
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
            f"The timelines of these accounts could not be read: {', '.join(sorted(failed))}.",
            did="Nothing was resumed. Posts that were found on X were adopted.",
        )
    # Accounts are paused only after the whole search has succeeded. If the search fails, the
    # accounts may be reconnected before the user tries again.
    for account in resumed.paused:
        await _pause(runtime, actor, account)
    return resumed


async def _pause(runtime: Runtime, actor: Actor, account: Integration) -> None:
    """Pause an account whose timeline could not be searched, until a user resumes it."""
    reason = Reason(ReasonCode.NOT_SEARCHED)
    detail = {"username": account.username} | reason_detail(reason)
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        await transaction.run("lock_pauses")
        await transaction.run(
            "set_account_paused", integration=account.id, paused=True,
            at=runtime.clock.now(), detail=json_of(detail), actor=str(actor),
        )  # fmt: skip


@dataclass(frozen=True)
class _Search:
    """The search of X for one account's scheduled posts."""

    runtime: Runtime
    actor: Actor
    account: Integration
    since: datetime
    resumed: Resumed

    @property
    def _tenant_id(self) -> TenantId:
        return self.account.tenant_id

    async def run(self, calendar: Sequence[PostId]) -> None:
        """Read the timeline, and search it for the parts of the posts in `calendar`.

        `calendar` has the ids of the account's scheduled posts, in the order of their due times.
        """
        timeline = await self._read_timeline()
        async with self.runtime.database.for_tenant(self._tenant_id) as transaction:
            claimed = await store.posts.list_claimed(
                transaction, [post.tweet_id for post in timeline or ()]
            )
        for post_id in calendar:
            async with self.runtime.database.for_tenant(self._tenant_id) as transaction:
                await store.posts.lock_state(transaction, post_id)
                state = await store.publishing.get(transaction, post_id)
                matches = match_post(
                    state, since=self.since, timeline=timeline or (), claimed=claimed
                )
                claimed |= {post.tweet_id for _, post in matches}
                await self._apply(transaction, state, matches)

    async def _read_timeline(self) -> list[TimelinePost] | None:
        """Read the account's timeline. Return None if X cannot be read for the account."""
        account = self.account
        try:
            if account.environment is not self.runtime.settings.environment:
                raise ReconnectNeeded(
                    f"@{account.username} belongs to the environment {account.environment}."
                )
            if account.status is not IntegrationStatus.CONNECTED:
                raise ReconnectNeeded(f"@{account.username} is not connected.")
            client = open_account(self.runtime, account)
            return await timelines.read_since(client, account.x_user_id, self.since)
        except ReconnectNeeded:
            self.resumed.paused.append(self.account)
            return None

    async def _apply(
        self,
        transaction: Transaction,
        state: PublishState,
        matches: Sequence[tuple[PartProgress, TimelinePost]],
    ) -> None:
        """Adopt the parts that were found on X; if the post is not due yet, ask a user to decide.

        Otherwise, a post with a part that was not found is added to a list of `self.resumed`.
        """
        post, now = state.post, self.runtime.clock.now()
        assert post.due_at is not None, "a scheduled post has a due time"
        is_due = post.due_at <= now
        if matches and not is_due:
            await self._request_decision(transaction, state, *matches[0])
            return
        if matches and post.state is PostState.SCHEDULED:
            await self._move(transaction, state, PostState.PUBLISHING)
        for part, timeline_post in matches:
            await self._adopt(transaction, state, part, timeline_post)
        matched = [part for part, _ in matches]
        missing = [one for one in state.parts if _may_be_forgotten(one) and one not in matched]
        if missing and is_due:
            self.resumed.searched_again.append(post.id)
        elif missing:
            self.resumed.may_have_changed.append(post.id)

    async def _request_decision(
        self,
        transaction: Transaction,
        state: PublishState,
        part: PartProgress,
        timeline_post: TimelinePost,
    ) -> None:
        """Ask a user to decide about a post that is due later although it seems to be on X."""
        if state.post.state is PostState.SCHEDULED:
            await self._move(transaction, state, PostState.PUBLISHING)
        await self._add_attempt(transaction, part)
        reason = Reason(ReasonCode.IDENTICAL_ON_X, {"tweet_id": timeline_post.tweet_id})
        await store.publishing.move_part(
            transaction, part.part.id, PartState.SENDING, PartState.UNKNOWN,
            EventCode.PART_UNKNOWN, at=self.runtime.clock.now(), detail=reason_detail(reason),
            actor=self.actor,
        )  # fmt: skip
        state = await store.publishing.get(transaction, state.post.id)
        await self._move(transaction, state, PostState.NEEDS_DECISION, reason)
        await alert_outcome(
            transaction, state.post, self.account, PostState.NEEDS_DECISION, reason,
            at=self.runtime.clock.now(),
        )  # fmt: skip
        self.resumed.needs_decision.append(state.post.id)

    async def _adopt(
        self,
        transaction: Transaction,
        state: PublishState,
        part: PartProgress,
        timeline_post: TimelinePost,
    ) -> None:
        await self._add_attempt(transaction, part)
        reloaded = await store.publishing.get(transaction, state.post.id)
        current = next(one for one in reloaded.parts if one.part.id == part.part.id)
        price = await store.ledger.price_part(transaction, self.account.id, part.part)
        await store.publishing.record_sent(
            transaction,
            self._tenant_id,
            self.account.id,
            current.part,
            current.last,
            timeline_post.tweet_id,
            outcome=Outcome.ADOPTED,
            sent_at=timeline_post.created_at,
            usd=price.low,
            price_reason=price.reason,
            windows=(),
            at=self.runtime.clock.now(),
            from_state=PartState.SENDING,
            code=EventCode.PART_ADOPTED,
            detail={"tweet_id": timeline_post.tweet_id},
            actor=self.actor,
        )
        self.resumed.adopted.append(
            Adopted(state.post.id, part.part.position, timeline_post.tweet_id)
        )

    async def _add_attempt(self, transaction: Transaction, part: PartProgress) -> None:
        """Add an attempt that the database may have lost; its part becomes `sending`."""
        await transaction.run(
            "mark_part_unknown", part=part.part.id, from_state=part.part.state,
            started_at=self.since, at=self.runtime.clock.now(), detail=json_of({}),
            actor=str(self.actor),
        )  # fmt: skip

    async def _move(
        self,
        transaction: Transaction,
        state: PublishState,
        to_state: PostState,
        reason: Reason | None = None,
    ) -> None:
        """Change a post's state, and add an event to the post's history."""
        post, now = state.post, self.runtime.clock.now()
        code = EventCode.POST_REOPENED if reason is None else EventCode.POST_NEEDS_DECISION
        if await store.posts.move(transaction, post.id, post.state, to_state, reason, at=now):
            await store.posts.add_event(
                transaction, self._tenant_id, post.id, now, code, from_state=post.state,
                to_state=to_state, detail=reason_detail(reason), actor=self.actor,
            )  # fmt: skip


def _may_be_forgotten(one: PartProgress) -> bool:
    """Whether the part counts as not sent, so that Roost would send it.

    The part may nevertheless be on X, if the database lacks an attempt.
    """
    return one.part.state is PartState.PENDING or (
        one.part.state is PartState.UNKNOWN and one.confirmed_absent
    )


def match_post(
    state: PublishState,
    *,
    since: datetime,
    timeline: Sequence[TimelinePost],
    claimed: set[TweetId],
) -> list[tuple[PartProgress, TimelinePost]]:
    """Find parts of a post that are on X although the database does not say so. Pure.

    The search stops at the first part that is not found, because no later part can be on X without
    the parts before it.
    """
    matches: list[tuple[PartProgress, TimelinePost]] = []
    parent: TweetId | None = None
    for one in state.parts:
        parent = parent or one.part.options.reply_to
        if one.part.state is PartState.SENT:
            parent = one.part.sent_as
            continue
        if not _may_be_forgotten(one):
            break
        verdict = reconcile.match_forgotten_part(
            timelines.describe_part(one, parent),
            since=since,
            timeline=timeline,
            claimed=claimed | {post.tweet_id for _, post in matches},
        )
        if not isinstance(verdict, reconcile.Found):
            break
        matches.append((one, verdict.post))
        parent = verdict.post.tweet_id
    return matches
