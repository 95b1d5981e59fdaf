"""Requests that nobody thought of, against X's official OpenAPI: what the emulator answers fits it.

schemathesis makes the requests, right ones and wrong ones, for every operation of the description
that the emulator serves; half of the right ones name posts, users and media that exist. The
emulator speaks the description's dialect. One amendment is made to the description: a problem of
type `about:blank`, which it leaves out and X's logs are full of.
"""

import argparse
import base64
import io
import itertools
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from _report import Bar, report
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from x_emulator.pytest_plugin import EmulatedX, run_emulator
from x_emulator.router import V2_ROUTES

OPENAPI = Path(__file__).resolve().parents[1] / "../shared/x-api/openapi-2.167.json"
_BLANK = {
    "type": "object",
    "required": ["type", "title", "detail", "status"],
    "properties": {
        "type": {"type": "string", "enum": ["about:blank"]},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "status": {"type": "integer"},
    },
    "additionalProperties": False,
}


@dataclass
class Found:
    """What the run found."""

    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    """By operation and what is wrong; how many requests showed it."""

    @property
    def server_errors(self) -> int:
        """Answers of 500 and more."""
        return sum(count for status, count in self.statuses.items() if status >= 500)


@dataclass(frozen=True)
class Known:
    """What exists, so that some questions are about something."""

    user_id: str
    post_ids: list[str]
    media_id: str
    upload_id: str

    def ids(self, path: str) -> list[str]:
        """What may stand for an id in a path, in `ids` or in a body."""
        if "/users" in path:
            return [self.user_id]
        if path.endswith(("/append", "/finalize")):
            return [self.upload_id]
        return [self.media_id] if "/media" in path else self.post_ids


def read_description() -> dict[str, Any]:
    """The official description, amended, cut to the operations that are served."""
    raw: dict[str, Any] = json.loads(OPENAPI.read_text("utf-8"))
    schemas = raw["components"]["schemas"]
    schemas["BlankProblem"] = _BLANK
    schemas["Problem"]["oneOf"].append({"$ref": "#/components/schemas/BlankProblem"})
    del schemas["Problem"]["discriminator"]
    served = {(method, route.path) for route in V2_ROUTES for method in route.methods or ()}
    del raw["components"]["securitySchemes"]  # who asks is not made up
    raw["paths"] = {
        path: {
            method: {name: each for name, each in one.items() if name != "security"}
            for method, one in methods.items()
            if (method.upper(), path) in served
        }
        for path, methods in raw["paths"].items()
        if any(path == route.path for route in V2_ROUTES)
    }
    return raw


def explore(played: EmulatedX, examples: int) -> Found:
    """Ask every operation `examples` right questions and as many wrong ones."""
    schema = schemathesis.openapi.from_dict(read_description())
    schema.config.update(base_url=played.url)
    tokens = {
        "BearerToken": played.connect("mira_builds")["access_token"],
        "app": _app_token(played),
    }
    known = _furnish(played, tokens["BearerToken"])
    found = Found()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        token = tokens["app" if operation.path == "/2/usage/tweets" else "BearerToken"]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _explore(operation, mode, token, known, examples, found)
    return found


def _explore(
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    token: str,
    known: Known,
    examples: int,
    found: Found,
) -> None:
    ids = st.none() | st.sampled_from(known.ids(operation.path))

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=ids)
    def ask(case: Case[Any], real: str | None) -> None:
        if mode is GenerationMode.POSITIVE and real is not None:
            _name(case, real)
        response = case.call(headers={"authorization": f"Bearer {token}"}, timeout=60)
        found.statuses[response.status_code] += 1
        found.operations.add(operation.label)
        try:
            case.validate_response(response, checks=_CHECKS)
        except FailureGroup as group:
            for each in group.exceptions:
                found.violations[_said(operation, each)] += 1

    ask()


#: What holds of every answer. Not among them: that a right request succeeds, for X refuses many
#: that fit its description.
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def _said(operation: APIOperation[Any, Any, Any, Any], failure: BaseException) -> str:
    title = failure.title if isinstance(failure, Failure) else type(failure).__name__
    return f"{operation.label}: {title}: {failure}"


#: No text may come twice.
_NUMBERS = itertools.count()
#: What X refuses in most of the create requests that fit its description.
_REFUSED = {
    *("card_uri", "community_id", "direct_message_deep_link", "edit_options", "media", "poll"),
    "quote_tweet_id",
}


def _name(case: Case[Any], real: str) -> None:
    """Put something that exists in the place of a made-up id."""
    if "id" in case.path_parameters:
        case.path_parameters["id"] = real
    for name in ("ids", "media_id"):
        if name in case.query:
            case.query[name] = [real] if name == "ids" else real
    if not isinstance(case.body, dict):
        return
    if "id" in case.body:
        case.body["id"] = real
    if case.operation.label == "POST /2/tweets":
        for name in _REFUSED & case.body.keys():
            del case.body[name]
        case.body["text"] = f"{case.body.get('text', '')} and {next(_NUMBERS)}"
        reply = case.body.get("reply")
        if isinstance(reply, dict):
            reply["in_reply_to_tweet_id"] = real


def _furnish(played: EmulatedX, token: str) -> Known:
    """Some posts and an image, and the description's dialect."""
    played.switch(
        rate_limits=False, field_names="post", problem_host="api.x.com", error_format="flat"
    )
    posts = [
        played.act("post", username="mira_builds", text=f"See roost.dev #{n}")["id"]
        for n in range(3)
    ]
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, "PNG")
    upload = {
        "media": base64.b64encode(image.getvalue()).decode(),
        "media_category": "tweet_image",
    }
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    _, _, raw = played.request("POST", "/2/media/upload", json.dumps(upload), headers)
    begun = {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": 1_000}
    _, _, new = played.request("POST", "/2/media/upload/initialize", json.dumps(begun), headers)
    [user_id] = [each["id"] for each in played.users() if each["username"] == "mira_builds"]
    return Known(user_id, posts, json.loads(raw)["data"]["id"], json.loads(new)["data"]["id"])


def _app_token(played: EmulatedX) -> str:
    app = played.app.registered
    basic = base64.b64encode(f"{app['api_key']}:{app['api_secret']}".encode()).decode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "authorization": f"Basic {basic}",
    }
    _, _, raw = played.request("POST", "/oauth2/token", "grant_type=client_credentials", headers)
    token: str = json.loads(raw)["access_token"]
    return token


def main() -> int:
    """Run and report; what is wrong goes to standard error."""
    parser = argparse.ArgumentParser(description="Explore the emulator by X's OpenAPI.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--examples", type=int, default=60, help="a kind and operation")
    asked = parser.parse_args()
    if not OPENAPI.is_file():
        print(f"There is no OpenAPI at {OPENAPI}.", file=sys.stderr)
        return 2
    with run_emulator("--scenario", "steady") as url:
        played = EmulatedX(url)
        played.reset()
        found = explore(played, asked.examples)
    for violation, count in found.violations.most_common():
        print(f"{count} × {violation}\n", file=sys.stderr)
    bars = [
        Bar("violations", sum(found.violations.values()), "==", 0),
        Bar("server_errors", found.server_errors, "==", 0),
    ]
    figures: dict[str, float | int | str] = {
        "requests": found.statuses.total(),
        "operations": len(found.operations),
        "statuses": " ".join(f"{status}:{n}" for status, n in sorted(found.statuses.items())),
    }
    return report("emulator_schema", bars, figures, asked.json)


if __name__ == "__main__":
    raise SystemExit(main())
