"""OAuth 1.0a: X's published example, and signed requests as a server receives them."""

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
from roost.x import schemas
from roost.x.auth import signing
from roost.x.request import Credential, Host, Request
from x_emulator.auth.oauth1_signature import is_signed_by

from .conftest import Account, Connect, SentRequest
from .oauth1_keys import keys_of
from .recorder import ReceivedRequest, Recorder, json_response, open_recorder

IGNORED = msgspec.json.Decoder(schemas.NoContent)
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
    async with open_recorder() as recorder:
        yield recorder


def is_signed_over(received: ReceivedRequest, url: str, *parameters: tuple[str, str]) -> bool:
    """Verify the signature with the emulator's code, which is independent of the signer."""
    fields = received.oauth
    return is_signed_by(
        fields.pop("oauth_signature"),
        method=received.method,
        urls=[url],
        header=fields,
        parameters=list(parameters),
        secrets=(CREDENTIAL.api_secret, CREDENTIAL.token_secret or ""),
    )


def signing_client(session: aiohttp.ClientSession, url: str, **more: Any) -> x.Client:
    return x.Client(
        None, oauth1=replace(CREDENTIAL, endpoint=x.XEndpoint(url)), session=session, **more
    )


def test_signature_equals_xs_published_example() -> None:
    header = signing.authorization_header(
        CREDENTIAL,
        "POST",
        "https://api.x.com/1.1/statuses/update.json",
        params={"include_entities": "true"},
        form={"status": "Hello Ladies + Gentlemen, a signed OAuth request!"},
        nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        timestamp="1318622958",
    )
    assert 'oauth_signature="Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D"' in header


def test_credential_repr_contains_no_secret() -> None:
    text = repr(CREDENTIAL)
    assert CREDENTIAL.api_key in text
    for secret in (CREDENTIAL.api_secret, CREDENTIAL.token, CREDENTIAL.token_secret):
        assert secret is not None
        assert secret not in text


def test_signing_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        signing.authorization_header(
            CREDENTIAL, "POST", "https://api.x.com/2/tweets", form={"a": "b"}
        )
    assert caplog.records == []


async def test_signature_covers_form_and_query(
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
    recorder.responses = [NO_CONTENT]
    await signing_client(session, recorder.url).call(request, IGNORED)

    (received,) = recorder.requests
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qsl(received.body.decode(), keep_blank_values=True)
    query = parse_qsl(urlsplit(received.target).query, keep_blank_values=True)
    assert dict(form) == awkward
    url = f"{recorder.url}/1.1/media/upload.json"
    assert is_signed_over(received, url, *query, *form)
    assert not is_signed_over(received, url, *query)
    assert not is_signed_over(received, url, *form)


async def test_signature_does_not_cover_a_json_body(
    recorder: Recorder, session: aiohttp.ClientSession
) -> None:
    recorder.responses = [json_response(201, {"data": {"id": "17", "text": "Posted."}})]
    await x.posts.create(signing_client(session, recorder.url), text="Posted.")

    (received,) = recorder.requests
    assert received.body == b'{"text":"Posted."}'
    assert received.headers["content-type"] == "application/json"
    assert is_signed_over(received, f"{recorder.url}/2/tweets")


async def test_signature_does_not_cover_a_multipart_body(
    recorder: Recorder, session: aiohttp.ClientSession
) -> None:
    def body() -> aiohttp.payload.Payload:
        form = aiohttp.FormData({"segment_index": "0"})
        form.add_field("media", b"oauth_token=x&a=b", filename="segment")
        payload = form()
        assert isinstance(payload, aiohttp.payload.Payload)
        return payload

    path = "/1.1/media/upload.json"
    request = Request(Operation.MEDIA_UPLOAD, "POST", path, body=body, host=Host.UPLOAD)
    recorder.responses = [NO_CONTENT]
    await signing_client(session, recorder.url).call(request, IGNORED)

    (received,) = recorder.requests
    assert b"oauth_token=x&a=b" in received.body
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert is_signed_over(received, recorder.url + path)


def test_upload_url_has_the_host_of_api_v1() -> None:
    assert x.LIVE_X.upload_url("/1.1/a") == "https://upload.twitter.com/1.1/a"
    assert x.XEndpoint("http://127.0.0.1:8710/").upload_url("/1") == "http://127.0.0.1:8710/1"


async def test_signed_client_posts_and_reads_private_metrics(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    client = x.Client(None, oauth1=await keys_of(emulator), session=session)
    post = await x.posts.create(client, text="Signed & sent: a b+c é ~*'")
    found = await x.metrics.read_posts(client, [post.tweet_id], private_for=[post.tweet_id])

    assert found[post.tweet_id].has_private
    (post_on_x,) = (await emulator.ground_truth())["posts"]
    assert post_on_x["text"] == "Signed & sent: a b+c é ~*'"


async def test_client_signs_what_the_grant_does_not_cover(
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
    assert [post["text"] for post in (await emulator.ground_truth())["posts"]] == [
        "Once refused.",
        "Then signed at once.",
    ]


async def test_client_signs_what_an_app_token_may_not_do(
    emulator: Emulator, session: aiohttp.ClientSession, sent: list[SentRequest]
) -> None:
    keys = await keys_of(emulator)
    bearer = await x.auth.oauth2.get_app_token(session, app=keys)
    client = x.Client(x.FixedToken(bearer, emulator.endpoint), oauth1=keys, session=session)
    sent.clear()
    await x.posts.create(client, text="By the user's keys.")
    (author,) = [u for u in await emulator.users() if u["username"] == "larkbooks"]
    await x.users.read_user(client, author["id"])

    schemes = [each.headers["authorization"].partition(" ")[0] for each in sent]
    assert schemes == ["Bearer", "OAuth", "Bearer"]
    (post,) = (await emulator.ground_truth())["posts"]
    assert post["user"] == author["id"]


async def test_client_without_a_signature_reports_an_insufficient_grant(
    connect: Connect, emulator: Emulator
) -> None:
    reader = await connect("larkbooks", "tweet.read users.read offline.access")
    with pytest.raises(x.errors.ReauthorizationRequired):
        await x.posts.create(reader.client, text="Not covered.")


async def test_client_does_not_sign_a_rejected_post(
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
async def test_client_names_a_missing_credential_and_sends_nothing(
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
        await client.call(request, IGNORED)
    assert recorder.requests == []
