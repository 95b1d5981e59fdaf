"""Refusals that quote the request, as X's may: the text of a post, and the name of who sent it."""

from typing import Any

import msgspec

from x_emulator.rules import refusals
from x_emulator.rules.refusals import Refusal
from x_emulator.switches import Switches


def refused_text(switches: Switches, body: bytes) -> Refusal:
    """A refusal for good whose sentence is about the text itself."""
    text = " ".join(_texts(body))
    return refusals.invalid(switches, "text", text, f"The text '{text}' was refused.")


def with_quotes(refusal: dict[str, Any], body: bytes, name: str | None) -> dict[str, Any]:
    """A refusal's body with what was refused behind each of its sentences."""
    quoted = [f"'{text}'" for text in _texts(body)] + ([f"by {name}"] if name else [])
    if not quoted:
        return refusal
    behind = f" (of {' '.join(quoted)})"
    changed = {
        key: value + behind if key in {"detail", "error"} and isinstance(value, str) else value
        for key, value in refusal.items()
    }
    if isinstance(entries := refusal.get("errors"), list):
        changed["errors"] = [
            entry | {"message": entry["message"] + behind} if "message" in entry else entry
            for entry in entries
        ]
    return changed


def _texts(body: bytes) -> list[str]:
    """Every string of a JSON body that is no number of X's."""
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [text for text in _strings(payload) if not text.isdecimal()]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for each in value for text in _strings(each)]
    return []
