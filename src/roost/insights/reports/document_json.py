"""Converts a document to JSON and back.

Kept reports are stored as this JSON, from which every form can be rendered later. Each object has
the name of its class in `type`, because a list can have items of several classes: a text is a list
of strings, numbers, links and dates. Decimal numbers are strings, so that no digit is lost.
"""

import base64
import dataclasses
import zlib
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from roost.insights.reports import document as parts
from roost.insights.reports.document import Document
from roost.insights.reports.figures import Quality, Unit

#: The version of the format. Increase it with every change that the previous version of
#: `read_document` could not read.
_FORMAT: Final = 1
_CLASSES: Final[Mapping[str, type]] = {
    each.__name__: each
    for each in vars(parts).values()
    if isinstance(each, type) and dataclasses.is_dataclass(each)
}
_ENUMS: Final[Mapping[str, type[StrEnum]]] = {
    "tone": parts.Tone,
    "align": parts.Align,
    "unit": Unit,
    "quality": Quality,
}
#: The field of a chart with its Vega-Lite specification, which is JSON and is stored unchanged.
_SPEC: Final = "spec"


def pack_document(document: Document) -> bytes:
    """Return a document as compressed JSON."""
    return zlib.compress(msgspec.json.encode(_to_json(document)))


def unpack_document(packed: bytes) -> Document:
    """Return the document that `pack_document` has packed.

    Raises: ValueError if the document has another version of the format.
    """
    return read_document(zlib.decompress(packed))


def write_document(document: Document) -> bytes:
    """Return a document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(_to_json(document)), indent=1) + b"\n"


def read_document(content: bytes) -> Document:
    """Return the document that `write_document` has written.

    Raises: ValueError if the document has another version of the format.
    """
    stored = msgspec.json.decode(content)
    if stored["format"] != _FORMAT:
        raise ValueError(f"A document of format {stored['format']} cannot be read.")
    document = _decode(stored["document"])
    assert isinstance(document, Document)
    return document


def _to_json(document: Document) -> dict[str, Any]:
    return {"format": _FORMAT, "document": _encode(document)}


def _encode(value: Any) -> Any:
    match value:
        case None | str() | bool() | int() | float():
            return value
        case tuple():
            return [_encode(each) for each in value]
        case bytes():
            return {"type": "bytes", "value": base64.b64encode(value).decode()}
        case Decimal():
            return {"type": "decimal", "value": str(value)}
        case datetime():
            return {"type": "datetime", "value": value.isoformat(), "zone": _zone_of(value)}
        case date() | time():
            return {"type": type(value).__name__, "value": value.isoformat()}
    fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return {"type": type(value).__name__} | {
        name: content if name == _SPEC else _encode(content) for name, content in fields.items()
    }


def _zone_of(at: datetime) -> str | None:
    """Return the IANA name of a time's zone; None if the zone is only an offset from UTC."""
    key = getattr(at.tzinfo, "key", None)
    return key if isinstance(key, str) else None


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(each) for each in value)
    if not isinstance(value, dict):
        return value
    content = dict(value)
    kind = content.pop("type")
    match kind:
        case "bytes":
            return base64.b64decode(content["value"])
        case "decimal":
            return Decimal(content["value"])
        case "datetime":
            return _decode_time(content["value"], content["zone"])
        case "date":
            return date.fromisoformat(content["value"])
        case "time":
            return time.fromisoformat(content["value"])
    fields = {
        name: each if name == _SPEC else _decode_field(name, each) for name, each in content.items()
    }
    return _CLASSES[kind](**fields)


def _decode_field(name: str, value: Any) -> Any:
    return _ENUMS[name](value) if name in _ENUMS else _decode(value)


def _decode_time(text: str, zone: str | None) -> datetime:
    at = datetime.fromisoformat(text)
    return at if zone is None else at.astimezone(ZoneInfo(zone))
