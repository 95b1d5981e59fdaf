"""Refusals that quote the text and the author of a post, as X's own refusals may do."""

from typing import Any

import msgspec

from x_emulator.rules import refusals
from x_emulator.rules.refusals import Refusal
from x_emulator.switches import Switches


def refuse_text(switches: Switches, body: bytes) -> Refusal:
    """Return a permanent refusal whose message quotes the post's text."""
    text = " ".join(_texts(body))
    return refusals.invalid_request(switches, "text", text, f"The text '{text}' was refused.")


def add_quotes(refusal: dict[str, Any], body: bytes, name: str | None) -> dict[str, Any]:
    """Return a refusal's body in which each message quotes the request's texts and user name."""
    quotes = [f"'{text}'" for text in _texts(body)] + ([f"by {name}"] if name else [])
    if not quotes:
        return refusal
    suffix = f" (of {' '.join(quotes)})"
    changed = {
        key: value + suffix if key in {"detail", "error"} and isinstance(value, str) else value
        for key, value in refusal.items()
    }
    if isinstance(entries := refusal.get("errors"), list):
        changed["errors"] = [
            entry | {"message": entry["message"] + suffix} if "message" in entry else entry
            for entry in entries
        ]
    return changed


def _texts(body: bytes) -> list[str]:
    """List the strings of a JSON body, except strings of digits only, which are ids."""
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
