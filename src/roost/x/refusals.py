"""Which error an answer without success becomes, and which a silence. Pure.

Problems are known by the last segment of their type (X answers with two hosts), by number or title;
what concerns one request or account alone also by words that logs have shown. What concerns the
whole app is never known by a sentence, and its message holds none: X's sentence may quote one
tenant, and everybody reads it. A refusal without X's problem
document is not X's (see `problems`), whatever its status: the request may have been carried out.
"""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from roost import limits, prices, text
from roost.escaping import one_line
from roost.prices import Operation
from roost.scrub import scrub
from roost.x import errors
from roost.x.problems import Problem, problem_of, read_problem
from roost.x.wire import Answer, Silence

#: Lost answers to these leave something behind that may or may not be there.
_LASTING: Final = frozenset({Operation.CREATE_POST, Operation.DELETE_POST, Operation.TOKEN})
_MEDIA: Final = frozenset({Operation.MEDIA_UPLOAD, Operation.MEDIA_STATUS})
#: Problem types that concern the app, whoever's token it was.
_APP_PROBLEMS: Final = frozenset(
    {
        "client-forbidden",
        "official-client-forbidden",
        "unsupported-authentication",
        "oauth1-permissions",
    }
)
#: Statuses that also mean "wrong address".
_NOWHERE: Final = frozenset({404, 410})
_LONGEST_SENTENCE: Final = 300
#: A post's text of so many characters is no word of X's own sentence.
_SHORTEST_TEXT: Final = 20
_OPENING: Final = "'\"‘“«‹„([{`"
_CLOSING: Final = "'\"’”»›“)]}`"
#: The ordinary limit, in weighted characters.
_ORDINARY_LIMIT: Final = 280


def refuses_token(answer: Answer) -> bool:
    """Whether X itself refused the token; a proxy's 401 says nothing about it."""
    return answer.status == 401 and read_problem(answer.body) is not None


def is_about_the_grant(answer: Answer) -> bool:
    """Whether a 403 refuses the kind of token, or a scope that it lacks, and not the request."""
    problem = read_problem(answer.body)
    if problem is None:
        return False
    is_bare = _is_bare_forbidden(problem) and problem.title != "CreditsDepleted"
    return problem.slug == "unsupported-authentication" or is_bare


def judge_silence(silence: Silence, operation: Operation) -> errors.XFailure:
    """The error for an exchange without an answer."""
    if not silence.maybe_sent:
        return errors.NotSent(f"X was not reached: {silence.reason}.", operation=operation.value)
    facts: dict[str, Any] = {"operation": operation.value, "request_id": silence.request_id}
    if operation in _LASTING:
        return errors.OutcomeUnknown(
            f"X's answer to {operation} is not known: {silence.reason}.", **facts
        )
    return errors.XUnavailable(f"X did not answer: {silence.reason}.", **facts)


def judge_unreadable(answer: Answer, operation: Operation) -> errors.XFailure:
    """The error for a success whose body is not what it should be."""
    facts = _facts(answer, operation)
    if operation in _LASTING:
        return errors.OutcomeUnknown(f"X's answer to {operation} cannot be read.", **facts)
    return errors.XUnavailable("X's answer cannot be read.", **facts)


def judge_failure(answer: Answer, operation: Operation) -> errors.XFailure:
    """The error for a 5xx, or anything else that says nothing about what was done.

    A 503 has been seen for overload, closed plans and bad subtitles; it proves nothing.
    """
    facts = _facts(answer, operation)
    if operation in _LASTING:
        return errors.OutcomeUnknown(f"X failed while it answered {operation}.", **facts)
    return errors.XUnavailable("X has a failure of its own.", **facts)


def judge_foreign(answer: Answer, operation: Operation) -> errors.XFailure:
    """The error for a 4xx without X's problem document: something between here and X answered.

    It may have done so after it delivered the request.
    """
    facts = _facts(answer, operation)
    if operation in _LASTING:
        return errors.OutcomeUnknown(
            f"What answered {operation} was not X, which may have carried it out.", **facts
        )
    hint = "Check ROOST_X_BASE_URL." if answer.status in _NOWHERE else ""
    return errors.XUnavailable("What answered was not X.", next=hint, **facts)


