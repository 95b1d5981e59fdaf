"""Validates responses by version 2.167 of X's OpenAPI document, if it is available."""

import functools
import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

OPENAPI = Path(__file__).resolve().parents[2] / "../shared/x-api/openapi-2.167.json"


@functools.cache
def read_openapi() -> dict[str, Any] | None:
    """Read the OpenAPI file as JSON Schema. Returns None if the file is not available."""
    if not OPENAPI.is_file():
        return None
    read: dict[str, Any] = _nullable(json.loads(OPENAPI.read_text("utf-8")))
    return read


#: Maps a field's name in responses and in X's documentation to its name in the OpenAPI file.
_NEW_NAMES = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "tweets": "posts",
}


def complaints(method: str, path: str, status: int, body: Any) -> list[str]:
    """List the schema errors of a response to `method` on a v2 path (without query).

    Old field names, the old host in problem types, and the reason of a failed upload do not count
    as errors.
    """
    openapi = read_openapi()
    template = None if openapi is None else _template_of(path)
    if template is None:
        return []
    validator = _validator(template, method.lower(), status)
    return [error.message for error in validator.iter_errors(with_new_names(body))]


def with_new_names(tree: Any) -> Any:
    """Replace old field names and the old host in a response by those of the OpenAPI file."""
    if isinstance(tree, dict):
        failed = tree.get("state") == "failed"
        return {
            _NEW_NAMES.get(name, name): with_new_names(each)
            for name, each in tree.items()
            if not (failed and name == "error")
        }
    if isinstance(tree, list):
        return [with_new_names(each) for each in tree]
    if isinstance(tree, str):
        return tree.replace("https://api.twitter.com/2/problems/", "https://api.x.com/2/problems/")
    return tree


def _nullable(tree: Any) -> Any:
    """Convert `nullable` of OpenAPI 3.0 to the type `null` of JSON Schema."""
    if isinstance(tree, list):
        return [_nullable(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    tree = {name: _nullable(each) for name, each in tree.items()}
    if tree.pop("nullable", False) is True and isinstance(tree.get("type"), str):
        tree["type"] = [tree["type"], "null"]
    return tree


@functools.cache
def _template_of(path: str) -> str | None:
    """Find the OpenAPI path template that matches a path. An exact match has priority."""
    openapi = read_openapi() or {"paths": {}}
    if path in openapi["paths"]:
        return path
    for template in openapi["paths"]:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: str = template
            return found
    return None


@functools.cache
def _validator(template: str, method: str, status: int) -> Validator:
    resource = Resource.from_contents(read_openapi(), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:openapi", resource)
    answers = (read_openapi() or {})["paths"][template][method]["responses"]
    kinds = answers.get(str(status), answers["default"])["content"]
    kind = "application/json" if status < 400 else "application/problem+json"
    reference = kinds[kind]["schema"]["$ref"].replace("#", "urn:openapi#")
    return Draft202012Validator({"$ref": reference}, registry=registry)
