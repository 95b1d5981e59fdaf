"""OAuth 1.0a: the signature that X publishes, and what really arrives at a socket."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from fix_emulator import Emulator
from roost import x
from roost.prices import Operation
from roost.x import answers, signing
from roost.x.request import Credential, Host, Request
from x_emulator.signatures import is_signed_by

from .conftest import Account, Connect, SentRequest
from .keys import keys_of
from .recorder import Arrived, Recorder, answering, recording

NOTHING = msgspec.json.Decoder(answers.Nothing)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
#: Source: docs.x.com, oauth-1-0a/creating-a-signature.
CREDENTIAL = x.auth.OAuth1(
    "xvz1evFS4wEEPTGEFPHBog",
    "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
)


@pytest_asyncio.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with recording() as recorder:
        yield recorder


def is_signed_over(arrived: Arrived, url: str, *parameters: tuple[str, str]) -> bool:
    """By the emulator's verifier, which shares no line with the signer."""
    told = arrived.oauth
    return is_signed_by(
        told.pop("oauth_signature"),
        method=arrived.method,
        urls=[url],
        header=told,
        parameters=list(parameters),
        secrets=(CREDENTIAL.api_secret, CREDENTIAL.token_secret or ""),
    )


def signing_client(session: aiohttp.ClientSession, url: str, **more: Any) -> x.Client:
    return x.Client(
        None, oauth1=replace(CREDENTIAL, endpoint=x.XEndpoint(url)), session=session, **more
    )


def test_signature_is_that_of_xs_published_example() -> None:
    header = signing.authorization(
        CREDENTIAL,
        "POST",
        "https://api.x.com/1.1/statuses/update.json",
        params={"include_entities": "true"},
        form={"status": "Hello Ladies + Gentlemen, a signed OAuth request!"},
        nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        timestamp="1318622958",
    )
    assert 'oauth_signature="Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D"' in header


def test_credential_shows_no_secret() -> None:
    shown = repr(CREDENTIAL)
    assert CREDENTIAL.api_key in shown
    for secret in (CREDENTIAL.api_secret, CREDENTIAL.token, CREDENTIAL.token_secret):
        assert secret is not None
        assert secret not in shown


def test_signing_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        signing.authorization(CREDENTIAL, "POST", "https://api.x.com/2/tweets", form={"a": "b"})
    assert caplog.records == []


async def test_form_and_query_are_signed_as_they_arrive(
    recorder: Recorder, session: aiohttp.ClientSession
) -> None:
    awkward = {"status": "a b+c&d=é/~*'", "empty": ""}
    request = Request(
        Operation.MEDIA_UPLOAD,
        "POST",
        "/1.1/media/upload.json",
        params={"q": "x y,z+%", "fields": "a,b"},
        form=awkward,
        host=Host.UPLOAD,
        credential=Credential.SIGNED,
    )
    recorder.answers = [NO_CONTENT]
    await signing_client(session, recorder.url).call(request, NOTHING)

    (arrived,) = recorder.arrived
    assert arrived.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qsl(arrived.body.decode(), keep_blank_values=True)
    query = parse_qsl(urlsplit(arrived.target).query, keep_blank_values=True)
    assert dict(form) == awkward
    url = f"{recorder.url}/1.1/media/upload.json"
    assert is_signed_over(arrived, url, *query, *form)
    assert not is_signed_over(arrived, url, *query)
    assert not is_signed_over(arrived, url, *form)


async def test_json_body_arrives_whole_and_is_not_signed(
    recorder: Recorder, session: aiohttp.ClientSession
) -> None:
    recorder.answers = [answering(201, {"data": {"id": "17", "text": "Said."}})]
    await x.posts.create(signing_client(session, recorder.url), text="Said.")

    (arrived,) = recorder.arrived
    assert arrived.body == b'{"text":"Said."}'
    assert arrived.headers["content-type"] == "application/json"
    assert is_signed_over(arrived, f"{recorder.url}/2/tweets")


