"""X's messages for JSON that does not match a schema.

Two messages were seen in logs of X's clients ("is not defined in the schema …", "… maximum of 4
items"). A well-known validator of JSON Schema for Java has the same two messages, so the other
messages are those of this validator.
"""

import re

import msgspec

#: Splits a msgspec error message into the problem and the path in the JSON.
_MSGSPEC_MESSAGE = re.compile(r"(?P<problem>.*?)(?: - at `(?P<path>\$[^`]*)`)?", re.DOTALL)
#: Pairs of a pattern for msgspec's problem and the template of X's message.
_MESSAGES = (
    (
        r"Object contains unknown field `(.+)`",
        r".\1: is not defined in the schema and the schema does not allow additional properties",
    ),
    (r"Object missing required field `(.+)`", r".\1: is missing but it is required"),
    (
        r"Expected `array` of length <= (\d+)",
        r": there must be a maximum of \1 items in the array",
    ),
    (
        r"Expected `array` of length >= (\d+)",
        r": there must be a minimum of \1 items in the array",
    ),
    (r"Expected `str` of length <= (\d+)", r": may only be \1 characters long"),
    (r"Expected `str` of length >= (\d+)", r": must be at least \1 characters long"),
    (r"Expected `str` matching regex '(.+)'", r": does not match the regex pattern \1"),
    (r"Expected `int` >= (\d+)", r": must have a minimum value of \1"),
    (r"Expected `int` <= (\d+)", r": must have a maximum value of \1"),
    (r"Invalid enum value .*", r": does not have a value in the enumeration"),
    (r"Expected `(.+)`, got `(\w+)`", r": \2 found, \1 expected"),
)
_TYPE_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def schema_message(error: msgspec.ValidationError) -> str:
    """Return X's message, such as `$.media.media_ids: there must be a maximum of 4 items …`."""
    parts = _MSGSPEC_MESSAGE.fullmatch(str(error))
    problem, path = (parts["problem"], parts["path"] or "$") if parts else (str(error), "$")
    for pattern, template in _MESSAGES:
        match = re.fullmatch(pattern, problem)
        if match:
            message = match.expand(template)
            if template.endswith("expected"):
                message = re.sub(
                    r"\b(str|int|float|bool)\b", lambda each: _TYPE_NAMES[each[0]], message
                )
            return path + message
    return f"{path}: {problem}"
