"""Every fault that the emulator has, on every operation, before and after the commit.

All operations meet a fault at the same time: what pauses before it tries again does so together.
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
from roost.clock import EmulatorClock
from roost.models import TweetId
from roost.x import errors
from x_emulator import foreign

from .conftest import Account
from .keys import api_keys_of, keys_of

pytestmark = pytest.mark.timing

SECRET_TEXT = "A text that belongs to nobody's log."


@dataclass
class Stage:
    """All that the operations need, made before anything goes wrong."""

    account: Account
    client: x.Client
    app_client: x.Client
    post_id: TweetId
    png: bytes
    token: str
    code: str
    verifier: str
    oauth1: x.auth.OAuth1
    asked: x.threelegs.AskedToken
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
async def stage(
    account: Account,
    emulator: Emulator,
    session: aiohttp.ClientSession,
    clock: EmulatorClock,
    png: bytes,
) -> Stage:
    def client(token: str) -> x.Client:
        return x.Client(x.FixedToken(token, emulator.endpoint), session=session, clock=clock)

    post = await x.posts.create(account.client, text="To be deleted.")
    verifier = x.auth.make_verifier()
    page = x.auth.authorize_url(
        f"{emulator.url}/i/oauth2/authorize",
        emulator.app.client_id,
        CALLBACK,
        x.auth.DEFAULT_SCOPES,
        "s",
        x.auth.challenge(verifier),
    )
    back = await emulator.consent("tidewatcher", **dict(parse_qsl(urlsplit(page).query)))
    app = x.auth.OAuth1(*await api_keys_of(emulator), endpoint=emulator.endpoint)
    bearer = await x.auth.app_token(session, app=app)
    asked = await x.threelegs.ask_token(session, app=app)
    return Stage(
        account=account,
        client=client(account.tokens.access_token),
        app_client=client(bearer),
        post_id=post.tweet_id,
        png=png,
        token=account.tokens.access_token,
        code=back["code"],
        verifier=verifier,
        oauth1=await keys_of(emulator, "mira_builds"),
        asked=asked,
        emulator=emulator,
        session=session,
        bearer=bearer,
        clock=clock,
    )


async def _timeline(s: Stage) -> object:
    return [post async for post in x.posts.read_timeline(s.client, s.account.user_id)]


async def _analytics(s: Stage) -> object:
    end = s.clock.now()
    return await x.analytics.read_posts(
        s.client, [s.post_id], start=end - timedelta(days=2), end=end, step=x.analytics.Step.DAY
    )


async def _media_analytics(s: Stage) -> object:
    end = s.clock.now()
    return await x.analytics.read_media(
        s.client, ["7_1"], start=end - timedelta(days=2), end=end, step=x.analytics.Step.DAY
    )


READS: Mapping[str, Callable[[Stage], Awaitable[object]]] = {
    "timeline": _timeline,
    "posts": lambda s: x.posts.read_posts(s.client, [s.post_id]),
    "figures": lambda s: x.metrics.read_posts(s.client, [s.post_id], private_for=[s.post_id]),
    "me": lambda s: x.users.read_me(s.client),
    "user": lambda s: x.users.read_user(s.client, s.account.user_id),
    "analytics": _analytics,
    "media analytics": _media_analytics,
    "usage": lambda s: x.usage.read(s.app_client),
}
HARMLESS: Mapping[str, Callable[[Stage], Awaitable[object]]] = {
    "upload": lambda s: x.media.upload(
        s.client, s.png, mime_type="image/png", category="tweet_image"
    ),
}
LASTING: Mapping[str, Callable[[Stage], Awaitable[object]]] = {
    "create": lambda s: x.posts.create(s.client, text=SECRET_TEXT),
    "delete": lambda s: x.posts.delete(s.client, s.post_id),
}
TOKENS: Mapping[str, Callable[[Stage], Awaitable[object]]] = {
    "code": lambda s: x.auth.exchange_code(
        s.session,
        s.emulator.endpoint,
        app=s.app,
        code=s.code,
        redirect_uri=CALLBACK,
        verifier=s.verifier,
    ),
    "refresh": lambda s: x.auth.refresh(
        s.session,
        s.emulator.endpoint,
        app=s.app,
        refresh_token=s.account.tokens.refresh_token,
    ),
    "app token": lambda s: x.auth.app_token(s.session, app=s.keys),
    "request token": lambda s: x.threelegs.ask_token(s.session, app=s.keys),
}
ENDINGS: Mapping[str, Callable[[Stage], Awaitable[object]]] = {
    "invalidate": lambda s: x.threelegs.invalidate(s.session, credential=s.oauth1),
}
ALL = {**READS, **HARMLESS, **LASTING, **TOKENS, **ENDINGS}

Classes = Mapping[str, type[errors.XFailure]]
LOST: Classes = dict.fromkeys([*READS, *HARMLESS, *ENDINGS], errors.XUnavailable) | dict.fromkeys(
    [*LASTING, *TOKENS], errors.OutcomeUnknown
)


def refused(api: type[errors.XFailure], tokens: type[errors.XFailure]) -> Classes:
    return dict.fromkeys([*READS, *HARMLESS, *LASTING], api) | dict.fromkeys(
        [*TOKENS, *ENDINGS], tokens
    )


ENDS: dict[str, Classes] = {
    **dict.fromkeys(["drop", "500", "503", "504", "502text", "cut"], LOST),
    **dict.fromkeys(["429", "429day"], refused(errors.RateLimited, errors.XUnavailable)),
    "429cap": refused(errors.OutOfCredits, errors.XUnavailable),
    "401": refused(errors.Reauthorize, errors.AppMisconfigured),
    **dict.fromkeys(foreign.ANSWERS, LOST),
    "413html": {**LOST, "upload": errors.SegmentTooLarge},
    "delay": {},
    "slow": {},
    "mistyped": {},
}


@pytest.mark.parametrize(
    ("when", "kind"),
    [("before", kind) for kind in ENDS if kind not in {"cut", "slow", "mistyped", *foreign.ANSWERS}]
    + [("after", kind) for kind in ENDS],
)
async def test_fault_ends_in_the_right_class(
    stage: Stage, emulator: Emulator, when: str, kind: str
) -> None:
    await emulator.fail("*", when, kind, times=None)
    outcomes = await asyncio.gather(*(act(stage) for act in ALL.values()), return_exceptions=True)
    by_name = dict(zip(ALL, outcomes, strict=True))

    failed = {n: type(each) for n, each in by_name.items() if isinstance(each, BaseException)}
    assert failed == ENDS[kind]
    secrets = (SECRET_TEXT, stage.token, stage.bearer, stage.account.tokens.refresh_token)
    for each in by_name.values():
        if isinstance(each, errors.XFailure):
            assert each.surely_created_nothing is not isinstance(each, errors.OutcomeUnknown)
            assert (each.request_id is None) is (kind == "drop" or kind in foreign.ANSWERS)
            told = f"{each!r} {each.as_dict()} {each.receipt!r}"
            assert not [secret for secret in secrets if secret in told]


@pytest.mark.parametrize("kind", ["drop", "cut", "503", *foreign.ANSWERS])
async def test_create_whose_answer_is_lost_was_carried_out_once(
    stage: Stage, emulator: Emulator, kind: str
) -> None:
    await emulator.fail("create_post", "after", kind)
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.create(stage.client, text=SECRET_TEXT)

    told = await emulator.truth()
    assert [post["text"] for post in told["posts"]].count(SECRET_TEXT) == 1
    assert [r["operation"] for r in told["requests"]].count("create_post") == 2