def judge_answer(
    answer: Answer,
    operation: Operation,
    *,
    now: datetime,
    post_text: str | None = None,
    carried: Sequence[str] = (),
    limited: int = 1,
) -> errors.XFailure:
    """The error for an answer that is not a success.

    `now` is domain time, in which X's limits end; `post_text` the text of a create; `carried` all
    words that the request held, and names of its account: X may quote them. `limited` counts the
    429s in a row, this one included.
    """
    if not 400 <= answer.status < 500 or answer.status == 408:
        return judge_failure(answer, operation)
    facts = _facts(answer, operation)
    problem = read_problem(answer.body)
    if operation in _MEDIA and answer.status in {413, 431}:
        # X's own come without a body as well (seen for segments above 1 MiB).
        return errors.SegmentTooLarge("X does not take segments of this size.", **facts)
    if problem is None:
        return judge_foreign(answer, operation)
    problem = problem.about([*carried, *([post_text] if post_text else [])])
    if (general := _judge_account(answer, problem, now, limited, facts)) is not None:
        return general
    if answer.status == 410:
        return errors.AppMisconfigured(
            "X has nothing at this address any more.", next="Check ROOST_X_BASE_URL.", **facts
        )
    if _mentions_money(problem):
        return errors.SpendingLimitReported(
            f"X names credits or a spending limit: {_quote(problem, post_text)}", **facts
        )
    said = _quote(problem, post_text)
    if operation is Operation.CREATE_POST:
        return _judge_create(problem, post_text, said, facts)
    if operation in _MEDIA and problem.says("not found", "invalid media_id"):
        return errors.NotFoundOnX(f"X does not know this upload: {said}", **facts)
    if operation in _MEDIA and answer.status == 400:
        return errors.MediaRejected(f"X does not take the file: {said}", **facts)
    return _judge_resource(problem, facts, missing=answer.status == 404)


def judge_absence(
    reason: Mapping[str, Any], answer: Answer, operation: Operation
) -> errors.Rejected:
    """The error for a 200 that gives a reason (possibly empty) in place of what was asked for."""
    problem, facts = problem_of(reason), _facts(answer, operation)
    if operation in _MEDIA:
        said = _quote(problem, None)
        return errors.MediaRejected(f"X could not process the file: {said}", **facts)
    return _judge_resource(problem, facts, missing=not reason)


def _judge_resource(
    problem: Problem, facts: dict[str, Any], *, missing: bool = False
) -> errors.Rejected:
    said = _quote(problem, None)
    if missing or problem.slug == "resource-not-found":
        return errors.NotFoundOnX(f"X does not find it: {said}", **facts)
    return errors.Rejected(f"X refused: {said}", **facts)


def _judge_account(
    answer: Answer, problem: Problem, now: datetime, limited: int, facts: dict[str, Any]
) -> errors.XFailure | None:
    """Refusals that any operation may meet; None: it is about this request."""
    slug = problem.slug
    windows = limits.read_windows(answer.headers)
    if slug == "usage-capped" or problem.title == "UsageCapExceeded":
        # The windows' resets mean nothing here (seen with full windows).
        wait = limits.wait_after_429(windows, now=now, usage_cap=problem.period or "Monthly")
        facts = facts | {"until": wait.until.isoformat(), "period": problem.period}
        return errors.OutOfCredits("The app's usage cap at X is reached.", **facts)
    if answer.status == 402 or slug == "credits" or problem.title == "CreditsDepleted":
        return errors.OutOfCredits("The X app has no credits left.", **facts)
    if answer.status == 429:
        until = limits.wait_after_429(windows, now=now, refusals=limited).until
        wait_for = until - now
        return errors.RateLimited(
            "X's rate limit is reached.", wait=wait_for, until=until.isoformat(), **facts
        )
    if answer.status == 401:
        return errors.Reauthorize("X does not accept the account's token.", **facts)
    # 453: the plan has no such endpoint.
    if slug in _APP_PROBLEMS or problem.reason == "client-not-enrolled" or 453 in problem.codes:
        known = {slug, problem.reason} & (_APP_PROBLEMS | {"client-not-enrolled"})
        why = " ".join(sorted(filter(None, known))) or "453"
        return errors.AppMisconfigured(f"X does not serve this app ({why}).", **facts)
    if answer.status == 403 and _is_bare_forbidden(problem):
        return errors.Reauthorize(
            "The account's grant does not cover this.",
            next="Connect the account again and allow everything that is asked for.",
            **facts,
        )
    return None


