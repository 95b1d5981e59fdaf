"""Puts posts on the calendar, changes and takes them back, and imports whole plans."""

import asyncio
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from roost import guards, mediafile, planfile, prices, store
from roost.errors import (
    AccountNotFound,
    MediaUnreadable,
    PostNotEditable,
    PostRefused,
    TimePast,
)
from roost.house import House
from roost.models import (
    NO_OPTIONS,
    Integration,
    PartOptions,
    Post,
    PostId,
    PostState,
    Tenant,
    TweetId,
    Violation,
)
from roost.store.database import Transaction
from roost.store.posts import NewMedia, NewPart

#: A new row of a plan that is later than this was not meant to go out now.
_LATE: Final = timedelta(hours=1)
#: Whoever means now may be this late.
_JUST_NOW: Final = timedelta(minutes=1)
_EDITABLE = {PostState.DRAFT, PostState.SCHEDULED}
#: Came to nothing: nothing of it is on X, and with another time it may be tried again.
_OVER = {PostState.FAILED, PostState.MISSED}


@dataclass(frozen=True, slots=True)
class PlainPart:
    """One tweet as somebody asks for it: a text, files with their alt texts, and its options."""

    text: str
    media: tuple[tuple[Path, str | None], ...] = ()
    options: PartOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of a post before anything is stored or sent."""

    drafts: tuple[guards.PartDraft, ...]
    violations: tuple[Violation, ...]
    price: prices.Price


def _plain(path: Path) -> Path:
    """Absolute, without `..`: a worker in another folder has to find it."""
    return Path(os.path.normpath(path.absolute()))


async def judge(
    parts: Sequence[PlainPart],
    *,
    subscription_type: str | None = None,
    may_quote: bool = False,
    own: Mapping[TweetId, datetime | None] = MappingProxyType({}),
) -> Judged:
    """Probe the files and hold the post against X's rules; every violation at once.

    `may_quote`: the X app has a plan for that. `own` are posts that are known as the account's,
    each with when it was deleted from X.
    """
    drafts, violations = [], []
    for position, part in enumerate(parts, start=1):
        media = []
        for path, alt_text in part.media:
            try:
                file = await asyncio.to_thread(mediafile.probe, _plain(path))
            except MediaUnreadable as error:
                violations.append(
                    Violation(error.code, error.message, next=error.next, part=position)
                )
                continue
            media.append(guards.MediaDraft(file, alt_text))
        drafts.append(guards.PartDraft(part.text, tuple(media), part.options))
    violations += guards.judge_post(
        drafts, subscription_type=subscription_type, may_quote=may_quote
    )
    violations += _judge_parents(parts, own)
    return Judged(tuple(drafts), tuple(violations), guards.price_post(drafts, own))


def _judge_parents(
    parts: Sequence[PlainPart], own: Mapping[TweetId, datetime | None]
) -> Iterator[Violation]:
    for position, part in enumerate(parts, start=1):
        for tweet_id in _named(part.options):
            if own.get(tweet_id) is not None:
                yield Violation(
                    "parent_gone",
                    f"The post {tweet_id} was deleted from X.",
                    next="Name another post, or leave it out.",
                    part=position if len(parts) > 1 else None,
                )


def _named(options: PartOptions) -> list[TweetId]:
    """The posts on X that a part names."""
    return [each for each in (options.reply_to, options.quote_of) if each is not None]


async def judge_for(
    house: House, tenant: Tenant, account: Integration, parts: Sequence[PlainPart]
) -> Judged:
    """The same for an account, with what is known of the posts that the parts name."""
    named = [tweet_id for part in parts for tweet_id in _named(part.options)]
    own: Mapping[TweetId, datetime | None] = {}
    if named:
        async with house.database.statements(tenant.id) as transaction:
            own = await store.posts.list_own(transaction, account.id, named)
    return await judge(
        parts,
        subscription_type=account.subscription_type,
        may_quote=house.settings.may_quote,
        own=own,
    )


def _refuse(judged: Judged) -> None:
    if not judged.violations:
        return
    first = judged.violations[0]
    more = len(judged.violations) - 1
    raise PostRefused(
        first.message + (f" (and {more} more)" if more else ""),
        violations=[
            {"code": one.code, "message": one.message, "next": one.next, "part": one.part}
            for one in judged.violations
        ],
    )


def _refuse_past(due_at: datetime | None, now: datetime) -> None:
    if due_at is not None and due_at < now - _JUST_NOW:
        raise TimePast(f"{due_at.isoformat(timespec='seconds')} is over.")


def _rows(judged: Judged) -> list[NewPart]:
    return [
        NewPart(
            part.text,
            tuple(
                NewMedia(
                    path=str(media.file.path),
                    sha256=media.file.sha256,
                    kind=media.file.kind,
                    mime_type=media.file.mime_type,
                    size_bytes=media.file.size_bytes,
                    alt_text=media.alt_text,
                )
                for media in part.media
            ),
            part.options,
        )
        for part in judged.drafts
    ]


async def schedule_post(
    house: House,
    tenant: Tenant,
    integration: Integration,
    parts: Sequence[PlainPart],
    *,
    due_at: datetime | None,
    why: str,
    tolerance: timedelta | None = None,
) -> Post:
    """Store a post due at an instant; without one, as a draft.

    `tolerance` is how late it may go out; None: as the settings say.

    Raises: PostRefused with every violation, TimePast (nothing is stored).
    """
    _refuse_past(due_at, house.clock.now())
    judged = await judge_for(house, tenant, integration, parts)
    _refuse(judged)
    async with house.database.tenant(tenant.id) as transaction:
        post_id = await store.posts.add(
            transaction,
            tenant.id,
            integration.id,
            _rows(judged),
            due_at=due_at,
            now=house.clock.now(),
            why=why,
            who=house.who,
            prepare_ahead=house.settings.prepare_ahead,
            tolerance=tolerance,
        )
        assert post_id is not None, "only an import can meet a post that is there already"
        return await store.posts.get(transaction, post_id)


async def edit_post(
    house: House,
    tenant: Tenant,
    post_id: PostId,
    *,
    parts: Sequence[PlainPart] | None,
    due_at: datetime | None,
) -> Post:
    """Another text, other files or another time for a post that has not begun, or came to nothing.

    A post that failed or was missed needs a new time: it is scheduled again.

    Raises: PostNotFound, PostNotEditable, PostRefused, TimePast (nothing is changed).
    """
    _refuse_past(due_at, house.clock.now())
    async with house.database.tenant(tenant.id) as transaction:
        post = await store.posts.get(transaction, post_id)
        integration = await store.accounts.get(transaction, post.integration_id)
    judged = None
    if parts is not None:
        judged = await judge_for(house, tenant, integration, parts)
        _refuse(judged)
    async with house.database.tenant(tenant.id) as transaction:
        state = await _take_editable(transaction, post_id, _EDITABLE | _OVER)
        if state in _OVER and due_at is None:
            raise PostNotEditable(
                f"Post {post_id} is {state}.", next="Give it another time with --at."
            )
        if judged is not None or state in _OVER:
            rows = _rows(judged) if judged is not None else _same(post)
            await store.posts.replace_parts(transaction, tenant.id, integration.id, post_id, rows)
        when = due_at or (post.due_at if state is PostState.SCHEDULED else None)
        if when is not None:
            await store.posts.reschedule(
                transaction, post_id, when, prepare_ahead=house.settings.prepare_ahead
            )
        if state is PostState.MISSED:
            await store.alarms.end(
                transaction, tenant.id, "missed", f"post {post_id}", at=house.clock.now()
            )
        changed = await store.posts.get(transaction, post_id)
        await store.posts.tell(
            transaction,
            tenant.id,
            post_id,
            house.clock.now(),
            post.state,
            changed.state,
            "edited by hand",
            who=house.who,
        )
    return changed


def _same(post: Post) -> list[NewPart]:
    """A post's parts as they are, to be stored anew without what became of them."""
    return [
        NewPart(
            part.text,
            tuple(
                NewMedia(
                    each.path, each.sha256, each.kind, each.mime_type, each.size_bytes,
                    each.alt_text,
                )
                for each in part.media
            ),
            part.options,
        )
        for part in post.parts
    ]  # fmt: skip


