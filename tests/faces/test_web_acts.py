"""What a person does on the page: plain forms, answered with 303, refused from other sites."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from fix_publishing import Desk
from fix_web import get
from roost import store
from roost.models import PostState
from roost.services import pause
from roost.services.schedule import PlainPart, schedule_post
from services.alert_causes import needs_decision, partly_published


async def press(
    browser: aiohttp.ClientSession,
    web: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    **fields: str,
) -> tuple[aiohttp.ClientResponse, str]:
    """Send a form as the page's own button does, or with other headers."""
    given = {"origin": web, "sec-fetch-site": "same-origin"} if headers is None else headers
    async with browser.post(
        web + path, data=fields, headers=given, allow_redirects=False
    ) as answer:
        return answer, await answer.text()


def choices(body: str) -> set[str]:
    """What the page lets a person decide."""
    return set(re.findall(r'name="choice" value="(\w+)"', body))


async def test_a_decision_is_offered_with_its_evidence_and_done_by_a_button(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await needs_decision(desk)
    _, front = await get(browser, f"{web}/")
    assert f'<a href="/posts/{post_id}?tenant=default">post {post_id}</a>' in front
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"sent", "send", "drop"}
    assert "no answer came; X&#39;s timeline was read 2 times without showing it" in body
    answer, _ = await press(browser, web, f"/posts/{post_id}/decide", choice="send")
    assert (answer.status, answer.headers["location"]) == (303, f"/posts/{post_id}?tenant=default")
    await desk.work_through()
    assert await desk.on_x() == ["Low tide at six"]
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == set()
    assert "decided by hand: part 1 is not on X, so it is sent" in body


