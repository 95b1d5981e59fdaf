"""A test client that signs requests with oauthlib, independently of the emulator's code."""

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import oauthlib.oauth1

from emulator.account import Response
from emulator.schema import complaints
from fix_emulator import Emulator

FORM = "application/x-www-form-urlencoded"
Method = Literal["GET", "POST", "DELETE"]
OTHER_CALLBACK = "http://127.0.0.1:9999/back"


@dataclass
class Signed:
    """An X app that signs its requests, with or without a user's access token."""

    emulator: Emulator
    app: dict[str, Any]
    token: str | None = None
    secret: str | None = None
    more: dict[str, Any] = field(default_factory=dict)
    """Additional arguments for the oauthlib client."""

    def headers(
        self, method: Method, url: str, form: dict[str, str] | None = None
    ) -> dict[str, str]:
        """Return the headers of a signed request, including `Authorization`."""
        client = oauthlib.oauth1.Client(
            self.app["api_key"],
            client_secret=self.app["api_secret"],
            resource_owner_key=self.token,
            resource_owner_secret=self.secret,
            **self.more,
        )
        body, headers = (urlencode(form), {"Content-Type": FORM}) if form else (None, {})
        _, headers, _ = client.sign(url, http_method=method, body=body, headers=headers)
        return dict(headers)

    async def request(
        self,
        method: Method,
        path: str,
        *,
        form: dict[str, str] | None = None,
        signed_for: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """Send a signed request. The signature covers `form`, but not a body in `more`."""
        url = self.emulator.url + path
        signed_headers = headers or self.headers(method, signed_for or url, form)
        if form:
            more["data"] = urlencode(form)
        async with self.emulator.http.request(
            method, url, headers=signed_headers, allow_redirects=False, **more
        ) as answer:
            raw = await answer.read()
            body: Any = raw
            if raw and answer.content_type == FORM:
                body = dict(parse_qsl(raw.decode()))
            elif raw and answer.content_type.endswith("json"):
                body = await answer.json()
            if isinstance(body, dict) and answer.status < 400:
                found = complaints(method, path.partition("?")[0], answer.status, body)
                assert not found, found
            return Response(answer.status, body, {k.lower(): v for k, v in answer.headers.items()})


async def register(emulator: Emulator, **more: Any) -> Signed:
    """Register an app that has no access token."""
    app = await emulator.control("apps", **({"callbacks": [OTHER_CALLBACK]} | more))
    return Signed(emulator, app)


async def signed_in(emulator: Emulator, username: str = "larkbooks", **more: Any) -> Signed:
    """Register an app that has an access token of a user."""
    app = await register(emulator, **more)
    keys = await emulator.control(
        "oauth1-tokens", client_id=app.app["client_id"], username=username
    )
    return Signed(emulator, app.app, keys["oauth_token"], keys["oauth_token_secret"])