async def cancel_post(house: House, tenant: Tenant, post_id: PostId) -> Post:
    """Take a post back before its time. Raises: PostNotFound, PostNotEditable."""
    async with house.database.tenant(tenant.id) as transaction:
        state = await _take_editable(transaction, post_id, _EDITABLE | {PostState.MISSED})
        await store.posts.move(transaction, post_id, state, PostState.CANCELLED)
        now = house.clock.now()
        await store.posts.tell(
            transaction, tenant.id, post_id, now, state, PostState.CANCELLED, "cancelled by hand",
            who=house.who,
        )  # fmt: skip
        await store.alarms.end(transaction, tenant.id, "missed", f"post {post_id}", at=now)
        return await store.posts.get(transaction, post_id)


async def _take_editable(
    transaction: Transaction, post_id: PostId, states: Collection[PostState]
) -> PostState:
    state = await store.posts.lock_state(transaction, post_id)
    if state not in states:
        raise PostNotEditable(
            f"Post {post_id} is {state}; it can no longer be changed here.",
            next=f"`roost posts {post_id} --history` tells what became of it.",
        )
    return state


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    posts: int
    """Posts that were scheduled (in a dry run: that would be)."""
    known: int
    """Posts that an earlier import of the same rows had brought already."""
    refused: tuple[planfile.RefusedRow, ...]
    price: prices.Price
    """Of what was scheduled."""


