"""Checks request bodies against X's OpenAPI document, if the file is available."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

OPENAPI = Path(__file__).resolve().parents[2] / "../shared/x-api/openapi-2.167.json"


@cache
def openapi() -> dict[str, Any] | None:
    """Return X's OpenAPI document; None if the file is not available."""
    if not OPENAPI.exists():
        return None
    document: dict[str, Any] = json.loads(OPENAPI.read_text())
    return document


def schema_of(method: str, path: str) -> dict[str, Any] | None:
    """Return X's schema of an operation's JSON request body.

    Return None if the operation has no JSON body, if the path is not one of API v2, or if the
    OpenAPI file is not available.
    """
    document = openapi()
    if document is None:
        return None
    matching = [
        template
        for template in document["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    if not matching:
        assert not path.startswith("/2/") or "/oauth2/" in path, f"X has no path {path}"
        return None
    # `/users/me` also matches `/users/{id}`; the path with fewer parameters takes precedence.
    template = min(matching, key=lambda each: each.count("{"))
    operation = document["paths"][template].get(method.lower())
    assert operation is not None, f"X has no {method} {path}"
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema | {"components": document["components"]}


def check_body(method: str, path: str, content_type: str, body: bytes) -> bool:
    """Check a body by its schema in X's OpenAPI document; return False if there is none.

    Raises: jsonschema.ValidationError if the body does not match the schema.
    """
    if content_type != "application/json":
        return False
    schema = schema_of(method, path)
    if schema is None:
        return False
    jsonschema.validate(json.loads(body), schema)
    return True
