"""A user of X with an app's token, as tests see it: asks the emulator over HTTP."""

import io
from dataclasses import dataclass
from typing import Any

import aiohttp

from emulator.schema import complaints
from fix_emulator import Emulator


@dataclass(frozen=True)
class Told:
    """An answer of the emulator's."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        return self.body["data"]


class Account:
    """A user of X with an app's token: asks the emulator in its name."""

    def __init__(self, emulator: Emulator, user: dict[str, Any], tokens: dict[str, Any]) -> None:
        self.emulator = emulator
        self.id: str = user["id"]
        self.username: str = user["username"]
        self.tokens = tokens

    async def ask(self, method: str, path: str, **more: Any) -> Told:
        """Ask, and hold each success against the official schema where that is at hand."""
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
            return Told(answer.status, body, {k.lower(): v for k, v in answer.headers.items()})

    async def get(self, path: str, **params: str) -> Told:
        return await self.ask("GET", path, params=params)

    async def create(self, text: str | None = None, /, **body: Any) -> Told:
        return await self.ask(
            "POST", "/2/tweets", json=body if text is None else {"text": text} | body
        )

    async def post(self, text: str, **body: Any) -> str:
        """Post and expect success; the id."""
        told = await self.create(text, **body)
        assert told.status == 201, told
        post_id: str = told.data["id"]
        return post_id

    async def initialize(self, category: str, media_type: str, size: int) -> str:
        told = await self.ask(
            "POST",
            "/2/media/upload/initialize",
            json={"media_category": category, "media_type": media_type, "total_bytes": size},
        )
        assert told.status == 200, told
        media_id: str = told.data["id"]
        return media_id

    async def append(self, media_id: str, index: int, segment: bytes) -> Told:
        form = aiohttp.FormData()
        form.add_field(
            "media", io.BytesIO(segment), filename="blob", content_type="application/octet-stream"
        )
        form.add_field("segment_index", str(index))
        return await self.ask("POST", f"/2/media/upload/{media_id}/append", data=form)

    async def finalize(self, media_id: str) -> Told:
        return await self.ask("POST", f"/2/media/upload/{media_id}/finalize", json={})

    async def status(self, media_id: str) -> dict[str, Any]:
        told = await self.get("/2/media/upload", command="STATUS", media_id=media_id)
        assert told.status == 200, told
        info: dict[str, Any] = told.data["processing_info"]
        return info

    async def upload_image(self, content: bytes) -> str:
        media_id = await self.initialize("tweet_image", "image/png", len(content))
        await self.append(media_id, 0, content)
        told = await self.finalize(media_id)
        assert told.status == 200, told
        return media_id


async def connect(emulator: Emulator, rank: int, **more: str) -> Account:
    """The account of this rank, connected."""
    user = (await emulator.users())[rank]
    return Account(emulator, user, await emulator.connect(user["username"], **more))
