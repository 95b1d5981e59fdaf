"""X's refusals may quote what they refuse: a post's text or a name is never taken for X's words."""

import ast
import inspect
import json
from datetime import UTC, datetime

import pytest

from roost.prices import Operation
from roost.x import errors, refusals
from roost.x.wire import Answer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROBLEMS = "https://api.x.com/2/problems"
#: What concerns every account of an app.
APP_WIDE = (errors.OutOfCredits, errors.AppMisconfigured, errors.RateLimited)
SECRET = "Project Falcon"


def _phrases() -> list[str]:
    """Every word of X's that decides something, as `refusals` spells it."""
    calls = (
        node
        for node in ast.walk(ast.parse(inspect.getsource(refusals)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "says"
    )
    return sorted(
        argument.value
        for call in calls
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )


PHRASES = _phrases()


def judge(
    status: int, body: object, *, text: str | None = None, carried: tuple[str, ...] = ()
) -> errors.XFailure:
    answer = Answer(status, {}, json.dumps(body).encode())
    return refusals.judge_answer(
        answer, Operation.CREATE_POST, now=NOW, post_text=text, carried=carried
    )


def refused(sentence: str) -> dict[str, object]:
    return {"title": "Forbidden", "type": "about:blank", "detail": sentence, "status": 403}


def test_the_phrases_are_found() -> None:
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
def test_a_quoted_text_is_not_x_speaking(phrase: str, quote: str) -> None:
    text = f"Pat's shop & {phrase}, since 1990"
    sentence = quote.format(text)
    assert type(judge(403, refused(sentence), text=text)) is errors.Rejected
    # Changed as X may while it quotes: escaped, in capitals, cut, with other spaces.
    for changed in (
        sentence.replace("&", "&amp;").replace("'", "&#39;"),
        sentence.upper(),
        sentence.partition(", since")[0] + "…",
        sentence.replace(" ", "\u00a0"),
    ):
        assert type(judge(403, refused(changed), text=text)) is errors.Rejected


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_quoted_name_is_not_x_speaking(phrase: str) -> None:
    body = refused(f"The user {phrase} may not do this.")
    assert type(judge(403, body, text="Good morning", carried=(phrase,))) is errors.Rejected


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_no_sentence_decides_for_other_accounts(phrase: str, status: int) -> None:
    for body in (
        refused(phrase),
        {"errors": [{"message": phrase}], "title": "Invalid Request", "detail": phrase},
        {"errors": [{"message": phrase}], "type": f"{PROBLEMS}/invalid-request"},
    ):
        assert not isinstance(judge(status, body, text="Good morning"), APP_WIDE)


def test_x_itself_may_speak_of_what_the_text_speaks_of() -> None:
    sentence = "You are not allowed to create a Tweet with duplicate content."
    assert type(judge(403, refused(sentence), text="No duplicate here")) is errors.DuplicatePost
    long = refused("Your Tweet text is too long.")
    assert type(judge(403, long, text="It is too long")) is errors.TextTooLong


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
def test_what_concerns_all_accounts_holds_no_sentence_of_xs(
    status: int, more: dict[str, str]
) -> None:
    body = refused(f"The text '{SECRET}' was refused.") | more
    error = judge(status, body, text=SECRET.upper())
    assert isinstance(error, APP_WIDE)
    assert SECRET not in json.dumps(error.as_dict(), default=str)


def test_a_limit_known_by_its_sentence_alone_holds_up_its_own_account() -> None:
    error = judge(403, refused("The spend cap of this app is reached."), text="Good morning")
    assert type(error) is errors.SpendingLimitReported
    assert isinstance(error, errors.XUnavailable)


def test_a_short_text_masks_no_letters_of_xs_sentence() -> None:
    error = judge(403, refused("You are refused, see 'e' and e."), text="e")
    assert "You are refused, see '…' and e." in error.message