async def import_plan(
    house: House, tenant: Tenant, path: Path, *, dry_run: bool = False
) -> Imported:
    """Schedule every valid post of a plan; a wrong row is refused alone, with every reason.

    Importing the same file again changes nothing. Raises: PlanInvalid.
    """
    now = house.clock.now()
    plan = planfile.read_plan(path, time_zone=tenant.time_zone, now=now)
    async with house.database.tenant(tenant.id) as transaction:
        accounts = {
            account.username.lower(): account
            for account in await store.accounts.list_all(transaction)
        }
        brought_before = await store.posts.list_imported(
            transaction, [planned.key for planned in plan.posts]
        )
    refused, sound = list(plan.refused), []
    for planned in plan.posts:
        account = accounts.get(planned.account.lstrip("@").lower())
        if account is None:
            error = AccountNotFound(f"Tenant {tenant.name!r} has no account {planned.account}.")
            unknown = Violation(error.code, error.message, next=error.next)
            refused += planfile.refuse_post(planned, [unknown])
            continue
        if planned.due_at < now - _LATE and planned.key not in brought_before:
            past = Violation(
                "time_past",
                f"Its time was {planned.due_at.isoformat(timespec='minutes')}.",
                next="Give it a time to come.",
            )
            refused += planfile.refuse_post(planned, [past])
            continue
        parts = [PlainPart(part.text, part.media, part.options) for part in planned.parts]
        judged = await judge_for(house, tenant, account, parts)
        if judged.violations:
            refused += planfile.refuse_post(planned, judged.violations)
        else:
            sound.append((planned, account, judged))
    brought, known = [], 0
    async with house.database.tenant(tenant.id) as transaction:
        for planned, account, judged in sound:
            post_id = await store.posts.add(
                transaction,
                tenant.id,
                account.id,
                _rows(judged),
                due_at=planned.due_at,
                now=now,
                why=f"imported from {path.name}, line {planned.lines[0]}",
                who=house.who,
                prepare_ahead=house.settings.prepare_ahead,
                import_key=planned.key,
            )
            if post_id is None:
                known += 1
            else:
                brought.append(judged.price)
        if dry_run:
            await transaction.raw.rollback()
    refused.sort(key=lambda row: row.line)
    return Imported(len(brought), known, tuple(refused), prices.sum_of(brought))
