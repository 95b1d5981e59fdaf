"""The errors that the client raises for every fault of the emulator, on every operation.

The emulator produces each fault before it carries out the request, or afterwards, in place of its
response. All operations run at the same time, so that their pauses before retries overlap.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from fix_emulator import CALLBACK, Emulator
from roost import x
from roost.emulator_clock import EmulatorClock
from roost.models import TweetId
from roost.x import errors
from x_emulator.faults import proxy_responses

from .conftest import Account
from .oauth1_keys import api_keys_of, keys_of

pytestmark = pytest.mark.timing

SECRET_TEXT = "A text that must not be logged."


@dataclass
class Prepared:
    """The posts, uploads and tokens that the operations need, created before the fault is set."""

    account: Account
    client: x.Client
    app_client: x.Client
    post_id: TweetId
    png: bytes
    token: str
    code: str
    verifier: str
    oauth1: x.auth.OAuth1
    request_token: x.auth.oauth1_flow.RequestToken
    emulator: Emulator
    session: aiohttp.ClientSession
    bearer: str
    clock: EmulatorClock

    @property
    def app(self) -> x.XApp:
        return self.emulator.x_app

    @property
    def keys(self) -> x.auth.OAuth1:
        return replace(self.oauth1, token=None, token_secret=None)


@pytest_asyncio.fixture
async def prepared(
    account: Account,
    emulator: Emulator,
    session: aiohttp.ClientSession,
    clock: EmulatorClock,
    png: bytes,
) -> Prepared:
    def client(token: str) -> x.Client:
        return x.Client(x.FixedToken(token, emulator.endpoint), session=session, clock=clock)

    post = await x.posts.create(account.client, text="To be deleted.")
    verifier = x.auth.oauth2.make_verifier()
    page = x.auth.oauth2.authorize_url(
        f"{emulator.url}/i/oauth2/authorize",
        emulator.app.client_id,
        CALLBACK,
        x.auth.DEFAULT_SCOPES,
        "s",
        x.auth.oauth2.make_challenge(verifier),
    )
    redirect = await emulator.consent("tidewatcher", **dict(parse_qsl(urlsplit(page).query)))
    app = x.auth.OAuth1(*await api_keys_of(emulator), endpoint=emulator.endpoint)
    bearer = await x.auth.oauth2.get_app_token(session, app=app)
    request_token = await x.auth.oauth1_flow.get_request_token(session, app=app)
    return Prepared(
        account=account,
        client=client(account.tokens.access_token),
        app_client=client(bearer),
        post_id=post.tweet_id,
        png=png,
        token=account.tokens.access_token,
        code=redirect["code"],
        verifier=verifier,
        oauth1=await keys_of(emulator, "mira_builds"),
        request_token=request_token,
        emulator=emulator,
        session=session,
        bearer=bearer,
        clock=clock,
    )


async def _timeline(s: Prepared) -> object:
    return [post async for post in x.posts.read_timeline(s.client, s.account.user_id)]


async def _analytics(s: Prepared) -> object:
    end = s.clock.now()
    return await x.analytics.read_posts(
        s.client,
        [s.post_id],
        start=end - timedelta(days=2),
        end=end,
        granularity=x.analytics.Granularity.DAY,
    )


async def _media_analytics(s: Prepared) -> object:
    end = s.clock.now()
    return await x.analytics.read_media(
        s.client,
        ["7_1"],
        start=end - timedelta(days=2),
        end=end,
        granularity=x.analytics.Granularity.DAY,
    )


READS: Mapping[str, Callable[[Prepared], Awaitable[object]]] = {
    "timeline": _timeline,
    "posts": lambda s: x.posts.read_posts(s.client, [s.post_id]),
    "metrics": lambda s: x.metrics.read_posts(s.client, [s.post_id], private_for=[s.post_id]),
    "me": lambda s: x.users.read_me(s.client),
    "user": lambda s: x.users.read_user(s.client, s.account.user_id),
    "analytics": _analytics,
    "media analytics": _media_analytics,
    "usage": lambda s: x.usage.read(s.app_client),
}
UPLOADS: Mapping[str, Callable[[Prepared], Awaitable[object]]] = {
    "upload": lambda s: x.media.upload(
        s.client, s.png, mime_type="image/png", category="tweet_image"
    ),
}
LASTING: Mapping[str, Callable[[Prepared], Awaitable[object]]] = {
    "create": lambda s: x.posts.create(s.client, text=SECRET_TEXT),
    "delete": lambda s: x.posts.delete(s.client, s.post_id),
}
TOKENS: Mapping[str, Callable[[Prepared], Awaitable[object]]] = {
    "code": lambda s: x.auth.oauth2.exchange_code(
        s.session,
        s.emulator.endpoint,
        app=s.app,
        code=s.code,
        redirect_uri=CALLBACK,
        verifier=s.verifier,
    ),
    "refresh": lambda s: x.auth.oauth2.refresh(
        s.session,
        s.emulator.endpoint,
        app=s.app,
        refresh_token=s.account.tokens.refresh_token,
    ),
    "app token": lambda s: x.auth.oauth2.get_app_token(s.session, app=s.keys),
    "request token": lambda s: x.auth.oauth1_flow.get_request_token(s.session, app=s.keys),
}
INVALIDATIONS: Mapping[str, Callable[[Prepared], Awaitable[object]]] = {
    "invalidate": lambda s: x.auth.oauth1_flow.invalidate(s.session, credential=s.oauth1),
}
ALL = {**READS, **UPLOADS, **LASTING, **TOKENS, **INVALIDATIONS}

Errors = Mapping[str, type[errors.XError]]
NO_RESPONSE: Errors = dict.fromkeys(
    [*READS, *UPLOADS, *INVALIDATIONS], errors.XUnavailable
) | dict.fromkeys([*LASTING, *TOKENS], errors.OutcomeUnknown)


def rejected(api: type[errors.XError], tokens: type[errors.XError]) -> Errors:
    return dict.fromkeys([*READS, *UPLOADS, *LASTING], api) | dict.fromkeys(
        [*TOKENS, *INVALIDATIONS], tokens
    )


EXPECTED: dict[str, Errors] = {
    **dict.fromkeys(["drop", "500", "503", "504", "502text", "cut"], NO_RESPONSE),
    **dict.fromkeys(["429", "429day"], rejected(errors.RateLimited, errors.XUnavailable)),
    "429cap": rejected(errors.OutOfCredits, errors.XUnavailable),
    "401": rejected(errors.ReauthorizationRequired, errors.AppMisconfigured),
    **dict.fromkeys(proxy_responses.RESPONSES, NO_RESPONSE),
    "413html": {**NO_RESPONSE, "upload": errors.SegmentTooLarge},
    "delay": {},
    "slow": {},
    "wrong_type": {},
}


@pytest.mark.parametrize(
    ("when", "kind"),
    [
        ("before", kind)
        for kind in EXPECTED
        if kind not in {"cut", "slow", "wrong_type", *proxy_responses.RESPONSES}
    ]
    + [("after", kind) for kind in EXPECTED],
)
async def test_fault_raises_the_expected_error(
    prepared: Prepared, emulator: Emulator, when: str, kind: str
) -> None:
    await emulator.fail("*", when, kind, times=None)
    outcomes = await asyncio.gather(
        *(call(prepared) for call in ALL.values()), return_exceptions=True
    )
    by_name = dict(zip(ALL, outcomes, strict=True))

    failed = {n: type(each) for n, each in by_name.items() if isinstance(each, BaseException)}
    assert failed == EXPECTED[kind]
    secrets = (SECRET_TEXT, prepared.token, prepared.bearer, prepared.account.tokens.refresh_token)
    for each in by_name.values():
        if isinstance(each, errors.XError):
            assert each.confirmed_not_created is not isinstance(each, errors.OutcomeUnknown)
            assert (each.request_id is None) is (
                kind == "drop" or kind in proxy_responses.RESPONSES
            )
            shown = f"{each!r} {each.as_dict()} {each.receipt!r}"
            assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize("kind", ["drop", "cut", "503", *proxy_responses.RESPONSES])
async def test_create_with_a_lost_response_is_carried_out_once(
    prepared: Prepared, emulator: Emulator, kind: str
) -> None:
    await emulator.fail("create_post", "after", kind)
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.create(prepared.client, text=SECRET_TEXT)

    ground_truth = await emulator.ground_truth()
    assert [post["text"] for post in ground_truth["posts"]].count(SECRET_TEXT) == 1
    assert [r["operation"] for r in ground_truth["requests"]].count("create_post") == 2
