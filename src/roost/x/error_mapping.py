"""Maps X's error responses, and missing responses, to error classes. Pure.

A problem is recognized by the last segment of its type (X uses two hosts), its number or its title.
A problem of one request or account is also recognized by phrases of X's messages that were found in
logs. A problem of the whole app is never recognized by a phrase, and its error does not quote X's
message: the message may contain one tenant's post, but all tenants see the error. An error response
without X's problem document does not come from X (see `problems`), so X may have carried out the
request.
"""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from roost import prices, rate_limits, text
from roost.escaping import one_line
from roost.prices import Operation
from roost.scrub import scrub
from roost.x import errors
from roost.x.problems import Problem, find_problem, parse_problem
from roost.x.transport import NoResponse, Response

#: The operations with a lasting effect. If the response is lost, X may have executed the request.
_LASTING: Final = frozenset({Operation.CREATE_POST, Operation.DELETE_POST, Operation.TOKEN})
_MEDIA: Final = frozenset({Operation.MEDIA_UPLOAD, Operation.MEDIA_STATUS})
#: The types of problems that concern the app, and not only the account whose token was used.
_APP_PROBLEMS: Final = frozenset(
    {
        "client-forbidden",
        "official-client-forbidden",
        "unsupported-authentication",
        "oauth1-permissions",
    }
)
#: Statuses that can also be caused by a wrong ROOST_X_BASE_URL.
_WRONG_URL: Final = frozenset({404, 410})
_MAX_QUOTE: Final = 300
#: A post's text of at least this many characters cannot be mistaken for a word of X's own message.
_MIN_MASKED_TEXT: Final = 20
_OPENING: Final = "'\"‘“«‹„([{`"
_CLOSING: Final = "'\"’”»›“)]}`"
#: The limit of a post's text without Premium, in weighted characters.
_STANDARD_LIMIT: Final = 280


def is_token_rejected(response: Response) -> bool:
    """Whether X itself rejected the token; a proxy's 401 says nothing about the token."""
    return response.status == 401 and find_problem(response.body) is not None


def is_grant_insufficient(response: Response) -> bool:
    """Whether a 403 is about the token (its kind, or a missing scope), not about the request."""
    problem = find_problem(response.body)
    if problem is None:
        return False
    is_bare = _is_bare_forbidden(problem) and problem.title != "CreditsDepleted"
    return problem.slug == "unsupported-authentication" or is_bare


def _subject(operation: Operation) -> str:
    """Return the words for an operation's request in a message to users."""
    return "the post" if operation is Operation.CREATE_POST else operation.value


def error_for_no_response(missing: NoResponse, operation: Operation) -> errors.XError:
    """Return the error for an exchange without a response."""
    if not missing.maybe_sent:
        return errors.NotSent(f"X was not reached: {missing.reason}.", operation=operation.value)
    facts: dict[str, Any] = {"operation": operation.value, "request_id": missing.request_id}
    if operation in _LASTING:
        return errors.OutcomeUnknown(
            f"X's response to {_subject(operation)} is not known: {missing.reason}.", **facts
        )
    return errors.XUnavailable(f"X did not respond: {missing.reason}.", **facts)


def error_for_unreadable_body(response: Response, operation: Operation) -> errors.XError:
    """Return the error for a 2xx response whose body cannot be decoded."""
    facts = _facts(response, operation)
    if operation in _LASTING:
        return errors.OutcomeUnknown(
            f"X's response to {_subject(operation)} cannot be read.", **facts
        )
    return errors.XUnavailable("X's response cannot be read.", **facts)


def error_for_server_failure(response: Response, operation: Operation) -> errors.XError:
    """Return the error for a 5xx, or another status that leaves the outcome open.

    X has sent 503 for overload, for closed plans and for bad subtitles, so a 503 does not show
    whether X carried out the request.
    """
    facts = _facts(response, operation)
    if operation in _LASTING:
        return errors.OutcomeUnknown(f"X failed while it handled {_subject(operation)}.", **facts)
    return errors.XUnavailable("X had an internal failure.", **facts)


def error_for_foreign_response(response: Response, operation: Operation) -> errors.XError:
    """Return the error for a 4xx response of a proxy, which has no problem document of X.

    The proxy may have delivered the request to X before it responded, so X may have carried out the
    request.
    """
    facts = _facts(response, operation)
    if operation in _LASTING:
        return errors.OutcomeUnknown(
            f"A proxy, not X, responded to {_subject(operation)}; X may have carried it out.",
            **facts,
        )
    hint = "Check ROOST_X_BASE_URL." if response.status in _WRONG_URL else ""
    return errors.XUnavailable("A proxy responded instead of X.", next=hint, **facts)


