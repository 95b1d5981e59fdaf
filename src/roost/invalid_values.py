"""Describes values that pydantic refuses, without pydantic's own terms. Pure."""

from collections.abc import Mapping
from typing import Any, Final

#: Messages by pydantic's error type. Pydantic's own messages contain names of Python types, which a
#: user may not know.
_MESSAGES: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "set_type": "must be a list",
    "dict_type": "must be a group of fields",
    "mapping_type": "must be a group of fields",
    "model_type": "must be a group of fields",
    "model_attributes_type": "must be a group of fields",
    "dataclass_type": "must be a group of fields",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "decimal_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
#: The beginnings of pydantic's other messages, and what replaces them.
_BEGINNINGS: Final = (("Value error, ", ""), ("Input should be ", "must be "))


def describe_invalid(problem: Mapping[str, Any], own: Mapping[str, str] | None = None) -> str:
    """Return what is wrong with a value as the words that follow the value's name.

    `problem` is one of the errors of a pydantic `ValidationError`. `own` has messages by
    pydantic's error type, which replace the general messages.
    """
    kind = problem["type"]
    if own is not None and kind in own:
        return own[kind]
    if kind in ("too_short", "too_long") and problem["ctx"]["field_type"] == "Value":
        # A text whose length pydantic checks after a function has changed the text.
        kind = f"string_{kind}"
    if kind in _MESSAGES:
        return _MESSAGES[kind].format_map(problem.get("ctx", {}))
    message: str = problem["msg"]
    for beginning, replacement in _BEGINNINGS:
        if message.startswith(beginning):
            message = replacement + message.removeprefix(beginning)
    return message