async def test_what_goes_wrong_is_told_on_the_posts_own_page(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await needs_decision(desk)
    for address, code in (("", "address_missing"), ("<b>soon", "tweet_unlikely")):
        answer, body = await press(
            browser, web, f"/posts/{post_id}/decide", choice="sent", address=address
        )
        assert answer.status == 422
        assert f"<code>{code}</code>" in body
        assert "<b>soon" not in body
        assert choices(body) == {"sent", "send", "drop"}
    answer, body = await press(browser, web, f"/posts/{post_id}/decide", choice="continue")
    assert (answer.status, "<code>decision_not_open</code>" in body) == (409, True)
    answer, body = await press(browser, web, f"/posts/{post_id}/decide", choice="guess")
    assert (answer.status, "<code>invalid_input</code>" in body) == (422, True)
    answer, body = await press(browser, web, "/posts/404/decide", choice="drop")
    assert (answer.status, "<code>post_not_found</code>" in body) == (404, True)
    assert (await desk.see(post_id)).state is PostState.NEEDS_DECISION


async def test_a_thread_goes_on_with_the_text_of_the_form(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(desk)
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"continue", "delete", "leave"}
    assert ">Said before</textarea>" in body
    assert "(1 part, $0.010)" in body
    answer, _ = await press(
        browser, web, f"/posts/{post_id}/decide", choice="continue", text="Said\r\nanew"
    )
    assert answer.status == 303
    await desk.work_through()
    assert await desk.on_x() == ["Said before", "New", "Said\nanew"]


async def test_an_emptied_text_leaves_the_picture_alone(
    desk: Desk, web: str, browser: aiohttp.ClientSession, teal: Path
) -> None:
    await desk.plan("Said before")
    parts = [PlainPart("New"), PlainPart("Said before", ((teal, None),))]
    post = await schedule_post(
        desk.house, desk.tenant, desk.account, parts, due_at=desk.house.clock.now(), why="test"
    )
    await desk.work_through()
    answer, _ = await press(browser, web, f"/posts/{post.id}/decide", choice="continue", text="")
    assert answer.status == 303
    await desk.work_through()
    assert await desk.on_x() == ["Said before", "New", ""]


async def test_what_is_out_is_deleted_by_a_button(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(desk)
    answer, _ = await press(browser, web, f"/posts/{post_id}/decide", choice="delete")
    assert answer.status == 303
    assert await desk.requests("delete_post") == [200]
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert "deleted <time" in body


async def test_posts_and_accounts_are_held_back_and_let_go(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await desk.plan("Held", after_s=60)
    account = f"/accounts/{desk.account.id}"
    for path in (f"/posts/{post_id}", account):
        answer, _ = await press(browser, web, f"{path}/pause")
        assert (answer.status, answer.headers["location"]) == (303, f"{path}?tenant=default")
    for path in (f"/posts/{post_id}", "/posts"):
        _, body = await get(browser, web + path)
        assert "Held back: the post itself and its account is paused." in body
    await desk.emulator.jump(seconds=90)
    await desk.work()
    assert await desk.on_x() == []
    for path in (f"/posts/{post_id}", account):
        await press(browser, web, f"{path}/resume")
    await desk.work()
    assert await desk.on_x() == ["Held"]


async def test_the_stop_switch_stands_on_the_front_page(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    _, body = await get(browser, f"{web}/")
    assert 'action="/stop"' in body
    answer, _ = await press(browser, web, "/stop")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    _, body = await get(browser, f"{web}/")
    assert "Everything is stopped." in body
    assert 'action="/stop"' not in body
    await press(browser, web, "/go-on")
    async with desk.house.database.statements(None) as transaction:
        assert not (await pause.find_holds(transaction)).everything


async def test_what_is_over_is_not_paused(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await desk.plan("Out")
    await desk.work()
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert f"/posts/{post_id}/pause" not in body
    answer, body = await press(browser, web, f"/posts/{post_id}/pause")
    assert (answer.status, "<code>post_over</code>" in body) == (409, True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "{own}", "sec-fetch-site": "cross-site"},
        {"origin": "{own}", "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin"},
        {"origin": "file://{host}"},
    ],
    ids=[
        "nothing", "foreign", "null", "cross_site", "own_but_cross_site", "same_site",
        "no_origin", "another_scheme",
    ],
)  # fmt: skip
async def test_another_sites_page_changes_nothing(
    desk: Desk, web: str, browser: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    host = web.removeprefix("http://")
    given = {name: value.format(own=web, host=host) for name, value in headers.items()}
    answer, body = await press(browser, web, "/stop", given)
    assert (answer.status, "<code>cross_site_request</code>" in body) == (403, True)
    async with desk.house.database.statements(None) as transaction:
        assert not (await pause.find_holds(transaction)).everything


async def test_an_older_browser_that_names_only_its_origin_is_served(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    answer, _ = await press(browser, web, "/stop", {"origin": web})
    assert answer.status == 303


async def test_the_page_signs_what_is_done_there(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await desk.plan("Held", after_s=60)
    await press(browser, web, f"/posts/{post_id}/pause")
    async with desk.house.database.tenant(desk.tenant.id) as transaction:
        last = (await store.posts.list_events(transaction, post_id))[-1]
    assert (last.why, last.who) == ("paused by hand", desk.house.who)


async def test_a_posts_files_are_told_by_the_names_that_x_has_for_them(
    desk: Desk, web: str, browser: aiohttp.ClientSession, teal: Path
) -> None:
    post_id = await desk.plan("Teal", media=teal)
    await desk.work_through()
    (on_x,) = (await desk.emulator.truth())["posts"]
    (file,) = on_x["media"]
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert f"its files are on X as {file['media_key']}" in body


async def test_a_post_that_is_left_as_it_is_moves_out_of_what_is_to_be_looked_at(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(desk)
    _, body = await get(browser, f"{web}/posts")
    assert "To look at" in body
    answer, _ = await press(browser, web, f"/posts/{post_id}/decide", choice="leave")
    assert answer.status == 303
    _, body = await get(browser, f"{web}/posts")
    assert "To look at" not in body
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"continue", "delete"}
    assert "Left as it is" in body


async def test_a_half_deleted_post_offers_what_can_be_decided(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(desk)
    await desk.emulator.fail("delete_post", "before", "drop", times=3)
    await press(browser, web, f"/posts/{post_id}/decide", choice="delete")
    assert (await desk.see(post_id)).state is PostState.CANCELLED
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"delete", "leave"}
    assert "It was cancelled, and 1 part of it is on X still." in body


async def test_the_page_and_the_api_say_for_what_a_post_waits(
    desk: Desk, web: str, browser: aiohttp.ClientSession
) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    post_id = await desk.plan("Later")
    await desk.work()
    until = (await desk.integration()).rest_until
    assert until is not None
    for path in ("/posts", f"/posts/{post_id}"):
        _, body = await get(browser, web + path)
        assert f'It waits until <time datetime="{until.isoformat()}">' in body
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert f"<code>roost cancel {post_id}</code>" in body
    _, body = await get(browser, f"{web}/api/posts")
    (shown,) = json.loads(body)["posts"]
    assert datetime.fromisoformat(shown["wait"]["until"]) == until
