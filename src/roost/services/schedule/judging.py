"""Holds a post that is to be stored against X's rules, with its files, before anything is."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from roost import prices, store
from roost.errors import MediaUnreadable, PostRefused, TimePast, TimeTooFar
from roost.media_store import MediaStore
from roost.models import (
    NO_OPTIONS,
    Integration,
    MediaAsset,
    PartOptions,
    PostFinding,
    PostId,
    Tenant,
    TweetId,
    Violation,
)
from roost.post_files import OnFileProgress, probe_file
from roost.publishing import validation
from roost.repeats import REPEAT_WINDOW, RepeatCandidate, find_repeats
from roost.runtime import Runtime
from roost.store.posts import NewMedia, NewPart
from roost.text import text_or_none

#: Whoever means now may be this late.
_JUST_NOW: Final = timedelta(minutes=1)
#: A post may be planned so far ahead.
FARTHEST: Final = timedelta(days=5 * 366)


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

    drafts: tuple[validation.PartDraft, ...]
    violations: tuple[Violation, ...]
    findings: tuple[PostFinding, ...]
    """What X takes but is probably not meant."""
    price: prices.Price


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
            media.append(validation.MediaDraft(file, alt_text))
        drafts.append(validation.PartDraft(part.text, tuple(media), part.options))
    violations += validation.validate_post(
        drafts, subscription_type=subscription_type, may_quote=may_quote
    )
    violations += _judge_parents(parts, own)
    findings = tuple(validation.lint_post(drafts))
    return Judged(tuple(drafts), tuple(violations), findings, validation.price_post(drafts, own))


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
    runtime: Runtime,
    tenant: Tenant,
    account: Integration,
    parts: Sequence[PlainPart],
    *,
    due_at: datetime | None = None,
    excluding: PostId | None = None,
    store_in: MediaStore | None = None,
    on_progress: OnFileProgress | None = None,
    within: Path | None = None,
) -> Judged:
    """Judge a post of an account, with what is known of the posts that its parts name.

    With its time, also whether the account says the same at about then; `excluding` is the post
    itself where it is stored already.
    """
    named = [tweet_id for part in parts for tweet_id in _named(part.options)]
    own: Mapping[TweetId, datetime | None] = {}
    if named:
        async with runtime.database.for_tenant(tenant.id) as transaction:
            own = await store.posts.list_own_parts(transaction, account.id, named)
    judged = await judge(
        parts,
        subscription_type=account.subscription_type,
        may_quote=runtime.settings.may_quote,
        own=own,
        store_in=store_in,
        on_progress=on_progress,
        within=within,
    )
    if due_at is None:
        return judged
    async with runtime.database.for_tenant(tenant.id) as transaction:
        others = await store.posts.list_texts(
            transaction,
            [account.id],
            since=due_at - REPEAT_WINDOW,
            until=due_at + REPEAT_WINDOW,
            excluding=excluding,
        )
    repeated = find_repeats(
        list_said(judged, due_at), others[account.id], parts_are_numbered=len(parts) > 1
    )
    return replace(judged, findings=(*judged.findings, *repeated))


def list_said(judged: Judged, due_at: datetime) -> list[RepeatCandidate]:
    """What a judged post says, part by part."""
    return [
        RepeatCandidate(
            text=part.text,
            file_hashes=tuple(media.file.sha256 for media in part.media),
            options=part.options,
            at=due_at,
        )
        for part in judged.drafts
    ]


def accepting(
    runtime: Runtime, *, has_files: bool
) -> contextlib.AbstractAsyncContextManager[object]:
    """Where copies of posts' files are made, and what needs them is committed."""
    return runtime.media.prevent_removal() if has_files else contextlib.nullcontext()


def refuse(judged: Judged) -> None:
    """Raises: PostRefused with every violation, where there is one."""
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
    if due_at > now + FARTHEST:
        raise TimeTooFar(f"{due_at.isoformat(timespec='seconds')} is more than five years ahead.")


def new_parts(judged: Judged) -> list[NewPart]:
    """The parts of a judged post, to be stored."""
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
