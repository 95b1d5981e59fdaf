"""X's words for what does not fit a schema.

Two of these sentences were seen in logs ("is not defined in the schema …", "… maximum of 4
items"); they are those of a well-known validator for Java, whose other sentences complete them.
"""

import re

import msgspec

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<where>\$[^`]*)`)?", re.DOTALL)
_SENTENCES = (
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
_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def schema_message(error: msgspec.ValidationError) -> str:
    """What does not fit, and where: `$.media.media_ids: there must be a maximum of …`."""
    found = _PLACE.fullmatch(str(error))
    what, where = (found["what"], found["where"] or "$") if found else (str(error), "$")
    for pattern, sentence in _SENTENCES:
        match = re.fullmatch(pattern, what)
        if match:
            said = match.expand(sentence)
            if sentence.endswith("expected"):
                said = re.sub(r"\b(str|int|float|bool)\b", lambda each: _NAMES[each[0]], said)
            return where + said
    return f"{where}: {what}"
