"""A test client that sends HTTP requests to the emulator as a connected account."""

import io
from dataclasses import dataclass
from typing import Any

import aiohttp

from emulator.schema import complaints
from fix_emulator import Emulator


@dataclass(frozen=True)
class Response:
    """A response of the emulator, with its decoded body."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        return self.body["data"]


class Account:
    """An account that sends requests with the OAuth 2.0 token of an app."""

    def __init__(self, emulator: Emulator, user: dict[str, Any], tokens: dict[str, Any]) -> None:
        self.emulator = emulator
        self.id: str = user["id"]
        self.username: str = user["username"]
        self.tokens = tokens

    async def request(self, method: str, path: str, **more: Any) -> Response:
        """Send a request, and return the response.

        A successful JSON response must match X's OpenAPI document, if the document is available.
        """
        headers = {"authorization": f"Bearer {self.tokens['access_token']}"}
        async with self.emulator.http.request(
            method, self.emulator.url + path, headers=headers | more.pop("headers", {}), **more
        ) as answer:
            raw = await answer.read()
            is_json = answer.content_type.endswith("json")
            body = await answer.json() if raw and is_json else raw
            if raw and is_json and answer.status < 400:
                found = complaints(method, path, answer.status, body)
                assert not found, found
            return Response(answer.status, body, {k.lower(): v for k, v in answer.headers.items()})

    async def get(self, path: str, **params: str) -> Response:
        return await self.request("GET", path, params=params)

    async def create(self, text: str | None = None, /, **body: Any) -> Response:
        return await self.request(
            "POST", "/2/tweets", json=body if text is None else {"text": text} | body
        )

    async def post(self, text: str, **body: Any) -> str:
        """Create a post, which must succeed. Returns the id of the post."""
        response = await self.create(text, **body)
        assert response.status == 201, response
        post_id: str = response.data["id"]
        return post_id

    async def initialize(self, category: str, media_type: str, size: int) -> str:
        response = await self.request(
            "POST",
            "/2/media/upload/initialize",
            json={"media_category": category, "media_type": media_type, "total_bytes": size},
        )
        assert response.status == 200, response
        media_id: str = response.data["id"]
        return media_id

    async def append(self, media_id: str, index: int, segment: bytes) -> Response:
        form = aiohttp.FormData()
        form.add_field(
            "media", io.BytesIO(segment), filename="blob", content_type="application/octet-stream"
        )
        form.add_field("segment_index", str(index))
        return await self.request("POST", f"/2/media/upload/{media_id}/append", data=form)

    async def finalize(self, media_id: str) -> Response:
        return await self.request("POST", f"/2/media/upload/{media_id}/finalize", json={})

    async def status(self, media_id: str) -> dict[str, Any]:
        response = await self.get("/2/media/upload", command="STATUS", media_id=media_id)
        assert response.status == 200, response
        info: dict[str, Any] = response.data["processing_info"]
        return info

    async def upload_image(self, content: bytes) -> str:
        media_id = await self.initialize("tweet_image", "image/png", len(content))
        await self.append(media_id, 0, content)
        response = await self.finalize(media_id)
        assert response.status == 200, response
        return media_id


async def connect(emulator: Emulator, index: int, **more: str) -> Account:
    """Connect the account that is at position `index` in the order of creation."""
    user = (await emulator.users())[index]
    return Account(emulator, user, await emulator.connect(user["username"], **more))
