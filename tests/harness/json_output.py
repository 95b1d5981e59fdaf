"""Validates the JSON output of commands against the schemas in docs/reference/json."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "json"


def find_schema(arguments: Sequence[str], answer: dict[str, Any]) -> str:
    """Return the name of the schema for a command's output.

    `arguments` is the command line, and `answer` is the decoded output.
    """
    command = arguments[0]
    if "error" in answer:
        return "error"
    if command == "publish" and "--dry-run" in arguments:
        return "publish-dry-run"
    if command == "draft" and "--lint" in arguments:
        return "draft-lint"
    if command == "draft" and "draft" in answer:
        return "draft-draft"
    if command == "emulator" and "--app" in arguments:
        return "emulator-app"
    if command == "posts" and "post" in answer:
        return "posts-post"
    return command


def validate_output(arguments: Sequence[str], answer: dict[str, Any]) -> str:
    """Validate the output of a command line; return the name of its schema.

    Raises: jsonschema.ValidationError.
    """
    name = find_schema(arguments, answer)
    _validator(name).validate(answer)
    return name


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((_SCHEMAS / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
