"""The error for each response of X that was found in logs."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from roost.errors import Kind, RoostError
from roost.prices import Operation
from roost.x import error_mapping, errors
from roost.x.transport import Response

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROBLEMS = "https://api.x.com/2/problems"
NOT_PERMITTED = {
    "title": "Forbidden",
    "type": "about:blank",
    "detail": "You are not permitted to perform this action.",
}


def map_error(
    status: int,
    body: object,
    operation: Operation = Operation.CREATE_POST,
    *,
    post_text: str | None = None,
    **headers: str,
) -> errors.XError:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    header_names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = Response(status, {"x-transaction-id": "7f3a"} | header_names, encoded)
    return error_mapping.error_for_response(response, operation, now=NOW, post_text=post_text)


def forbidden(detail: str, **more: object) -> dict[str, object]:
    return {"title": "Forbidden", "type": "about:blank", "detail": detail, "status": 403} | more


def problem(status: int, title: str) -> dict[str, object]:
    return {"title": title, "detail": title, "type": "about:blank", "status": status}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(
            403,
            forbidden("You are not allowed to create a Tweet with duplicate content."),
            errors.DuplicatePost,
            id="duplicate",
        ),
        pytest.param(
            403, {"errors": [{"code": 187, "message": "Status is a copy."}]},
            errors.DuplicatePost, id="duplicate-by-code",
        ),
        pytest.param(
            403, forbidden("You are not allowed to create a Tweet with these settings."),
            errors.Rejected, id="not-allowed-but-no-duplicate",
        ),
        pytest.param(
            400, {"errors": ["Your Tweet text is too long."], "title": "Invalid Request"},
            errors.TextTooLong, id="errors-of-strings",
        ),
        pytest.param(
            400,
            {"type": f"{PROBLEMS}/invalid-request", "detail": "Your media IDs are invalid."},
            errors.MediaIdsInvalid, id="media-flat",
        ),
        pytest.param(
            403, forbidden("This user is not allowed to post a video longer than 2 minutes"),
            errors.MediaRejected, id="video-too-long",
        ),
        pytest.param(
            403,
            forbidden("You attempted to reply to a Tweet that is deleted or not visible to you."),
            errors.ParentNotVisible, id="parent-not-visible",
        ),
        pytest.param(
            403, {"errors": [{"code": 385, "message": "…"}]},
            errors.ParentNotVisible, id="parent-by-code",
        ),
        pytest.param(
            403,
            forbidden(
                "Reply to this conversation is not allowed because you have not been mentioned."
            ),
            errors.ReplyNotAllowed, id="not-mentioned-old-wording",
        ),
        pytest.param(
            403,
            {"type": "https://api.twitter.com/2/problems/not-authorized-for-resource"},
            errors.ReplyNotAllowed, id="not-mentioned-by-type",
        ),
        pytest.param(
            403, forbidden("Posts are limited to a maximum of one cashtag"),
            errors.TooManyCashtags, id="cashtags",
        ),
        pytest.param(
            402,
            {"title": "CreditsDepleted", "detail": "Your account does not have any credits."},
            errors.OutOfCredits, id="credits",
        ),
        pytest.param(
            403, forbidden("The spend cap of this app is reached."),
            errors.SpendingLimitReported, id="spend-cap-by-its-message",
        ),
        pytest.param(
            403,
            {"type": f"{PROBLEMS}/client-forbidden", "reason": "client-not-enrolled"},
            errors.AppMisconfigured, id="not-enrolled",
        ),
        pytest.param(
            403, {"errors": [{"code": 453, "message": "a subset of endpoints"}]},
            errors.AppMisconfigured, id="not-in-plan",
        ),
        pytest.param(
            403, {"type": f"{PROBLEMS}/unsupported-authentication", "title": "…"},
            errors.AppMisconfigured, id="app-only-token",
        ),
        pytest.param(
            403, forbidden("Forbidden"), errors.ReauthorizationRequired, id="bare-forbidden"
        ),
        pytest.param(408, b"", errors.OutcomeUnknown, id="408"),
        pytest.param(302, b"", errors.OutcomeUnknown, id="redirect"),
        pytest.param(503, {"title": "Service Unavailable"}, errors.OutcomeUnknown, id="503"),
        pytest.param(502, b"upstream connect error", errors.OutcomeUnknown, id="plain-text"),
        pytest.param(401, problem(401, "Unauthorized"), errors.ReauthorizationRequired, id="401"),
        pytest.param(
            401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]},
            errors.ReauthorizationRequired, id="401-of-a-signature",
        ),
        pytest.param(429, problem(429, "Too Many Requests"), errors.RateLimited, id="429"),
        pytest.param(410, problem(410, "Gone"), errors.AppMisconfigured, id="410"),
    ],
)  # fmt: skip
def test_error_for_response_to_a_create(
    status: int, body: object, error: type[errors.XError]
) -> None:
    mapped = map_error(status, body)
    assert type(mapped) is error
    assert mapped.request_id == "7f3a"
    assert mapped.operation == "create_post"
    assert mapped.confirmed_not_created is (error is not errors.OutcomeUnknown)


FOREIGN = {
    "html": b"<html>Attention</html>",
    "text": b"Too many requests",
    "empty": b"",
    "object": b"{}",
    "list": b"[1]",
    "null": b"null",
    "truncated": b'{"title":"Forbidden","type":"about:bl',
    "ok": {"status": "ok"},
    "message": {"message": "Forbidden"},
    "error": {"error": "blocked"},
    "code": {"code": 403, "message": "Forbidden"},
    "no-entries": {"errors": [], "title": "Forbidden"},
    "entries-of-nothing": {"errors": [{}, ""]},
    "gateway": {"success": False, "errors": [{"code": 1020, "message": "Denied"}]},
    "foreign-type": {
        "type": "https://developers.cloudflare.com/1020", "title": "Denied", "detail": "Denied."
    },
    "framework": problem(403, "Forbidden") | {"instance": "/2/tweets"},
    "blank": {"type": "about:blank"},
    "odd-types": {"type": 7, "detail": 7, "errors": {}},
    "bad-url": {"type": "https://[api.x.com/2/problems/credits", "title": "CreditsDepleted"},
}  # fmt: skip


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 410, 413, 429])
@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN)
def test_error_for_response_without_a_problem_is_not_a_rejection(status: int, body: object) -> None:
    for operation in (Operation.CREATE_POST, Operation.DELETE_POST, Operation.TOKEN):
        assert type(map_error(status, body, operation)) is errors.OutcomeUnknown
    for operation in (Operation.READ_TIMELINE, Operation.READ_USER, Operation.MEDIA_METADATA):
        error = map_error(status, body, operation)
        assert type(error) is errors.XUnavailable
        assert ("ROOST_X_BASE_URL" in error.next) is (status in {404, 410})


def test_not_permitted_means_too_long_only_for_a_long_text() -> None:
    assert type(map_error(403, NOT_PERMITTED, post_text="weight " * 50)) is errors.TextTooLong
    assert type(map_error(403, NOT_PERMITTED, post_text="Short.")) is errors.Rejected


V1_REQUEST = {"request": "/1.1/media/upload.json"}
DISCARDED = {"errors": [{"message": "BadRequest: Not found"}], "title": "Invalid Request"}


@pytest.mark.parametrize(
    ("operation", "status", "body", "error"),
    [
        (Operation.READ_TIMELINE, 503, {}, errors.XUnavailable),
        (Operation.MEDIA_UPLOAD, 413, b"", errors.SegmentTooLarge),
        (Operation.MEDIA_UPLOAD, 431, b"", errors.SegmentTooLarge),
        (
            Operation.MEDIA_UPLOAD,
            400,
            V1_REQUEST | {"error": "do not add up"},
            errors.MediaRejected,
        ),
        (Operation.MEDIA_UPLOAD, 400, DISCARDED, errors.NotFoundOnX),
        (
            Operation.MEDIA_STATUS,
            400,
            V1_REQUEST | {"error": "Invalid media_id: 1"},
            errors.NotFoundOnX,
        ),
        (Operation.MEDIA_UPLOAD, 410, problem(410, "Gone"), errors.AppMisconfigured),
        (Operation.MEDIA_METADATA, 400, forbidden("alt text"), errors.Rejected),
        (Operation.DELETE_POST, 404, problem(404, "Not Found"), errors.NotFoundOnX),
        (Operation.DELETE_POST, 403, forbidden("not yours"), errors.Rejected),
    ],
)
def test_error_for_response_to_other_operations(
    operation: Operation, status: int, body: object, error: type[errors.XError]
) -> None:
    assert type(map_error(status, body, operation)) is error


def test_rate_limited_waits_for_the_reset_of_the_empty_window() -> None:
    reset = NOW + timedelta(minutes=9)
    error = map_error(
        429,
        problem(429, "Too Many Requests"),
        x_rate_limit_limit="100",
        x_rate_limit_remaining="0",
        x_rate_limit_reset=str(int(reset.timestamp())),
    )
    assert isinstance(error, errors.RateLimited)
    assert timedelta(minutes=9) <= error.wait <= timedelta(minutes=9, seconds=2)


def test_usage_cap_is_out_of_credits_despite_full_windows() -> None:
    body = {
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "type": "https://api.twitter.com/2/problems/usage-capped",
    }
    error = map_error(
        429,
        body,
        x_rate_limit_limit="100",
        x_rate_limit_remaining="99",
        x_rate_limit_reset=str(int(NOW.timestamp()) + 60),
    )
    assert type(error) is errors.OutOfCredits
    assert error.facts["period"] == "Monthly"


def test_error_contains_neither_the_text_nor_a_secret() -> None:
    text = "A text of ours that X quotes."
    detail = f"Cannot post '{text}' with access_token=abcdef123456."
    error = str(map_error(400, forbidden(detail), post_text=text).as_dict())
    assert text not in error
    assert "abcdef123456" not in error


@pytest.mark.parametrize("text", ["e", "a", "post", "You are not", "not", ".", "(", "\\", "é"])
def test_mask_text_leaves_the_reason_intact_for_a_short_text(text: str) -> None:
    reason = "You are not allowed to create a post with duplicate content."
    assert reason in map_error(403, forbidden(reason), post_text=text).message
    for opening, closing in ("''", '""', "[]", "“”"):
        quoting = f"The text {opening}{text}{closing} is refused."
        message = map_error(403, forbidden(quoting), post_text=text).message
        assert message.endswith(f"The text {opening}…{closing} is refused.")


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]
)
def test_error_message_is_one_line(end: str) -> None:
    message = map_error(403, forbidden(f"Refused.{end}2026-01-01 INFO roost all is well")).message
    assert len(message.splitlines()) == 1
    assert "\x1b" not in map_error(403, forbidden("Refused.\x1b[2J")).message


def test_error_message_is_shortened() -> None:
    assert len(map_error(400, forbidden("no " * 1000)).message) < 400


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.DuplicatePost, Kind.REFUSED),
        (errors.OutOfCredits, Kind.REFUSED),
        (errors.NotFoundOnX, Kind.NOT_FOUND),
        (errors.ParentNotVisible, Kind.BUSY),
        (errors.RateLimited, Kind.BUSY),
        (errors.NotSent, Kind.BUSY),
        (errors.RefreshTokenInvalid, Kind.BROKEN),
        (errors.AppMisconfigured, Kind.BROKEN),
        (errors.OutcomeUnknown, Kind.BROKEN),
    ],
)
def test_error_has_a_kind(error: type[RoostError], kind: Kind) -> None:
    assert error.kind is kind


def test_outcome_unknown_does_not_claim_that_nothing_changed() -> None:
    assert "Nothing was changed" not in errors.OutcomeUnknown("No answer came.").did
