"""Tests of the dashboard without a browser: content, forms, and access to the forms."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from aiohttp import ClientSession

from emulator.account import Account
from fix_emulator import Emulator
from x_emulator.pytest_plugin import run_emulator


class Form(HTMLParser):
    """Parses a page, and finds the first form that has a button with a given value."""

    def __init__(self, page: str, value: str, **wanted: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._value, self._wanted, self._open, self._found = value, wanted, False, False
        self.feed(page)
        assert self._found, f"no form has a button with the value {value}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        if self._found:
            return
        if tag == "form":
            self._open, self.action, self.fields = True, fields.get("action", ""), {}
        elif tag == "input" and self._open:
            self.fields[fields["name"]] = fields["value"]
        elif tag == "button" and fields.get("value") == self._value:
            self._found = self._wanted.items() <= self.fields.items()
            self.fields[fields["name"]] = self._value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and not self._found:
            self._open = False


async def look(emulator: Emulator, **query: str) -> str:
    async with emulator.http.get(emulator.url, params=query) as answer:
        assert answer.status == 200
        return await answer.text()


async def press(
    emulator: Emulator, page: str, value: str, wanted: dict[str, str] | None = None, **typed: str
) -> str:
    """Submit a form like a browser without JavaScript. Returns the page that follows."""
    form = Form(page, value, **(wanted or {}))
    async with emulator.http.post(emulator.url + form.action, data=form.fields | typed) as answer:
        assert [each.status for each in answer.history] == [303]
        return await answer.text()


async def test_person_likes_reposts_replies_and_deletes(account: Account) -> None:
    emulator = account.emulator
    await emulator.freeze()
    root = await account.post("React to me")
    page = await look(emulator, **{"as": "mira_builds"})
    for each in ("like", "repost"):
        page = await press(emulator, page, each)
    [post] = (await emulator.ground_truth())["posts"]
    mira = (await emulator.users())[2]["id"]
    assert (post["liked_by"], post["reposted_by"]) == ([mira], [mira])
    # The pressed buttons are Like, Repost and the clock's Freeze.
    assert page.count('aria-pressed="true"') == 3
    page = await press(emulator, page, "unlike")
    page = await press(emulator, page, "post", {"post": root}, text="Two\r\nlines")
    posts = (await emulator.ground_truth())["posts"]
    assert posts[0]["liked_by"] == []
    assert (posts[1]["text"], posts[1]["reply_to"], posts[1]["user"]) == ("Two\nlines", root, mira)
    await press(emulator, page, "delete", {"post": root})
    assert (await emulator.ground_truth())["posts"][0]["deleted_by"] == "user"
    assert "Deleted on X" in await look(emulator)


async def test_person_posts_and_selects_one_timeline(account: Account) -> None:
    emulator = account.emulator
    await account.post("From the app")
    page = await look(emulator, **{"as": "tidewatcher", "account": "tidewatcher"})
    assert "From the app" not in page
    page = await press(emulator, page, "post", text="High water at noon")
    assert "High water at noon" in page
    assert "From the app" not in page
    assert "From the app" in await look(emulator)


async def test_person_revokes_an_app(account: Account) -> None:
    page = await look(account.emulator)
    assert "Authorized: Roost under test" in page
    page = await press(account.emulator, page, "revoke")
    assert "Authorized:" not in page
    assert (await account.get("/2/users/me")).status == 401


async def test_person_changes_the_clock(emulator: Emulator) -> None:
    page = await press(emulator, await look(emulator), "rate 0")
    assert "Frozen" in page
    async with emulator.http.get(emulator.clock_url) as answer:
        before = (await answer.json())["emulated"]
    await press(emulator, page, "jump 86400")
    async with emulator.http.get(emulator.clock_url) as answer:
        after = (await answer.json())["emulated"]
    assert after[:10] > before[:10]
    assert after[10:] == before[10:]


async def test_dashboard_shows_requests_with_price_and_faults(account: Account) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "after", "503")
    assert (await account.create("See http://roost.dev/x?a=1&b=2 @unknown #tag")).status == 503
    page = await look(emulator)
    assert re.search(r"<code>create_post</code>.*?@larkbooks.*?503 after.*?\$0\.200", page, re.S)
    assert '<a href="http://roost.dev/x?a=1&amp;b=2"' in page
    assert '<span class="entity">#tag</span>' in page


async def test_older_posts_are_on_the_next_page(account: Account) -> None:
    await account.emulator.switch(rate_limits=False)
    for number in range(21):
        await account.post(f"Post number {number}.")
    page = await look(account.emulator)
    assert "Post number 20." in page
    assert "Post number 0." not in page
    [older] = re.findall(r'<a href="([^"]*before=[^"]*)"', page)
    url = account.emulator.url + older.replace("&amp;", "&")
    async with account.emulator.http.get(url) as answer:
        page = await answer.text()
    assert "Post number 0." in page
    assert "Post number 1." not in page


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"action": "like", "as": "mira_builds", "post": "1"}, "The post 1 does not exist"),
        ({"action": "like", "as": "unknown", "post": "1"}, "The post 1 does not exist"),
        ({"action": "post", "as": "larkbooks", "text": " "}, "must not be empty"),
        ({"action": "fly"}, "has no known `action`"),
        ({"clock": "jump -1"}, "does not move backward"),
        ({"clock": "jump 1e300"}, "does not go beyond"),
        ({"clock": "jump nan"}, "does not move backward"),
        ({"clock": "rate 1e9"}, "at most"),
    ],
    ids=["no-post", "no-user", "empty", "no-action", "back", "far", "nan", "fast"],
)
async def test_impossible_action_shows_an_error(
    emulator: Emulator, form: dict[str, str], sentence: str
) -> None:
    async with emulator.http.post(f"{emulator.url}/_emulator/dashboard", data=form) as answer:
        assert answer.status == 400
        page = await answer.text()
    assert sentence in page[page.index('role="alert"') :].partition("</p>")[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ],
    ids=["cross-site", "same-site", "origin", "sandboxed"],
)
@pytest.mark.parametrize(
    "path", ["/_emulator/dashboard", "/_emulator/reset", "/i/oauth2/authorize"]
)
async def test_pages_of_other_sites_change_nothing(
    account: Account, path: str, headers: dict[str, str]
) -> None:
    emulator = account.emulator
    await account.post("Stays")
    form: dict[str, Any] = {"clock": "rate 0"}
    async with emulator.http.post(emulator.url + path, data=form, headers=headers) as answer:
        assert answer.status == 403
    assert len((await emulator.ground_truth())["posts"]) == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("127.0.0.1.evil.example:80", 403),
        ("169.254.169.254", 403),
        ("127.0.0.1:1", 200),
        ("[::1]:1", 200),
        ("LOCALHOST", 200),
        ("emulator.localhost", 200),
        ("api.x.com", 200),
    ],
)
async def test_foreign_host_name_cannot_use_the_control_api(
    emulator: Emulator, host: str, status: int
) -> None:
    for path in ("/", "/_emulator/ground-truth", "/_emulator/clock"):
        async with emulator.http.get(emulator.url + path, headers={"host": host}) as answer:
            assert (path, answer.status) == (path, status)


async def test_own_page_is_not_cross_site(emulator: Emulator) -> None:
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": emulator.url}):
        async with emulator.http.post(
            f"{emulator.url}/_emulator/dashboard", data={"clock": "rate 0"}, headers=headers
        ) as answer:
            assert answer.status == 200


async def test_dashboard_forbids_foreign_scripts_and_frames(
    emulator: Emulator,
) -> None:
    async with emulator.http.get(emulator.url) as answer:
        policy = answer.headers["content-security-policy"]
        page = await answer.text()
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "style=" not in page
    assert "<style" not in page
    for each in re.findall(r'(?:src|href)="([^"#]*)"', page):
        assert each.startswith("/")


@pytest.mark.timing
async def test_dashboard_and_its_forms_need_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_EMULATOR_SECRET", "word")
    with run_emulator() as url:
        async with ClientSession() as http:
            for method, path in (
                ("GET", "/"),
                ("GET", "/_emulator/dashboard.js"),
                ("POST", "/_emulator/dashboard"),
                ("POST", "/_emulator/actions"),
            ):
                async with http.request(method, url + path) as answer:
                    assert answer.status == 401
