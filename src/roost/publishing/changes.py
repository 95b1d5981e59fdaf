"""Lists the changes that an edit made to a post, and describes them in words. Pure.

An event stores the changes as its facts.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, Final

from roost.formats import format_time
from roost.models import MediaAsset, Part, PartOptions, Poll, Post, ReplySettings
from roost.post_options import describe_options

#: The most characters of a text that a sentence quotes; the event has the whole text.
_QUOTED_LENGTH: Final = 300
_MINUTE: Final = timedelta(minutes=1)

#: A change: `what` (`due_at`, `text`, `files` or `options`), `before`, `after`, and in a thread the
#: number of the `part`. `before` is None for a new part, and `after` for a part that was removed.
Change = Mapping[str, Any]


def list_changes(before: Post, after: Post) -> list[Change]:
    """List the differences of two states of a post as JSON values."""
    changes: list[Change] = []
    if before.due_at != after.due_at:
        changes.append(
            {"what": "due_at", "before": _to_text(before.due_at), "after": _to_text(after.due_at)}
        )
    count = max(len(before.parts), len(after.parts))
    for position in range(count):
        old, new = (_fields(one.parts[position : position + 1]) for one in (before, after))
        part = {"part": position + 1} if count > 1 else {}
        changes += [
            {"what": what, **part, "before": old.get(what), "after": new.get(what)}
            for what in ("text", "files", "options")
            if old.get(what) != new.get(what)
        ]
    return changes


def text_change(before: Part, text: str) -> Change:
    """Return the change of a part's text; the event of this change names the part."""
    return {"what": "text", "before": before.text, "after": text}


def _to_text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _fields(parts: Sequence[Part]) -> dict[str, Any]:
    """Return the fields that an edit can change, of the only part in `parts`.

    Empty files and options are left out. The result is empty if `parts` is empty.
    """
    if not parts:
        return {}
    (part,) = parts
    fields: dict[str, Any] = {"text": part.text}
    if part.media:
        fields["files"] = [_file(asset) for asset in part.media]
    if options := _options_to_json(part.options):
        fields["options"] = options
    return fields


def _file(asset: MediaAsset) -> dict[str, Any]:
    return {
        "name": PurePath(asset.path).name,
        "sha256": asset.sha256,
        "alt_text": asset.alt_text,
    }


def _options_to_json(options: PartOptions) -> dict[str, Any]:
    poll = options.poll
    fields = {
        "reply_to": options.reply_to,
        "quote_of": options.quote_of,
        "poll": list(poll.options) if poll else None,
        "poll_minutes": poll.duration // _MINUTE if poll else None,
        "reply_settings": options.reply_settings,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _options_from_json(fields: Mapping[str, Any]) -> PartOptions:
    poll = None
    if "poll" in fields:
        poll = Poll(tuple(fields["poll"]), fields["poll_minutes"] * _MINUTE)
    settings = fields.get("reply_settings")
    return PartOptions(
        reply_to=fields.get("reply_to"),
        quote_of=fields.get("quote_of"),
        poll=poll,
        reply_settings=ReplySettings(settings) if settings else None,
    )


def describe_changes(changes: Sequence[Change], zone: str) -> str:
    """Describe changes, as in `text "We open at 7." → "We open at 8."`."""
    return "; ".join(
        (f"part {one['part']}: " if "part" in one else "") + description
        for one in changes
        for description in _describe(one, zone)
    )


def _describe(change: Change, zone: str) -> Iterator[str]:
    before, after = change["before"], change["after"]
    match change["what"]:
        case "due_at":
            yield f"time {_time(before, zone)} → {_time(after, zone)}"
        case "text":
            yield f"text {_quote(before)} → {_quote(after)}"
        case "files":
            yield from _describe_files(before or [], after or [])
        case _:
            yield f"options {_describe_options(before)} → {_describe_options(after)}"


def _time(stored: str | None, zone: str) -> str:
    return "none" if stored is None else format_time(datetime.fromisoformat(stored), zone)


def _quote(text: str | None) -> str:
    if text is None:
        return "none"
    is_long = len(text) > _QUOTED_LENGTH
    return f'"{text[:_QUOTED_LENGTH]}{"…" if is_long else ""}"'


def _describe_files(before: Sequence[Change], after: Sequence[Change]) -> Iterator[str]:
    if [one["sha256"] for one in before] != [one["sha256"] for one in after]:
        names = [", ".join(one["name"] for one in files) or "none" for files in (before, after)]
        same = names[0] == names[1]
        yield f"new content of {names[0]}" if same else f"files {names[0]} → {names[1]}"
    old = {one["sha256"]: one["alt_text"] for one in before}
    for one in after:
        alt_text = old.get(one["sha256"])
        if one["alt_text"] != alt_text:
            yield f"alt text of {one['name']} {_quote(alt_text)} → {_quote(one['alt_text'])}"


def _describe_options(fields: Mapping[str, Any] | None) -> str:
    return ", ".join(describe_options(_options_from_json(fields or {}))) or "none"
