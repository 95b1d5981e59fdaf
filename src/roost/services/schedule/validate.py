"""Validates a post and its files by X's rules, before the post is stored."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.errors import PostRefused, TimePast, TimeTooFar
from roost.formats import format_time
from roost.models import (
    Integration,
    PostId,
    Scope,
    TweetId,
)
from roost.part_validation import (
    PROBE_ONLY,
    FileAccess,
    Validation,
    list_targets,
    validate_parts,
)
from roost.publishing.part_input import PartInput
from roost.repeats import REPEAT_WINDOW, RepeatCandidate, find_repeats
from roost.runtime import Runtime
from roost.text import text_or_none

#: A due time may be this far in the past. A post that is due now must be accepted although its
#: validation takes time.
_NOW_TOLERANCE: Final = timedelta(minutes=1)
#: A due time may be this far in the future.
MAX_DUE_AHEAD: Final = timedelta(days=5 * 366)


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
    """Validate a post of an account, including the stored posts that it replies to or quotes.

    If `due_at` is given, the findings include other posts of the account with the same text at
    about that time. `excluding` is the id of the post itself, if the post is stored already.
    """
    targets = [tweet_id for part in parts for tweet_id in list_targets(part.options)]
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
    """Return each part's text, files and options in a form to compare with other posts."""
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
    """Return a context manager in whose block no copy of a media file is removed.

    The copies of a new post's files could otherwise be removed before the post is committed. If
    `has_files` is False, the context manager does nothing.
    """
    return runtime.media.prevent_removal() if has_files else contextlib.nullcontext()


def require_valid(result: Validation) -> None:
    """Raise PostRefused with every violation if the validation found any."""
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


async def require_possible_due(runtime: Runtime, scope: Scope, due_at: datetime | None) -> None:
    """Raise TimePast or TimeTooFar, which name the due time in the tenant's time zone."""
    now = runtime.clock.now()
    if due_at is None or now - _NOW_TOLERANCE <= due_at <= now + MAX_DUE_AHEAD:
        return
    tenant = await store.tenants.get_by_id(runtime.database, scope.tenant_id)
    shown = format_time(due_at, tenant.time_zone)
    if due_at < now:
        raise TimePast(f"The due time {shown} is in the past.")
    raise TimeTooFar(f"The due time {shown} is more than five years ahead.")


def with_stored_texts(result: Validation) -> list[PartInput]:
    """Return the parts with the texts to store: a blank text becomes an empty text."""
    return [replace(part, text=text_or_none(part.text) or "") for part in result.parts]