def error_for_response(
    response: Response,
    operation: Operation,
    *,
    now: datetime,
    post_text: str | None = None,
    request_strings: Sequence[str] = (),
    rate_limited: int = 1,
) -> errors.XError:
    """Return the error for a response that is not a success.

    `now` is domain time, in which X's rate limits end. `post_text` is the text of the post that the
    request creates. `request_strings` are all strings of the request and the names of its account,
    which X may quote. `rate_limited` is the number of consecutive 429 responses, including
    `response`.
    """
    if not 400 <= response.status < 500 or response.status == 408:
        return error_for_server_failure(response, operation)
    facts = _facts(response, operation)
    problem = find_problem(response.body)
    if operation in _MEDIA and response.status in {413, 431}:
        # For this status, X's own response has no body (as seen for segments above 1 MiB).
        return errors.SegmentTooLarge("X does not accept segments of this size.", **facts)
    if problem is None:
        return error_for_foreign_response(response, operation)
    problem = problem.with_request_strings([*request_strings, *([post_text] if post_text else [])])
    general = _error_for_account_or_app(response, problem, now, rate_limited, facts)
    if general is not None:
        return general
    if response.status == 410:
        return errors.AppMisconfigured(
            "X no longer has this endpoint.", next="Check ROOST_X_BASE_URL.", **facts
        )
    if _mentions_money(problem):
        return errors.SpendingLimitReported(
            f"X reports credits or a spending limit: {_quote(problem, post_text)}", **facts
        )
    quote = _quote(problem, post_text)
    if operation is Operation.CREATE_POST:
        return _error_for_create(problem, post_text, quote, facts)
    if operation in _MEDIA and problem.mentions("not found", "invalid media_id"):
        return errors.NotFoundOnX(f"X does not know this upload: {quote}", **facts)
    if operation in _MEDIA and response.status == 400:
        return errors.MediaRejected(f"X does not accept the file: {quote}", **facts)
    return _error_for_resource(problem, facts, missing=response.status == 404)


def error_for_missing_data(
    reason: Mapping[str, Any], response: Response, operation: Operation
) -> errors.Rejected:
    """Return the error for a response with status 200 that has no data.

    `reason` is X's reason for the missing data; it may be empty.
    """
    problem, facts = parse_problem(reason), _facts(response, operation)
    if operation in _MEDIA:
        quote = _quote(problem, None)
        return errors.MediaRejected(f"X could not process the file: {quote}", **facts)
    return _error_for_resource(problem, facts, missing=not reason)


def _error_for_resource(
    problem: Problem, facts: dict[str, Any], *, missing: bool = False
) -> errors.Rejected:
    quote = _quote(problem, None)
    if missing or problem.slug == "resource-not-found":
        return errors.NotFoundOnX(f"X does not find the post or user: {quote}", **facts)
    return errors.Rejected(f"X refused: {quote}", **facts)


def _error_for_account_or_app(
    response: Response,
    problem: Problem,
    now: datetime,
    rate_limited: int,
    facts: dict[str, Any],
) -> errors.XError | None:
    """Return the error for a problem of the account or app; None if the request is at fault."""
    slug = problem.slug
    windows = rate_limits.parse_windows(response.headers)
    if slug == "usage-capped" or problem.title == "UsageCapExceeded":
        # A usage cap ends with the day or month, and not when a rate limit window resets.
        wait = rate_limits.wait_after_429(windows, now=now, usage_cap=problem.period or "Monthly")
        facts = facts | {"until": wait.until.isoformat(), "period": problem.period}
        return errors.OutOfCredits("The app has reached its usage cap at X.", **facts)
    if response.status == 402 or slug == "credits" or problem.title == "CreditsDepleted":
        return errors.OutOfCredits("The X app has no credits left.", **facts)
    if response.status == 429:
        until = rate_limits.wait_after_429(windows, now=now, refusals=rate_limited).until
        return errors.RateLimited(
            "X's rate limit is reached.", wait=until - now, until=until.isoformat(), **facts
        )
    if response.status == 401:
        return errors.ReauthorizationRequired("X does not accept the account's token.", **facts)
    # X's error 453 means that the app's plan does not include the endpoint.
    if slug in _APP_PROBLEMS or problem.reason == "client-not-enrolled" or 453 in problem.codes:
        known = {slug, problem.reason} & (_APP_PROBLEMS | {"client-not-enrolled"})
        why = " ".join(sorted(filter(None, known))) or "453"
        return errors.AppMisconfigured(f"X does not serve this app ({why}).", **facts)
    if response.status == 403 and _is_bare_forbidden(problem):
        return errors.ReauthorizationRequired(
            "The account's grant does not permit this request.",
            next="Connect the account again and allow every permission.",
            **facts,
        )
    return None


