"""Each answer that logs have shown, and the error it becomes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from roost.errors import Kind, RoostError
from roost.prices import Operation
from roost.x import errors, refusals
from roost.x.wire import Answer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROBLEMS = "https://api.x.com/2/problems"
NOT_PERMITTED = {
    "title": "Forbidden",
    "type": "about:blank",
    "detail": "You are not permitted to perform this action.",
}


def judge(
    status: int,
    body: object,
    operation: Operation = Operation.CREATE_POST,
    *,
    post_text: str | None = None,
    **headers: str,
) -> errors.XFailure:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Answer(status, {"x-transaction-id": "7f3a"} | named, encoded)
    return refusals.judge_answer(answer, operation, now=NOW, post_text=post_text)


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
            errors.ReplyNotAllowed, id="not-summoned-old-words",
        ),
        pytest.param(
            403,
            {"type": "https://api.twitter.com/2/problems/not-authorized-for-resource"},
            errors.ReplyNotAllowed, id="not-summoned-by-type",
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
            errors.SpendingLimitReported, id="spend-cap-by-its-sentence",
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
        pytest.param(403, forbidden("Forbidden"), errors.Reauthorize, id="bare-forbidden"),
        pytest.param(408, b"", errors.OutcomeUnknown, id="timeout-of-theirs"),
        pytest.param(302, b"", errors.OutcomeUnknown, id="redirect"),
        pytest.param(503, {"title": "Service Unavailable"}, errors.OutcomeUnknown, id="503"),
        pytest.param(502, b"upstream connect error", errors.OutcomeUnknown, id="plain-text"),
        pytest.param(401, problem(401, "Unauthorized"), errors.Reauthorize, id="401"),
        pytest.param(
            401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]},
            errors.Reauthorize, id="401-of-a-signature",
        ),
        pytest.param(429, problem(429, "Too Many Requests"), errors.RateLimited, id="429"),
        pytest.param(410, problem(410, "Gone"), errors.AppMisconfigured, id="410"),
    ],
)  # fmt: skip
def test_answer_to_a_create_becomes(
    status: int, body: object, error: type[errors.XFailure]
) -> None:
    judged = judge(status, body)
    assert type(judged) is error
    assert judged.request_id == "7f3a"
    assert judged.operation == "create_post"
    assert judged.surely_created_nothing is (error is not errors.OutcomeUnknown)


FOREIGN = {
    "html": b"<html>Attention</html>",
    "text": b"Too many requests",
    "nothing": b"",
    "object": b"{}",
    "list": b"[1]",
    "null": b"null",
    "cut": b'{"title":"Forbidden","type":"about:bl',
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
def test_refusal_without_xs_problem_is_not_xs(status: int, body: object) -> None:
    for operation in (Operation.CREATE_POST, Operation.DELETE_POST, Operation.TOKEN):
        assert type(judge(status, body, operation)) is errors.OutcomeUnknown
    for operation in (Operation.READ_TIMELINE, Operation.READ_USER, Operation.MEDIA_METADATA):
        judged = judge(status, body, operation)
        assert type(judged) is errors.XUnavailable
        assert ("ROOST_X_BASE_URL" in judged.next) is (status in {404, 410})


def test_not_permitted_is_too_long_only_where_the_text_is() -> None:
    assert type(judge(403, NOT_PERMITTED, post_text="weight " * 50)) is errors.TextTooLong
    assert type(judge(403, NOT_PERMITTED, post_text="Short.")) is errors.Rejected


OLD = {"request": "/1.1/media/upload.json"}
FORGOTTEN = {"errors": [{"message": "BadRequest: Not found"}], "title": "Invalid Request"}


@pytest.mark.parametrize(
    ("operation", "status", "body", "error"),
    [
        (Operation.READ_TIMELINE, 503, {}, errors.XUnavailable),
        (Operation.MEDIA_UPLOAD, 413, b"", errors.SegmentTooLarge),
        (Operation.MEDIA_UPLOAD, 431, b"", errors.SegmentTooLarge),
        (Operation.MEDIA_UPLOAD, 400, OLD | {"error": "do not add up"}, errors.MediaRejected),
        (Operation.MEDIA_UPLOAD, 400, FORGOTTEN, errors.NotFoundOnX),
        (Operation.MEDIA_STATUS, 400, OLD | {"error": "Invalid media_id: 1"}, errors.NotFoundOnX),
        (Operation.MEDIA_UPLOAD, 410, problem(410, "Gone"), errors.AppMisconfigured),
        (Operation.MEDIA_METADATA, 400, forbidden("alt text"), errors.Rejected),
        (Operation.DELETE_POST, 404, problem(404, "Not Found"), errors.NotFoundOnX),
        (Operation.DELETE_POST, 403, forbidden("not yours"), errors.Rejected),
    ],
)
def test_answer_to_others_becomes(
    operation: Operation, status: int, body: object, error: type[errors.XFailure]
) -> None:
    assert type(judge(status, body, operation)) is error


def test_empty_window_ends_the_wait() -> None:
    reset = NOW + timedelta(minutes=9)
    judged = judge(
        429,
        problem(429, "Too Many Requests"),
        x_rate_limit_limit="100",
        x_rate_limit_remaining="0",
        x_rate_limit_reset=str(int(reset.timestamp())),
    )
    assert isinstance(judged, errors.RateLimited)
    assert timedelta(minutes=9) <= judged.wait <= timedelta(minutes=9, seconds=2)


def test_usage_cap_is_about_money_whatever_the_windows_say() -> None:
    body = {
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "type": "https://api.twitter.com/2/problems/usage-capped",
    }
    judged = judge(
        429,
        body,
        x_rate_limit_limit="100",
        x_rate_limit_remaining="99",
        x_rate_limit_reset=str(int(NOW.timestamp()) + 60),
    )
    assert type(judged) is errors.OutOfCredits
    assert judged.facts["period"] == "Monthly"


def test_error_repeats_neither_the_text_nor_a_secret() -> None:
    text = "A text of ours that X repeats."
    detail = f"Cannot post '{text}' with access_token=abcdef123456."
    told = str(judge(400, forbidden(detail), post_text=text).as_dict())
    assert text not in told
    assert "abcdef123456" not in told


@pytest.mark.parametrize("text", ["e", "a", "post", "You are not", "not", ".", "(", "\\", "é"])
def test_short_text_takes_no_letter_from_the_reason(text: str) -> None:
    reason = "You are not allowed to create a post with duplicate content."
    assert reason in judge(403, forbidden(reason), post_text=text).message
    for opening, closing in ("''", '""', "[]", "“”"):
        quoting = f"The text {opening}{text}{closing} is refused."
        told = judge(403, forbidden(quoting), post_text=text).message
        assert told.endswith(f"The text {opening}…{closing} is refused.")


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]
)
def test_reason_is_one_line(end: str) -> None:
    told = judge(403, forbidden(f"Refused.{end}2026-01-01 INFO roost all is well")).message
    assert len(told.splitlines()) == 1
    assert "\x1b" not in judge(403, forbidden("Refused.\x1b[2J")).message


def test_very_long_reason_is_cut() -> None:
    assert len(judge(400, forbidden("no " * 1000)).message) < 400


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.DuplicatePost, Kind.REFUSED),
        (errors.OutOfCredits, Kind.REFUSED),
        (errors.NotFoundOnX, Kind.NOT_FOUND),
        (errors.ParentNotVisible, Kind.BUSY),
        (errors.RateLimited, Kind.BUSY),
        (errors.NotSent, Kind.BUSY),
        (errors.GrantDead, Kind.BROKEN),
        (errors.AppMisconfigured, Kind.BROKEN),
        (errors.OutcomeUnknown, Kind.BROKEN),
    ],
)
def test_error_is_of_the_kind_that_faces_show(error: type[RoostError], kind: Kind) -> None:
    assert error.kind is kind


def test_unknown_outcome_never_says_that_nothing_changed() -> None:
    assert "Nothing was changed" not in errors.OutcomeUnknown("No answer came.").did