def _judge_create(
    problem: Problem, post_text: str | None, said: str, facts: dict[str, Any]
) -> errors.XFailure:
    if problem.says("create a tweet with duplicate content", "duplicate") or 187 in problem.codes:
        return errors.DuplicatePost(f"X refused the post: {said}", **facts)
    if problem.says("your tweet text is too long", "too long") or _is_told_by_weight(
        problem, post_text
    ):
        return errors.TextTooLong(f"X refused the post as too long: {said}", **facts)
    if problem.says("your media ids are invalid", "media ids"):
        return errors.MediaIdsInvalid(f"X refused the post's media ids: {said}", **facts)
    if problem.says("not allowed to post a video longer", "a video longer", "maximum of 4 items"):
        return errors.MediaRejected(f"X refused the post's media: {said}", **facts)
    if problem.says("attempted to quote"):
        return errors.NotFoundOnX(f"X does not see the post to quote: {said}", **facts)
    if (
        problem.says("to reply to a tweet that is deleted", "deleted or not visible")
        or 385 in problem.codes
    ):
        return errors.ParentNotVisible(f"X does not see the post to reply to: {said}", **facts)
    if problem.slug == "not-authorized-for-resource" or problem.says(
        "reply to or quote", "reply to this conversation", "quoting this post"
    ):
        return errors.ReplyNotAllowed(f"X refused the reply or quote: {said}", **facts)
    if problem.says("limited to a maximum of one cashtag", "one cashtag"):
        return errors.TooManyCashtags(f"X refused the post: {said}", **facts)
    return errors.Rejected(f"X refused the post: {said}", **facts)


def _is_told_by_weight(problem: Problem, post_text: str | None) -> bool:
    """X says "not permitted" for too long a text, and for its spam guard as well."""
    if post_text is None or not problem.says("not permitted to perform this action"):
        return False
    return text.weigh(post_text).weighted_length > _ORDINARY_LIMIT


def _is_bare_forbidden(problem: Problem) -> bool:
    """A scope that the grant lacks is answered by the bare word (seen for media.write)."""
    return not problem.slug and not problem.codes and problem.sentence in {"", "Forbidden"}


def _mentions_money(problem: Problem) -> bool:
    """Whether the sentence alone says so: no source shows by which type X refuses at a limit."""
    return problem.says("any credits", "spend cap", "spending limit")


def _facts(answer: Answer, operation: prices.Operation) -> dict[str, Any]:
    return {"operation": operation.value, "request_id": answer.request_id}


def _quote(problem: Problem, post_text: str | None) -> str:
    """X's words for a reader: on one line, scrubbed, cut, and without the post's text."""
    said = one_line(scrub(problem.sentence or problem.title or "no reason given"))
    if post_text:
        said = without_text(said, post_text)
    return said if len(said) <= _LONGEST_SENTENCE else said[: _LONGEST_SENTENCE - 1] + "…"


def without_text(said: str, post_text: str) -> str:
    """X's sentence without a post's text, which it may quote as it is or escaped.

    A short text is also a letter or a word of the sentence: it is taken out only where it stands
    in quotation marks or brackets, a longer one wherever it is not part of a longer word.
    """
    stripped = post_text.strip()
    spellings = {post_text, stripped, html.escape(post_text), html.escape(post_text, False)}
    for spelling in sorted(filter(None, spellings), key=len, reverse=True):
        text = re.escape(spelling)
        said = re.sub(rf"(?<=[{re.escape(_OPENING)}]){text}(?=[{re.escape(_CLOSING)}])", "…", said)
        if len(spelling) >= _SHORTEST_TEXT:
            said = re.sub(rf"(?<!\w){text}(?!\w)", "…", said)
    return said
