"""X's messages may quote a post's text or a name; the quote must not determine the error."""

import ast
import inspect
import json
from datetime import UTC, datetime

import pytest

from roost.prices import Operation
from roost.x import error_mapping, errors
from roost.x.transport import Response

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROBLEMS = "https://api.x.com/2/problems"
#: Errors that affect every account of an app.
APP_WIDE = (errors.OutOfCredits, errors.AppMisconfigured, errors.RateLimited)
SECRET = "Project Falcon"


def _phrases() -> list[str]:
    """Return every phrase that `error_mapping` looks for."""
    calls = (
        node
        for node in ast.walk(ast.parse(inspect.getsource(error_mapping)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "mentions"
    )
    return sorted(
        argument.value
        for call in calls
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )


PHRASES = _phrases()


def map_error(
    status: int, body: object, *, text: str | None = None, request_strings: tuple[str, ...] = ()
) -> errors.XError:
    response = Response(status, {}, json.dumps(body).encode())
    return error_mapping.error_for_response(
        response, Operation.CREATE_POST, now=NOW, post_text=text, request_strings=request_strings
    )


def refused(sentence: str) -> dict[str, object]:
    return {"title": "Forbidden", "type": "about:blank", "detail": sentence, "status": 403}


def test_phrases_are_found_in_the_source() -> None:
    assert {"spending limit", "duplicate", "media ids"} <= set(PHRASES)


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize(
    "quote",
    [
        "The text '{}' was refused.",
        "Refused: {}",
        "{}",
    ],
)
def test_phrase_in_a_quoted_text_decides_nothing(phrase: str, quote: str) -> None:
    text = f"Pat's shop & {phrase}, since 1990"
    sentence = quote.format(text)
    assert type(map_error(403, refused(sentence), text=text)) is errors.Rejected
    # X may change a text that it quotes: escaped, in capitals, shortened, or with other spaces.
    for changed in (
        sentence.replace("&", "&amp;").replace("'", "&#39;"),
        sentence.upper(),
        sentence.partition(", since")[0] + "…",
        sentence.replace(" ", "\u00a0"),
    ):
        assert type(map_error(403, refused(changed), text=text)) is errors.Rejected


@pytest.mark.parametrize("phrase", PHRASES)
def test_phrase_in_a_quoted_name_decides_nothing(phrase: str) -> None:
    body = refused(f"The user {phrase} may not do this.")
    assert (
        type(map_error(403, body, text="Good morning", request_strings=(phrase,)))
        is errors.Rejected
    )


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_phrase_causes_no_error_that_affects_other_accounts(phrase: str, status: int) -> None:
    for body in (
        refused(phrase),
        {"errors": [{"message": phrase}], "title": "Invalid Request", "detail": phrase},
        {"errors": [{"message": phrase}], "type": f"{PROBLEMS}/invalid-request"},
    ):
        assert not isinstance(map_error(status, body, text="Good morning"), APP_WIDE)


def test_phrase_counts_although_the_text_contains_a_word_of_it() -> None:
    sentence = "You are not allowed to create a Tweet with duplicate content."
    assert type(map_error(403, refused(sentence), text="No duplicate here")) is errors.DuplicatePost
    long = refused("Your Tweet text is too long.")
    assert type(map_error(403, long, text="It is too long")) is errors.TextTooLong


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (402, {"title": "CreditsDepleted", "type": f"{PROBLEMS}/credits"}),
        (403, {"title": "CreditsDepleted"}),
        (402, {}),
        (429, {"title": "UsageCapExceeded", "period": "Monthly"}),
        (429, {"title": "Too Many Requests"}),
        (403, {"type": f"{PROBLEMS}/client-forbidden", "reason": "client-not-enrolled"}),
        (403, {"type": f"{PROBLEMS}/client-forbidden", "reason": SECRET}),
        (403, {"type": f"{PROBLEMS}/unsupported-authentication"}),
        (403, {"type": f"{PROBLEMS}/oauth1-permissions"}),
        (410, {"title": "Gone"}),
    ],
)
def test_error_that_affects_all_accounts_contains_no_message_of_xs(
    status: int, more: dict[str, str]
) -> None:
    body = refused(f"The text '{SECRET}' was refused.") | more
    error = map_error(status, body, text=SECRET.upper())
    assert isinstance(error, APP_WIDE)
    assert SECRET not in json.dumps(error.as_dict(), default=str)


def test_spending_limit_known_by_its_message_pauses_only_its_account() -> None:
    error = map_error(403, refused("The spend cap of this app is reached."), text="Good morning")
    assert type(error) is errors.SpendingLimitReported
    assert isinstance(error, errors.XUnavailable)


def test_short_text_is_masked_only_in_quotation_marks() -> None:
    error = map_error(403, refused("You are refused, see 'e' and e."), text="e")
    assert "You are refused, see '…' and e." in error.message
