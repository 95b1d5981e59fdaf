"""Validates a post and its files by X's rules, before the post is stored."""

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
from roost.mediafile import MediaFile
from roost.models import (
    Integration,
    MediaAsset,
    PartOptions,
    PostFinding,
    PostId,
    Scope,
    TweetId,
    Violation,
)
from roost.post_files import OnFileProgress, probe_file
from roost.publishing import validation
from roost.publishing.part_input import PartInput
from roost.repeats import REPEAT_WINDOW, RepeatCandidate, find_repeats
from roost.runtime import Runtime
from roost.text import text_or_none

#: A due time may be this far in the past, because a post that is due now takes time to arrive.
_NOW_TOLERANCE: Final = timedelta(minutes=1)
#: A due time may be this far in the future.
MAX_DUE_AHEAD: Final = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class FileAccess:
    """How the files of a post are read."""

    store_in: MediaStore | None = None
    """Where each file is copied before it is probed; None if the post will not be stored."""
    on_progress: OnFileProgress | None = None
    within: Path | None = None
    """The folder that the files must be in, if they are named in a plan file in that folder."""

    async def probe(self, source: Path | MediaAsset) -> MediaFile:
        """Read a file's properties. Raises: the errors of `probe_file`."""
        if isinstance(source, Path):
            # The path is stored to show where a file came from, so it must be absolute and clear.
            source = Path(os.path.normpath(source.absolute()))
        return await probe_file(source, self.store_in, self.on_progress, within=self.within)


#: For posts that are only validated: their files are probed where they are, and not copied.
PROBE_ONLY: Final = FileAccess()


@dataclass(frozen=True, slots=True)
class Validation:
    """The result of the validation of a post, which does not store or send the post."""

    parts: tuple[PartInput, ...]
    """The parts with probed files. A file that cannot be read is left out, and is a violation."""
    violations: tuple[Violation, ...]
    findings: tuple[PostFinding, ...]
    """Probable mistakes, which X accepts."""
    price: prices.Price


async def validate_parts(
    parts: Sequence[PartInput],
    *,
    subscription_type: str | None = None,
    may_quote: bool = False,
    own: Mapping[TweetId, datetime | None] = MappingProxyType({}),
    files: FileAccess = PROBE_ONLY,
) -> Validation:
    """Probe a post's files, validate the post by X's rules, and return all violations.

    `may_quote`: the X app has a plan that allows quotes. `own` has posts on X that are known to be
    the account's own, each with the time when it was deleted from X, or None.
    Raises: the errors of `probe_file`, except MediaUnreadable.
    """
    probed, violations = [], []
    for position, part in enumerate(parts, start=1):
        media = []
        for each in part.media:
            try:
                media.append(replace(each, file=await files.probe(each.source)))
            except MediaUnreadable as error:
                violations.append(
                    Violation(error.code, error.message, next=error.next, part=position)
                )
        probed.append(replace(part, media=tuple(media)))
    violations += validation.validate_post(
        probed, subscription_type=subscription_type, may_quote=may_quote
    )
    violations += _find_deleted_targets(parts, own)
    findings = tuple(validation.lint_post(probed))
    price = validation.price_post(probed, own)
    return Validation(tuple(probed), tuple(violations), findings, price)


def _find_deleted_targets(
    parts: Sequence[PartInput], own: Mapping[TweetId, datetime | None]
) -> Iterator[Violation]:
    for position, part in enumerate(parts, start=1):
        for tweet_id in _targets(part.options):
            if own.get(tweet_id) is not None:
                yield Violation(
                    "parent_gone",
                    f"The post {tweet_id} was deleted from X.",
                    next="Reply to or quote another post, or none.",
                    part=position if len(parts) > 1 else None,
                )


def _targets(options: PartOptions) -> list[TweetId]:
    """Return the ids of the posts on X that a part replies to or quotes."""
    return [each for each in (options.reply_to, options.quote_of) if each is not None]


async def validate_for_account(
    runtime: Runtime,
    scope: Scope,
    account: Integration,
    parts: Sequence[PartInput],
    *,
    due_at: datetime | None = None,
    excluding: PostId | None = None,
    files: FileAccess = PROBE_ONLY,
) -> Validation:
    """Validate a post of an account, also by the stored posts that it replies to or quotes.

    With a due time, the findings include other posts of the account with the same text at about
    that time. `excluding` is the id of the post itself, if it is stored already.
    """
    targets = [tweet_id for part in parts for tweet_id in _targets(part.options)]
    own: Mapping[TweetId, datetime | None] = {}
    if targets:
        async with runtime.database.for_tenant(scope.tenant_id) as transaction:
            own = await store.posts.list_own_parts(transaction, account.id, targets)
    result = await validate_parts(
        parts,
        subscription_type=account.subscription_type,
        may_quote=runtime.settings.may_quote,
        own=own,
        files=files,
    )
    if due_at is None:
        return result
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        others = await store.posts.list_texts(
            transaction,
            [account.id],
            since=due_at - REPEAT_WINDOW,
            until=due_at + REPEAT_WINDOW,
            excluding=excluding,
        )
    repeated = find_repeats(
        list_texts(result, due_at), others[account.id], parts_are_numbered=len(parts) > 1
    )
    return replace(result, findings=(*result.findings, *repeated))


def list_texts(result: Validation, due_at: datetime) -> list[RepeatCandidate]:
    """Return the text, files and options of each part, to compare them with other posts."""
    return [
        RepeatCandidate(
            text=part.text,
            file_hashes=tuple(media.probed.sha256 for media in part.media),
            options=part.options,
            at=due_at,
        )
        for part in result.parts
    ]


def prevent_copy_removal(
    runtime: Runtime, *, has_files: bool
) -> contextlib.AbstractAsyncContextManager[object]:
    """Prevent the removal of new copies of files until their post is committed."""
    return runtime.media.prevent_removal() if has_files else contextlib.nullcontext()


def require_valid(result: Validation) -> None:
    """Raise PostRefused with every violation, if there is any."""
    if not result.violations:
        return
    first = result.violations[0]
    more = len(result.violations) - 1
    raise PostRefused(
        first.message + (f" (and {more} more)" if more else ""),
        violations=[
            {"code": one.code, "message": one.message, "next": one.next, "part": one.part}
            for one in result.violations
        ],
    )


def check_due(due_at: datetime | None, now: datetime) -> None:
    """Raise TimePast or TimeTooFar if a due time is in the past or too far in the future."""
    if due_at is None:
        return
    if due_at < now - _NOW_TOLERANCE:
        raise TimePast(f"The due time {due_at.isoformat(timespec='seconds')} is in the past.")
    if due_at > now + MAX_DUE_AHEAD:
        raise TimeTooFar(
            f"The due time {due_at.isoformat(timespec='seconds')} is more than five years ahead."
        )


def with_stored_texts(result: Validation) -> list[PartInput]:
    """Return the parts with their texts as they are stored: a blank text becomes empty."""
    return [replace(part, text=text_or_none(part.text) or "") for part in result.parts]
