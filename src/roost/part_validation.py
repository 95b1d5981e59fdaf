"""Validates the parts of a post and their files by X's rules; needs no database."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from roost import prices
from roost.errors import MediaUnreadable
from roost.media_store import MediaStore
from roost.mediafile import MediaFile
from roost.models import MediaAsset, PartOptions, PostFinding, TweetId, Violation
from roost.post_files import OnFileProgress, probe_file
from roost.publishing import validation
from roost.publishing.part_input import PartInput


@dataclass(frozen=True, slots=True)
class FileAccess:
    """How the files of a post are read for validation: from stored copies, or in place."""

    store_in: MediaStore | None = None
    """Where each file is copied before it is probed; None if the post will not be stored."""
    on_progress: OnFileProgress | None = None
    within: Path | None = None
    """The folder of the plan file that names the files, which must be in this folder; or None."""

    async def probe(self, source: Path | MediaAsset) -> MediaFile:
        """Read a file's properties. Raises: the errors of `probe_file`."""
        if isinstance(source, Path):
            # The path is stored to show users where the file came from, so it is made absolute.
            source = Path(os.path.normpath(source.absolute()))
        return await probe_file(source, self.store_in, self.on_progress, within=self.within)


#: The access for posts that are only validated: their files are probed in place, and not copied.
PROBE_ONLY: Final = FileAccess()


@dataclass(frozen=True, slots=True)
class Validation:
    """The result of validating a post. Validation neither stores nor sends the post."""

    parts: tuple[PartInput, ...]
    """The parts, with the properties of their files.

    A file that cannot be read is left out of its part, and is reported as a violation."""
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
    """Probe a post's files, and validate the post by X's rules.

    `may_quote` says whether the plan of the X app allows quotes. `own` has the ids of the posts on
    X that are known to be the account's own, each with the time of the post's deletion, or None.
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
        for tweet_id in list_targets(part.options):
            if own.get(tweet_id) is not None:
                yield Violation(
                    "parent_gone",
                    f"The post {tweet_id} was deleted from X.",
                    next="Reply to or quote another post, or none.",
                    part=position if len(parts) > 1 else None,
                )


def list_targets(options: PartOptions) -> list[TweetId]:
    """List the ids of the posts on X that a part replies to or quotes."""
    return [each for each in (options.reply_to, options.quote_of) if each is not None]
