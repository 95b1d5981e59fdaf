"""Puts posts on the calendar, changes and takes them back, and imports whole plans."""

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from roost import guards, planfile, prices, store
from roost.errors import (
    AccountNotFound,
    MediaUnreadable,
    PostNotEditable,
    PostRefused,
    TimePast,
    TimeTooFar,
)
from roost.house import House
from roost.media_store import MediaStore
from roost.models import (
    NO_OPTIONS,
    Integration,
    MediaAsset,
    PartOptions,
    PartState,
    Post,
    PostFinding,
    PostId,
    PostState,
    Tenant,
    TweetId,
    Violation,
)
from roost.post_files import OnFileProgress, probe_file, require_copies
from roost.store.database import Transaction
from roost.store.posts import NewMedia, NewPart
from roost.text import text_or_none

#: A new row of a plan that is later than this was not meant to go out now.
_LATE: Final = timedelta(hours=1)
#: Whoever means now may be this late.
_JUST_NOW: Final = timedelta(minutes=1)
#: A post may be planned so far ahead.
_FARTHEST: Final = timedelta(days=5 * 366)
_EDITABLE = {PostState.DRAFT, PostState.SCHEDULED}
#: Came to nothing: nothing of it is on X, and with another time it may be tried again.
_OVER = {PostState.FAILED, PostState.MISSED}
#: May have attempts, which created nothing: an edited post begins anew, without them.
_BEGUN = _OVER | {PostState.PUBLISHING}


@dataclass(frozen=True, slots=True)
class PlainPart:
    """One tweet as somebody asks for it: a text, files with their alt texts, and its options."""

    text: str
    media: tuple[tuple[Path | MediaAsset, str | None], ...] = ()
    """Files, or those that the post carries already."""
    options: PartOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of a post before anything is stored or sent."""

    drafts: tuple[guards.PartDraft, ...]
    violations: tuple[Violation, ...]
    findings: tuple[PostFinding, ...]
    """What X takes but is probably not meant."""
    price: prices.Price


#: Called with what is probably not meant in a post that is taken all the same.
OnFindings = Callable[[Sequence[PostFinding]], None]


def _plain(path: Path) -> Path:
    """Absolute, without `..`: a post tells where its files came from."""
    return Path(os.path.normpath(path.absolute()))


async def judge(
    parts: Sequence[PlainPart],
    *,
    subscription_type: str | None = None,
    may_quote: bool = False,
    own: Mapping[TweetId, datetime | None] = MappingProxyType({}),
    store_in: MediaStore | None = None,
    on_progress: OnFileProgress | None = None,
    within: Path | None = None,
) -> Judged:
    """Probe the files and hold the post against X's rules; every violation at once.

    `may_quote`: the X app has a plan for that. `own` are posts that are known as the account's,
    each with when it was deleted from X. What will be stored needs `store_in`: each file is
    copied, and the copy is judged. A plan's files lie `within` its folder.
    Raises: of what `probe_file` raises all but MediaUnreadable.
    """
    drafts, violations = [], []
    for position, part in enumerate(parts, start=1):
        media = []
        for path, alt_text in part.media:
            try:
                source = _plain(path) if isinstance(path, Path) else path
                file = await probe_file(source, store_in, on_progress, within=within)
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
    findings = tuple(guards.lint_post(drafts))
    return Judged(tuple(drafts), tuple(violations), findings, guards.price_post(drafts, own))


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
    house: House,
    tenant: Tenant,
    account: Integration,
    parts: Sequence[PlainPart],
    *,
    store_in: MediaStore | None = None,
    on_progress: OnFileProgress | None = None,
    within: Path | None = None,
) -> Judged:
    """Judge a post of an account, with what is known of the posts that its parts name."""
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
        store_in=store_in,
        on_progress=on_progress,
        within=within,
    )


def _accepting(
    house: House, parts: Iterable[PlainPart | planfile.PlannedPart]
) -> contextlib.AbstractAsyncContextManager[None]:
    """Where copies of the parts' files are made, and what needs them is committed."""
    has_files = any(part.media for part in parts)
    return house.media.accepting() if has_files else contextlib.nullcontext()


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


def check_due(due_at: datetime | None, now: datetime) -> None:
    """Refuse a time that is over or too far ahead. Raises: TimePast, TimeTooFar."""
    if due_at is None:
        return
    if due_at < now - _JUST_NOW:
        raise TimePast(f"{due_at.isoformat(timespec='seconds')} is over.")
    if due_at > now + _FARTHEST:
        raise TimeTooFar(f"{due_at.isoformat(timespec='seconds')} is more than five years ahead.")


def _rows(judged: Judged) -> list[NewPart]:
    return [
        NewPart(
            text_or_none(part.text) or "",
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
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
) -> Post:
    """Store a post due at an instant, with copies of its files; without an instant, as a draft.

    `tolerance` is how late it may go out; None: as the settings say.

    Raises: PostRefused with every violation, TimePast, TimeTooFar (nothing is stored); what
    `judge` raises.
    """
    check_due(due_at, house.clock.now())
    async with _accepting(house, parts):
        judged = await judge_for(
            house, tenant, integration, parts, store_in=house.media, on_progress=on_progress
        )
        _refuse(judged)
        if on_findings is not None:
            on_findings(judged.findings)
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
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
) -> Post:
    """Another text, other files or another time for a post of which X has nothing.

    A post that failed or was missed needs a new time, and the copies of its files. A post that is
    on its way, and waits, is scheduled again; without a new time it continues when the wait ends.

    Raises: PostNotFound, PostNotEditable, PostRefused, TimePast, TimeTooFar (nothing is changed);
    what `judge` raises.
    """
    async with _accepting(house, parts or ()):
        return await _edit(house, tenant, post_id, parts, due_at, on_findings, on_progress)


