"""Turns errors into HTTP responses: a status for each kind of error, and JSON or a page."""

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from roost import escaping
from roost.errors import InvalidInput, Kind, NotFound, RoostError
from roost.invalid_values import describe_invalid
from roost.web import next_actions, templating

#: The HTTP status of each kind of error.
STATUS: Final[Mapping[Kind, int]] = {
    Kind.INVALID: 422,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.REFUSED: 403,
    Kind.BUSY: 503,
    Kind.BROKEN: 500,
}

#: The title of an error's page.
_TITLES: Final[Mapping[Kind, str]] = {
    Kind.INVALID: "Invalid request",
    Kind.NOT_FOUND: "Not found",
    Kind.CONFLICT: "Not possible in this state",
    Kind.REFUSED: "Refused",
    Kind.BUSY: "Try again later",
    Kind.BROKEN: "Something is broken",
}


class SafeJSON(JSONResponse):
    """A JSON response that escapes characters which would control a terminal."""

    def render(self, content: Any) -> bytes:
        """Return the bytes of the body."""
        encoded = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return escaping.json_text(encoded).encode()


def error_response(
    path: str,
    error: RoostError,
    *,
    tenant_name: str = "default",
    status: int | None = None,
    title: str | None = None,
) -> Response:
    """Return an error as JSON for paths below `/api` (but not `/api/auth`), else as a page.

    `status` and `title` default to the values for the error's kind. An error's page links to the
    tenant's page on which a person can act on the error, if there is such a page.
    """
    code = STATUS[error.kind] if status is None else status
    if path.startswith("/api/") and not path.startswith("/api/auth/"):
        return SafeJSON({"error": next_actions.error_as_json(error)}, code)
    return templating.page(
        "error.html.j2",
        status=code,
        title=title or _TITLES[error.kind],
        error=error,
        link=next_actions.find_link(error.next_action, tenant_name),
    )


def add_handlers(app: FastAPI) -> None:
    """Have the application respond to every error with `error_response`."""

    async def on_roost_error(request: Request, error: Any) -> Response:
        tenant_name = request.query_params.get("tenant", "default")
        return error_response(request.url.path, error, tenant_name=tenant_name)

    async def on_invalid_request(request: Request, error: Any) -> Response:
        return error_response(request.url.path, _describe_invalid(error))

    async def on_http_error(request: Request, error: Any) -> Response:
        if error.status_code == 404:
            missing = NotFound("No page has this address.", next="Start from the list of accounts.")
            return error_response(request.url.path, missing)
        invalid = InvalidInput("This address does not accept this kind of request.")
        return error_response(request.url.path, invalid, status=error.status_code)

    app.add_exception_handler(RoostError, on_roost_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_error)


def _describe_invalid(error: RequestValidationError) -> InvalidInput:
    """Return an error that names the invalid parameters without their values."""
    problems = "; ".join(
        f"{problem['loc'][-1]}: {describe_invalid(problem)}" for problem in error.errors()
    )
    return InvalidInput(f"The request is invalid: {problems}.", next="Correct the request.")
