"""OAuth 1.0a in three legs: ask for a token, have a person allow it, redeem it; and its end.

Source: docs.x.com, oauth-1-0a/obtaining-user-access-tokens and api-reference. The tokens do not
expire; without a callback X shows the person a PIN, which is the verifier.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal
from urllib.parse import parse_qs, quote, urlencode

import aiohttp
import msgspec

from roost.endpoint import XEndpoint
from roost.models import XUserId
from roost.prices import Operation
from roost.x import errors, problems, refusals, signing
from roost.x.signing import OAuth1
from roost.x.wire import NOT_DECODABLE, Answer, Patience, exchange

_PATIENCE: Final = Patience()
#: In place of a callback: the person is shown a PIN.
OUT_OF_BAND: Final = "oob"


@dataclass(frozen=True, slots=True)
class AskedToken:
    """A request token; keep it until the verifier comes."""

    token: str
    secret: str = field(repr=False)
    endpoint: XEndpoint = field(repr=False)
    """The X that gave it."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a person allowed, and who it was."""

    credential: OAuth1
    user_id: XUserId
    username: str


async def ask_token(
    session: aiohttp.ClientSession,
    *,
    app: OAuth1,
    callback: str = OUT_OF_BAND,
    access: Literal["read", "write"] | None = None,
) -> AskedToken:
    """A request token for the app's keys alone; `callback` is one registered with it, exactly.

    `access` asks for less than, or all of, what the app may do.

    Raises: AppMisconfigured (its keys or callback), XUnavailable, OutcomeUnknown.
    """
    params: dict[str, str] | None = {"x_auth_access_type": access} if access else None
    told = await _ask(session, "/oauth/request_token", app, params, callback=callback)
    return AskedToken(told["oauth_token"], told["oauth_token_secret"], app.endpoint)


def authorize_url(
    asked: AskedToken,
    *,
    ask_again: bool = True,
    force_login: bool = False,
    screen_name: str | None = None,
) -> str:
    """The page on which a person allows it; without `ask_again` X skips it where they have before.

    It leads back with `oauth_token` and `oauth_verifier`, or with `denied`.
    """
    query = {"oauth_token": asked.token}
    if force_login:
        query["force_login"] = "true"
    if screen_name:
        query["screen_name"] = screen_name
    page = "authorize" if ask_again else "authenticate"
    return f"{asked.endpoint.url(f'/oauth/{page}')}?{urlencode(query, quote_via=quote)}"


async def redeem(
    session: aiohttp.ClientSession,
    *,
    app: OAuth1,
    asked: AskedToken,
    verifier: str,
) -> Granted:
    """The user's credential for a request token that was allowed; `verifier` may be the PIN.

    Raises: CodeRefused (a wrong verifier, a token used or too old), XUnavailable, OutcomeUnknown,
    UnsafeHost (the token and the app belong to different endpoints).
    """
    app.endpoint.require_same(asked.endpoint)
    signer = replace(app, token=asked.token, token_secret=asked.secret)
    told = await _ask(session, "/oauth/access_token", signer, None, verifier=verifier)
    credential = replace(app, token=told["oauth_token"], token_secret=told["oauth_token_secret"])
    return Granted(credential, XUserId(told["user_id"]), told["screen_name"])


async def invalidate(session: aiohttp.ClientSession, *, credential: OAuth1) -> None:
    """Let a user's credential die; one that is dead already is well. May be repeated.

    Raises: XUnavailable, AppMisconfigured.
    """
    path = "/1.1/oauth/invalidate_token.json"
    answer = await _post(session, path, credential, None, Operation.REVOKE)
    if answer.is_success:
        if _names_token(answer.body):
            return
        raise refusals.judge_unreadable(answer, Operation.REVOKE)
    problem = problems.read_problem(answer.body)
    # 89: invalid or expired token.
    if problem is not None and 89 in problem.codes:
        return
    raise _judge(answer, Operation.REVOKE, verifier=None)


def _names_token(body: bytes) -> bool:
    """Whether X says which token it has invalidated; a proxy's success does not."""
    try:
        payload = msgspec.json.decode(body)
    except NOT_DECODABLE:
        return False
    return isinstance(payload, dict) and isinstance(payload.get("access_token"), str)


async def _ask(
    session: aiohttp.ClientSession,
    path: str,
    signer: OAuth1,
    params: dict[str, str] | None,
    *,
    callback: str | None = None,
    verifier: str | None = None,
) -> dict[str, str]:
    """A token endpoint's answer, which is a form."""
    answer = await _post(
        session,
        path,
        signer,
        params,
        Operation.TOKEN,
        callback=callback,
        verifier=verifier,
    )
    if not answer.is_success:
        raise _judge(answer, Operation.TOKEN, verifier=verifier)
    told = {
        name: values[0] for name, values in parse_qs(answer.body.decode("utf-8", "replace")).items()
    }
    needed = {"oauth_token", "oauth_token_secret"} | (
        {"user_id", "screen_name"} if verifier else set()
    )
    if not needed <= told.keys():
        raise refusals.judge_unreadable(answer, Operation.TOKEN)
    return told


async def _post(
    session: aiohttp.ClientSession,
    path: str,
    signer: OAuth1,
    params: dict[str, str] | None,
    operation: Operation,
    *,
    callback: str | None = None,
    verifier: str | None = None,
) -> Answer:
    url = signer.endpoint.url(path)
    header = signing.authorization(
        signer, "POST", url, params=params, callback=callback, verifier=verifier
    )
    answer = await exchange(
        session,
        "POST",
        url,
        headers={"Authorization": header},
        params=params,
        patience=_PATIENCE,
    )
    if not isinstance(answer, Answer):
        raise refusals.judge_silence(answer, operation)
    return answer


def _judge(answer: Answer, operation: Operation, *, verifier: str | None) -> errors.XFailure:
    """A refusal: of what the person brought where there is a verifier, else of the app."""
    if not 400 <= answer.status < 500 or answer.status == 408:
        return refusals.judge_failure(answer, operation)
    facts: dict[str, Any] = {"operation": operation.value, "request_id": answer.request_id}
    if (problem := problems.read_problem(answer.body)) is None:
        return refusals.judge_foreign(answer, operation)
    if answer.status == 429:
        return errors.XUnavailable("X's token endpoint turned the request away.", **facts)
    if verifier is not None and answer.status == 401:
        return errors.CodeRefused("X does not accept the verifier or its token.", **facts)
    if 415 in problem.codes or problem.says("callback url not approved"):
        return errors.AppMisconfigured(
            "X does not know the callback.",
            next="Register TWITTER_CALLBACK_URL with the app, letter by letter.",
            **facts,
        )
    return errors.AppMisconfigured("X does not accept this app's keys.", **facts)
