"""Failures as answers: a status for each kind, as JSON for programs and as a page for people."""

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from roost import escaping
from roost.errors import InvalidInput, Kind, NotFound, RoostError
from roost.web import templating

#: What each kind of failure is to HTTP.
STATUS: Final[Mapping[Kind, int]] = {
    Kind.INVALID: 422,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.REFUSED: 403,
    Kind.BUSY: 503,
    Kind.BROKEN: 500,
}

#: What a person reads first.
_TITLES: Final[Mapping[Kind, str]] = {
    Kind.INVALID: "This request does not work",
    Kind.NOT_FOUND: "There is nothing here",
    Kind.CONFLICT: "Not in this state",
    Kind.REFUSED: "This was refused",
    Kind.BUSY: "Not right now",
    Kind.BROKEN: "Something is broken",
}


class SafeJSON(JSONResponse):
    """JSON in which no text of others acts on the terminal that it is printed to."""

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        encoded = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return escaping.json_text(encoded).encode()


def answer(
    path: str, error: RoostError, *, status: int | None = None, title: str | None = None
) -> Response:
    """The failure as JSON below `/api`, but for the two addresses a browser is sent to.

    Status and title are those of the error's kind unless given.
    """
    code = STATUS[error.kind] if status is None else status
    if path.startswith("/api/") and not path.startswith("/api/auth/"):
        return SafeJSON({"error": error.as_dict()}, code)
    return templating.page(
        "failure.html.j2", status=code, title=title or _TITLES[error.kind], error=error
    )


def add_handlers(app: FastAPI) -> None:
    """Have the application answer every failure in this way."""

    async def own(request: Request, error: Any) -> Response:
        return answer(request.url.path, error)

    async def unreadable(request: Request, error: Any) -> Response:
        return answer(request.url.path, _unreadable(error))

    async def no_route(request: Request, error: Any) -> Response:
        told = NotFound("No page has this address.", next="Start from the list of accounts.")
        if error.status_code == 404:
            return answer(request.url.path, told)
        wrong = InvalidInput("This address does not take that kind of request.")
        return answer(request.url.path, wrong, status=error.status_code)

    app.add_exception_handler(RoostError, own)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(HTTPException, no_route)


def _unreadable(error: RequestValidationError) -> InvalidInput:
    """Which parameters are wrong, without their values."""
    told = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
    return InvalidInput(f"The request is wrong in {told}.", next="Correct it.")
