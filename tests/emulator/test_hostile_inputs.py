"""Tests that no malformed request causes a server error on any route."""

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from emulator.account import Account
from emulator.signing import signed_in
from x_emulator import router

FORM = "application/x-www-form-urlencoded"
LONG_BOUNDARY = "b" * 7_000
BODIES: dict[str, tuple[str, bytes]] = {
    "nothing": ("application/json", b""),
    "bad utf-8": ("application/json", b'{"text": "\xff\xfe", "id": "\xff", "username": "\xc0"}'),
    "lone surrogate": ("application/json", b'{"text": "\\ud800", "username": "\\udfff"}'),
    "nul": ("application/json", b'{"text": "\\u0000", "username": "\\u0000", "name": "\\u0000"}'),
    "deep list": ("application/json", b"[" * 50_000),
    "deep object": ("application/json", b'{"text":' * 50_000),
    "deep and closed": ("application/json", b"[" * 50_000 + b"]" * 50_000),
    "deep member": ("application/json", b'{"media":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "list": ("application/json", b"[]"),
    "null": ("application/json", b"null"),
    "huge number": ("application/json", b'{"total_bytes": 1' + b"0" * 5_000 + b', "rate": 1e999}'),
    "times": ("application/json", b'{"jump_seconds": 1e300}'),
    "back": ("application/json", b'{"jump_seconds": -1e300}'),
    "far": ("application/json", b'{"to": "9999-12-31T23:59:59-23:59"}'),
    "near": ("application/json", b'{"to": "0001-01-01T00:00:00+23:59"}'),
    "rate": ("application/json", b'{"rate": 1e308}'),
    "sides": ("application/json", b'{"username": "' + b"x" * 70_000 + b'", "followers": -1}'),
    "form of bytes": (FORM, b"grant_type=\xff&=&&code=%ff%zz&client_id=%00&user=%ff"),
    "form of one": (FORM, b"&" * 10_000),
    "form without names": (FORM, b"=" * 100),
    "form as json": ("application/json", b'{"grant_type": ["a"], "code": {"a": 1}}'),
    "no boundary": ("multipart/form-data", b"--x\r\n\r\n--x--"),
    "empty boundary": ("multipart/form-data; boundary=", b"--\r\n\r\n----"),
    "long boundary": (f"multipart/form-data; boundary={LONG_BOUNDARY}", b"--b"),
    "odd boundary": ('multipart/form-data; boundary="\\x00\\xff"', b"--x"),
    "broken parts": ("multipart/form-data; boundary=x", b"--x\r\nbroken\r\n--y"),
    "odd parts": (
        "multipart/form-data; boundary=x",
        b"--x\r\ncontent-disposition: form-data; name=\"\xff\"; filename*=utf-8''%ff\r\n\r\n\xff"
        b"\r\n--x\r\ncontent-disposition: form-data\r\n\r\na\r\n--x--\r\n",
    ),
    "unknown charset": ("application/x-www-form-urlencoded; charset=none", b"a=\xff"),
}
QUERIES = (
    "",
    "after=x&wait=y",
    "after=1e9&wait=nan",
    "ids=%ff&id=%00&media_id=%ff&command=STATUS",
    "ids=1&tweet.fields=%ff&expansions=%00&start_time=0001-01-01T00:00:00%2B23:59",
    "max_results=99999999999999999999&since_id=x&pagination_token=%ff%00",
    "start_time=9999-12-31T23:59:59-23:59&end_time=0001-01-01T00:00:00%2B23:59&max_results=5",
    "client_id=%ff&redirect_uri=%00&scope=%ff&state=%00&oauth_token=%ff",
    "&".join(f"a{number}=1" for number in range(1_000)),
)
AUTHORIZATIONS = (
    "",
    "Bearer \xff",
    "Bearer",
    "Basic \xff===",
    "Basic Og==",
    "Basic gIA6gA==",
    "OAuth",
    'OAuth oauth_consumer_key="%ff", oauth_signature="%zz", oauth_timestamp="\xb2"',
    "OAuth " + ",".join(["a=b"] * 500),
)
#: Routes that delete the emulator's data. They are tested separately, because the requests to the
#: other routes need these data.
_ENDING = {"/_emulator/reset"}


def routes() -> Iterator[tuple[str, str]]:
    """List the method and path of every route of the application."""
    for route in router.list_routes():
        for method in sorted(route.methods or ()):
            if route.path not in _ENDING and method != "HEAD":
                yield method, route.path


ROUTES = list(routes())


async def status_of(
    account: Account, method: str, path: str, authorization: str | None, kind: str, body: bytes
) -> int:
    headers = {"content-type": kind}
    if authorization:
        headers["authorization"] = authorization
    url = URL(account.emulator.url + path, encoded=True)
    try:
        async with account.emulator.http.request(
            method, url, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status
    except aiohttp.ClientOSError:
        return 599  # uvicorn cuts the connection if a handler raises an exception.


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda each: each)
async def test_no_input_causes_a_server_error(account: Account, method: str, path: str) -> None:
    await account.emulator.switch(rate_limits=False)
    keys = await signed_in(account.emulator, "tidewatcher")
    bearer = f"Bearer {account.tokens['access_token']}"
    wrong = []
    for name in ("1", "%00", "%ff", quote("é" * 50), "a" * 5_000):
        filled = re.sub(r"\{[^}]+\}", name, path)
        for label, (kind, body) in BODIES.items():
            own = keys.headers("GET", account.emulator.url + filled)["Authorization"]
            for authorization in (bearer, own, None):
                found = await status_of(account, method, filled, authorization, kind, body)
                if found >= 500:
                    wrong.append((filled[:60], label, found))
        for query in QUERIES:
            found = await status_of(account, method, f"{filled}?{query}", bearer, FORM, b"")
            if found >= 500:
                wrong.append((filled[:60], query, found))
        for each in AUTHORIZATIONS:
            found = await status_of(account, method, filled, each, FORM, b"a=b")
            if found >= 500:
                wrong.append((filled[:60], each, found))
        if "{" not in path:
            break
    assert not wrong


async def test_header_of_a_hundred_thousand_bytes_causes_no_server_error(account: Account) -> None:
    host, port = account.emulator.url.removeprefix("http://").rsplit(":", 1)
    for path in ("/2/media/upload", "/2/oauth2/token", "/1.1/media/upload.json"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n"
            f"authorization: Bearer {account.tokens['access_token']}\r\n"
            f"content-type: multipart/form-data; boundary={'b' * 100_000}\r\n"
            "content-length: 3\r\n\r\n--b".encode()
        )
        status = (await reader.readline()).split(b" ")[1:2]
        assert status[0] < b"500"
        writer.close()