async def _edit(
    house: House,
    tenant: Tenant,
    post_id: PostId,
    parts: Sequence[PlainPart] | None,
    due_at: datetime | None,
    on_findings: OnFindings | None,
    on_progress: OnFileProgress | None,
) -> Post:
    check_due(due_at, house.clock.now())
    async with house.database.tenant(tenant.id) as transaction:
        post = await store.posts.get(transaction, post_id)
        integration = await store.accounts.get(transaction, post.integration_id)
    judged = None
    if parts is not None:
        judged = await judge_for(
            house, tenant, integration, parts, store_in=house.media, on_progress=on_progress
        )
        _refuse(judged)
        if on_findings is not None:
            on_findings(judged.findings)
    elif post.state in _OVER:
        files = [file for part in post.parts for file in part.media]
        await require_copies(house.media, files)
    async with house.database.tenant(tenant.id) as transaction:
        state = await _take_editable(transaction, post_id, _EDITABLE | _OVER)
        # As it is now that nobody else can change it.
        post, now = await store.posts.get(transaction, post_id), house.clock.now()
        if state in _OVER and due_at is None:
            raise PostNotEditable(
                f"Post {post_id} is {state}.", next="Give it another time with --at."
            )
        if judged is not None or state in _BEGUN:
            rows = _rows(judged) if judged is not None else _same(post)
            await store.posts.replace_parts(transaction, tenant.id, integration.id, post_id, rows)
        when = due_at if due_at is not None or state is PostState.DRAFT else post.due_at
        if when is not None:
            await store.posts.reschedule(
                transaction, post_id, when, prepare_ahead=house.settings.prepare_ahead, at=now
            )
        changed = await store.posts.get(transaction, post_id)
        await store.posts.tell(
            transaction,
            tenant.id,
            post_id,
            now,
            state,
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
    """Take a post back while X has nothing of it. Raises: PostNotFound, PostNotEditable."""
    async with house.database.tenant(tenant.id) as transaction:
        state = await _take_editable(transaction, post_id, _EDITABLE | _OVER)
        now = house.clock.now()
        await store.posts.move(transaction, post_id, state, PostState.CANCELLED, at=now)
        await store.posts.tell(
            transaction, tenant.id, post_id, now, state, PostState.CANCELLED, "cancelled by hand",
            who=house.who,
        )  # fmt: skip
        return await store.posts.get(transaction, post_id)


async def _take_editable(
    transaction: Transaction, post_id: PostId, states: Collection[PostState]
) -> PostState:
    """The state of a post, locked, in one of these states; or on its way and X has nothing of it.

    An attempt locks the same row: either it sees what is changed here, or it is seen here.
    """
    state = await store.posts.lock_state(transaction, post_id)
    if state in states:
        return state
    if state is PostState.PUBLISHING and await store.posts.is_untouched(transaction, post_id):
        return state
    post = await store.posts.get(transaction, post_id)
    raise PostNotEditable(
        f"Post {post_id} {_why_fixed(post)}; it can no longer be changed here.",
        next=f"`roost posts {post_id} --history` tells what became of it.",
    )


def _why_fixed(post: Post) -> str:
    states = {part.state for part in post.parts}
    if post.state is not PostState.PUBLISHING:
        return f"is {post.state}"
    if PartState.SENDING in states:
        return "is being sent at this moment"
    if PartState.SENT in states:
        return "is on X in part"
    return "was handed to X, and may be there"


@dataclass(frozen=True, slots=True)
class RowFinding:
    """What is probably not meant in a row of a plan that goes in all the same."""

    line: int
    """Where the row begins in the file, counted from 1."""
    finding: PostFinding


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    posts: int
    """Posts that were scheduled (in a dry run: that would be)."""
    known: int
    """Posts that an earlier import of the same rows had brought already."""
    refused: tuple[planfile.RefusedRow, ...]
    findings: tuple[RowFinding, ...]
    """By line."""
    price: prices.Price
    """Of what was scheduled."""


async def import_plan(
    house: House,
    tenant: Tenant,
    path: Path,
    *,
    dry_run: bool = False,
    on_progress: OnFileProgress | None = None,
) -> Imported:
    """Schedule every valid post of a plan; a wrong row is refused alone, with every reason.

    Importing the same file again changes nothing; a dry run copies no file. Raises: PlanInvalid;
    what `judge` raises.
    """
    now = house.clock.now()
    plan = planfile.read_plan(path, time_zone=tenant.time_zone, now=now)
    parts = [part for planned in plan.posts for part in planned.parts if not dry_run]
    async with _accepting(house, parts):
        return await _import(house, tenant, path, plan, now, dry_run, on_progress)


async def _import(
    house: House,
    tenant: Tenant,
    path: Path,
    plan: planfile.Plan,
    now: datetime,
    dry_run: bool,
    on_progress: OnFileProgress | None,
) -> Imported:
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
        if planned.due_at > now + _FARTHEST:
            far = Violation(
                "time_too_far",
                f"Its time is {planned.due_at.isoformat(timespec='minutes')}.",
                next=TimeTooFar.default_next,
            )
            refused += planfile.refuse_post(planned, [far])
            continue
        parts = [PlainPart(part.text, part.media, part.options) for part in planned.parts]
        judged = await judge_for(
            house,
            tenant,
            account,
            parts,
            store_in=None if dry_run else house.media,
            on_progress=on_progress,
            within=path.parent,
        )
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
    findings = [
        RowFinding(planned.lines[(one.part or 1) - 1], one)
        for planned, _, judged in sound
        for one in judged.findings
    ]
    findings.sort(key=lambda row: row.line)
    return Imported(len(brought), known, tuple(refused), tuple(findings), prices.sum_of(brought))