def _error_for_create(
    problem: Problem, post_text: str | None, quote: str, facts: dict[str, Any]
) -> errors.XError:
    if (
        problem.mentions("create a tweet with duplicate content", "duplicate")
        or 187 in problem.codes
    ):
        return errors.DuplicatePost(f"X refused the post: {quote}", **facts)
    if problem.mentions("your tweet text is too long", "too long") or _is_not_permitted_for_length(
        problem, post_text
    ):
        return errors.TextTooLong(f"X refused the post as too long: {quote}", **facts)
    if problem.mentions("your media ids are invalid", "media ids"):
        return errors.MediaIdsInvalid(f"X refused the post's media ids: {quote}", **facts)
    if problem.mentions(
        "not allowed to post a video longer", "a video longer", "maximum of 4 items"
    ):
        return errors.MediaRejected(f"X refused the post's media: {quote}", **facts)
    if problem.mentions("attempted to quote"):
        return errors.NotFoundOnX(f"X does not see the post to quote: {quote}", **facts)
    if (
        problem.mentions("to reply to a tweet that is deleted", "deleted or not visible")
        or 385 in problem.codes
    ):
        return errors.ParentNotVisible(f"X does not see the post to reply to: {quote}", **facts)
    if problem.slug == "not-authorized-for-resource" or problem.mentions(
        "reply to or quote", "reply to this conversation", "quoting this post"
    ):
        return errors.ReplyNotAllowed(f"X refused the reply or quote: {quote}", **facts)
    if problem.mentions("limited to a maximum of one cashtag", "one cashtag"):
        return errors.TooManyCashtags(f"X refused the post: {quote}", **facts)
    return errors.Rejected(f"X refused the post: {quote}", **facts)


def _is_not_permitted_for_length(problem: Problem, post_text: str | None) -> bool:
    """Whether X's message "not permitted" means that the text is too long.

    X also sends this message for spam, so the length of the text decides.
    """
    if post_text is None or not problem.mentions("not permitted to perform this action"):
        return False
    return text.weigh(post_text).weighted_length > _STANDARD_LIMIT


def _is_bare_forbidden(problem: Problem) -> bool:
    """Whether X gives no reason but "Forbidden".

    X does this if a scope is missing (seen for `media.write`).
    """
    return not problem.slug and not problem.codes and problem.message in {"", "Forbidden"}


def _mentions_money(problem: Problem) -> bool:
    """Whether X's message mentions credits or a spending limit.

    The message is checked, because no known problem type stands for a spending limit.
    """
    return problem.mentions("any credits", "spend cap", "spending limit")


def _facts(response: Response, operation: prices.Operation) -> dict[str, Any]:
    return {"operation": operation.value, "request_id": response.request_id}


def _quote(problem: Problem, post_text: str | None) -> str:
    """Return X's message on one line, shortened, and without secrets and the post's text."""
    quote = one_line(scrub(problem.message or problem.title or "no reason given"))
    if post_text:
        quote = mask_text(quote, post_text)
    return quote if len(quote) <= _MAX_QUOTE else quote[: _MAX_QUOTE - 1] + "…"


def mask_text(message: str, post_text: str) -> str:
    """Replace a post's text in X's message, which may quote the text as it is or escaped.

    A short text may also be a letter or a word of X's own message, so a short text is replaced only
    between quotation marks or brackets. A longer text is replaced wherever it is not part of a
    longer word.
    """
    stripped = post_text.strip()
    spellings = {post_text, stripped, html.escape(post_text), html.escape(post_text, False)}
    for spelling in sorted(filter(None, spellings), key=len, reverse=True):
        pattern = re.escape(spelling)
        quoted = rf"(?<=[{re.escape(_OPENING)}]){pattern}(?=[{re.escape(_CLOSING)}])"
        message = re.sub(quoted, "…", message)
        if len(spelling) >= _MIN_MASKED_TEXT:
            message = re.sub(rf"(?<!\w){pattern}(?!\w)", "…", message)
    return message