async def test_multipart_body_arrives_whole_and_is_not_signed(
    recorder: Recorder, session: aiohttp.ClientSession
) -> None:
    def body() -> aiohttp.payload.Payload:
        form = aiohttp.FormData({"segment_index": "0"})
        form.add_field("media", b"oauth_token=x&a=b", filename="segment")
        made = form()
        assert isinstance(made, aiohttp.payload.Payload)
        return made

    path = "/1.1/media/upload.json"
    request = Request(Operation.MEDIA_UPLOAD, "POST", path, body=body, host=Host.UPLOAD)
    recorder.answers = [NO_CONTENT]
    await signing_client(session, recorder.url).call(request, NOTHING)

    (arrived,) = recorder.arrived
    assert b"oauth_token=x&a=b" in arrived.body
    assert arrived.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert is_signed_over(arrived, recorder.url + path)


def test_media_of_the_old_api_goes_to_its_own_host() -> None:
    assert x.LIVE_X.upload_url("/1.1/a") == "https://upload.twitter.com/1.1/a"
    assert x.XEndpoint("http://127.0.0.1:8710/").upload_url("/1") == "http://127.0.0.1:8710/1"


async def test_signed_client_posts_and_reads_its_own_figures(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    client = x.Client(None, oauth1=await keys_of(emulator), session=session)
    post = await x.posts.create(client, text="Signed & sent: a b+c é ~*'")
    read = await x.metrics.read_posts(client, [post.tweet_id], private_for=[post.tweet_id])

    assert read[post.tweet_id].has_private
    (made,) = (await emulator.truth())["posts"]
    assert made["text"] == "Signed & sent: a b+c é ~*'"


async def test_signature_carries_what_the_grant_does_not_cover(
    connect: Connect, emulator: Emulator, session: aiohttp.ClientSession, sent: list[SentRequest]
) -> None:
    reader = await connect("larkbooks", "tweet.read users.read offline.access")
    client = x.Client(reader.tokens, oauth1=await keys_of(emulator), session=session)
    sent.clear()
    await x.posts.create(client, text="Once refused.")
    await x.posts.create(client, text="Then signed at once.")
    await x.users.read_me(client)

    schemes = [each.headers["authorization"].partition(" ")[0] for each in sent]
    assert schemes == ["Bearer", "OAuth", "OAuth", "Bearer"]
    assert [post["text"] for post in (await emulator.truth())["posts"]] == [
        "Once refused.",
        "Then signed at once.",
    ]


async def test_signature_carries_what_an_apps_own_token_may_not(
    emulator: Emulator, session: aiohttp.ClientSession, sent: list[SentRequest]
) -> None:
    keys = await keys_of(emulator)
    bearer = await x.auth.app_token(session, app=keys)
    client = x.Client(x.FixedToken(bearer, emulator.endpoint), oauth1=keys, session=session)
    sent.clear()
    await x.posts.create(client, text="By the user's keys.")
    (author,) = [u for u in await emulator.users() if u["username"] == "larkbooks"]
    await x.users.read_user(client, author["id"])

    schemes = [each.headers["authorization"].partition(" ")[0] for each in sent]
    assert schemes == ["Bearer", "OAuth", "Bearer"]
    (post,) = (await emulator.truth())["posts"]
    assert post["user"] == author["id"]


async def test_grant_that_does_not_cover_it_is_told_where_nothing_else_is_there(
    connect: Connect, emulator: Emulator
) -> None:
    reader = await connect("larkbooks", "tweet.read users.read offline.access")
    with pytest.raises(x.errors.Reauthorize):
        await x.posts.create(reader.client, text="Not covered.")


async def test_refusal_of_the_post_itself_is_not_tried_again_signed(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, sent: list[SentRequest]
) -> None:
    client = x.Client(account.tokens, oauth1=await keys_of(emulator), session=session)
    await x.posts.create(client, text="Twice.")
    sent.clear()
    with pytest.raises(x.errors.DuplicatePost):
        await x.posts.create(client, text="Twice.")
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("credential", "named"),
    [(Credential.SIGNED, "OAuth 1.0a"), (Credential.TOKEN, "an OAuth 2.0 token")],
)
async def test_missing_credential_is_named_and_nothing_is_sent(
    account: Account,
    recorder: Recorder,
    session: aiohttp.ClientSession,
    credential: Credential,
    named: str,
) -> None:
    tokens = account.tokens if credential is Credential.SIGNED else None
    oauth1 = CREDENTIAL if credential is Credential.TOKEN else None
    client = x.Client(tokens, oauth1=oauth1, session=session)
    request = Request(Operation.READ_USER, "GET", "/2/users/me", credential=credential)
    with pytest.raises(x.errors.CredentialMissing, match=named):
        await client.call(request, NOTHING)
    assert recorder.arrived == []
