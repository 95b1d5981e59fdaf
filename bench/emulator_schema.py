"""Send generated requests to the emulator and check its responses against X's OpenAPI.

schemathesis generates valid and invalid requests for every operation of the OpenAPI description
that the emulator serves. Half of the valid requests name posts, users and media that exist. The
emulator uses the field names of the description. Problems of the type `about:blank` are added to
the description, because X often sends them although the description lacks them.
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

from harness.report import Threshold, report
from x_emulator.pytest_plugin import EmulatedX, run_emulator
from x_emulator.router import V2_ROUTES

OPENAPI = Path(__file__).resolve().parents[1] / "../shared/x-api/openapi-2.167.json"
_BLANK_PROBLEM = {
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
class ExplorationResult:
    """The result of a run of generated requests."""

    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    """The number of requests that showed a failure, by operation and failure."""

    @property
    def server_errors(self) -> int:
        """The number of responses with a status of 500 or more."""
        return sum(count for status, count in self.statuses.items() if status >= 500)


@dataclass(frozen=True)
class ExistingIds:
    """Ids of objects that exist on the emulator, to use in generated requests."""

    user_id: str
    post_ids: list[str]
    media_id: str
    upload_id: str

    def ids_for(self, path: str) -> list[str]:
        """Return ids that a valid request to this path can contain, in its path, query or body."""
        if "/users" in path:
            return [self.user_id]
        if path.endswith(("/append", "/finalize")):
            return [self.upload_id]
        return [self.media_id] if "/media" in path else self.post_ids


def read_description() -> dict[str, Any]:
    """Read X's OpenAPI description, with only the operations that the emulator has.

    Problems of the type `about:blank` are added to the description.
    """
    description: dict[str, Any] = json.loads(OPENAPI.read_text("utf-8"))
    schemas = description["components"]["schemas"]
    schemas["BlankProblem"] = _BLANK_PROBLEM
    schemas["Problem"]["oneOf"].append({"$ref": "#/components/schemas/BlankProblem"})
    del schemas["Problem"]["discriminator"]
    served = {(method, route.path) for route in V2_ROUTES for method in route.methods or ()}
    # The requests get a token from the benchmark, not from schemathesis.
    del description["components"]["securitySchemes"]
    description["paths"] = {
        path: {
            method: {name: value for name, value in operation.items() if name != "security"}
            for method, operation in methods.items()
            if (method.upper(), path) in served
        }
        for path, methods in description["paths"].items()
        if any(path == route.path for route in V2_ROUTES)
    }
    return description


def explore(emulator: EmulatedX, examples: int) -> ExplorationResult:
    """Send `examples` valid requests and as many invalid requests to every operation."""
    schema = schemathesis.openapi.from_dict(read_description())
    schema.config.update(base_url=emulator.url)
    tokens = {
        "BearerToken": emulator.connect("mira_builds")["access_token"],
        "app": _app_token(emulator),
    }
    existing = _create_data(emulator, tokens["BearerToken"])
    result = ExplorationResult()
    for each in schema.get_all_operations():
        assert isinstance(each, Ok), each
        operation = each.ok()
        token = tokens["app" if operation.path == "/2/usage/tweets" else "BearerToken"]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _explore(operation, mode, token, existing, examples, result)
    return result


def _explore(
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    token: str,
    existing: ExistingIds,
    examples: int,
    result: ExplorationResult,
) -> None:
    ids = st.none() | st.sampled_from(existing.ids_for(operation.path))

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), existing_id=ids)
    def send(case: Case[Any], existing_id: str | None) -> None:
        if mode is GenerationMode.POSITIVE and existing_id is not None:
            _use_existing_id(case, existing_id)
        response = case.call(headers={"authorization": f"Bearer {token}"}, timeout=60)
        result.statuses[response.status_code] += 1
        result.operations.add(operation.label)
        try:
            case.validate_response(response, checks=_CHECKS)
        except FailureGroup as group:
            for each in group.exceptions:
                result.violations[_describe(operation, each)] += 1

    send()


#: The checks that every response must pass. No check requires that a valid request succeeds,
#: because X refuses many requests that match its OpenAPI description.
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def _describe(operation: APIOperation[Any, Any, Any, Any], failure: BaseException) -> str:
    title = failure.title if isinstance(failure, Failure) else type(failure).__name__
    return f"{operation.label}: {title}: {failure}"


#: Numbers for the texts of posts, because a text that occurs twice is refused.
_numbers = itertools.count()
#: Fields that the benchmark removes from a generated create request, because X refuses most of the
#: values that match its OpenAPI document, such as the id of a poll that does not exist.
_REFUSED_FIELDS = {
    *("card_uri", "community_id", "direct_message_deep_link", "edit_options", "media", "poll"),
    "quote_tweet_id",
}


def _use_existing_id(case: Case[Any], existing_id: str) -> None:
    """Replace the generated ids of a request with an id that exists."""
    if "id" in case.path_parameters:
        case.path_parameters["id"] = existing_id
    for name in ("ids", "media_id"):
        if name in case.query:
            case.query[name] = [existing_id] if name == "ids" else existing_id
    if not isinstance(case.body, dict):
        return
    if "id" in case.body:
        case.body["id"] = existing_id
    if case.operation.label == "POST /2/tweets":
        for name in _REFUSED_FIELDS & case.body.keys():
            del case.body[name]
        case.body["text"] = f"{case.body.get('text', '')} and {next(_numbers)}"
        reply = case.body.get("reply")
        if isinstance(reply, dict):
            reply["in_reply_to_tweet_id"] = existing_id


def _create_data(emulator: EmulatedX, token: str) -> ExistingIds:
    """Create some posts and an image, and switch to the field names of the description."""
    emulator.switch(
        rate_limits=False, field_names="post", problem_host="api.x.com", error_format="flat"
    )
    posts = [
        emulator.act("post", username="mira_builds", text=f"See roost.dev #{n}")["id"]
        for n in range(3)
    ]
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, "PNG")
    upload = {
        "media": base64.b64encode(image.getvalue()).decode(),
        "media_category": "tweet_image",
    }
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    _, _, image_response = emulator.request("POST", "/2/media/upload", json.dumps(upload), headers)
    video = {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": 1_000}
    _, _, video_response = emulator.request(
        "POST", "/2/media/upload/initialize", json.dumps(video), headers
    )
    [user_id] = [each["id"] for each in emulator.users() if each["username"] == "mira_builds"]
    return ExistingIds(
        user_id,
        posts,
        media_id=json.loads(image_response)["data"]["id"],
        upload_id=json.loads(video_response)["data"]["id"],
    )


def _app_token(emulator: EmulatedX) -> str:
    app = emulator.app.registered
    basic = base64.b64encode(f"{app['api_key']}:{app['api_secret']}".encode()).decode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "authorization": f"Basic {basic}",
    }
    _, _, raw = emulator.request("POST", "/oauth2/token", "grant_type=client_credentials", headers)
    token: str = json.loads(raw)["access_token"]
    return token


def main() -> int:
    """Print violations to standard error; return 1 if a result misses its threshold."""
    parser = argparse.ArgumentParser(description="Check the emulator against X's OpenAPI.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--examples", type=int, default=60, help="valid, and invalid, requests per operation"
    )
    arguments = parser.parse_args()
    if not OPENAPI.is_file():
        print(f"There is no OpenAPI description at {OPENAPI}.", file=sys.stderr)
        return 2
    with run_emulator("--scenario", "steady") as url:
        emulator = EmulatedX(url)
        emulator.reset()
        result = explore(emulator, arguments.examples)
    for violation, count in result.violations.most_common():
        print(f"{count} × {violation}\n", file=sys.stderr)
    thresholds = [
        Threshold("violations", sum(result.violations.values()), "==", 0),
        Threshold("server_errors", result.server_errors, "==", 0),
    ]
    figures: dict[str, float | int | str] = {
        "requests": result.statuses.total(),
        "operations": len(result.operations),
        "statuses": " ".join(f"{status}:{n}" for status, n in sorted(result.statuses.items())),
    }
    return report("emulator_schema", thresholds, figures, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
