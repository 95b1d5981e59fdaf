"""The buttons on pages send forms, and the server responds with a redirect (status 303).

The server refuses forms that other sites send.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from fix_publishing import Publisher
from fix_web import get
from roost import store
from roost.models import Actor, ActorKind, PostState
from roost.publishing.part_input import MediaInput, PartInput
from roost.services import pause
from roost.services.schedule import schedule_post
from services.alert_causes import copied, failed, needs_decision, partly_published


async def press(
    browser: aiohttp.ClientSession,
    web: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    **fields: str,
) -> tuple[aiohttp.ClientResponse, str]:
    """Send a form with `headers`, by default those of a button on Roost's own page."""
    sent_headers = {"origin": web, "sec-fetch-site": "same-origin"} if headers is None else headers
    async with browser.post(
        web + path, data=fields, headers=sent_headers, allow_redirects=False
    ) as answer:
        return answer, await answer.text()


def choices(body: str) -> set[str]:
    """Return the choices that a post's page offers to resolve the post."""
    return set(re.findall(r'name="choice" value="(\w+)"', body))


async def test_post_page_offers_choices_with_the_evidence(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await needs_decision(publisher)
    _, front = await get(browser, f"{web}/")
    assert f'<a href="/posts/{post_id}?tenant=default">post {post_id}</a>' in front
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"found", "resend", "discard"}
    assert "X sent no response; X&#39;s timeline was read 2 times and did not show the post" in body
    answer, _ = await press(browser, web, f"/posts/{post_id}/resolve", choice="resend")
    assert (answer.status, answer.headers["location"]) == (303, f"/posts/{post_id}?tenant=default")
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Low tide at six"]
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == set()
    assert "resolved: part 1 is not on X, so it is sent" in body


async def test_an_error_of_a_choice_is_shown_on_the_posts_page(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await needs_decision(publisher)
    for address, code in (("", "address_missing"), ("<b>soon", "tweet_unlikely")):
        answer, body = await press(
            browser, web, f"/posts/{post_id}/resolve", choice="found", address=address
        )
        assert answer.status == 422
        assert f"<code>{code}</code>" in body
        assert "<b>soon" not in body
        assert choices(body) == {"found", "resend", "discard"}
    answer, body = await press(browser, web, f"/posts/{post_id}/resolve", choice="continue")
    assert (answer.status, "<code>decision_not_open</code>" in body) == (409, True)
    answer, body = await press(browser, web, f"/posts/{post_id}/resolve", choice="guess")
    assert (answer.status, "<code>invalid_input</code>" in body) == (422, True)
    answer, body = await press(browser, web, "/posts/404/resolve", choice="discard")
    assert (answer.status, "<code>post_not_found</code>" in body) == (404, True)
    assert (await publisher.get_post(post_id)).state is PostState.NEEDS_DECISION


async def test_continue_uses_the_text_of_the_form(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(publisher)
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"continue", "delete", "acknowledge"}
    assert ">Said before</textarea>" in body
    assert "(1 part, $0.010)" in body
    answer, _ = await press(
        browser, web, f"/posts/{post_id}/resolve", choice="continue", text="Said\r\nanew"
    )
    assert answer.status == 303
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Said before", "New", "Said\nanew"]


async def test_an_emptied_text_leaves_the_picture_alone(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, teal: Path
) -> None:
    await publisher.schedule("Said before")
    parts = [PartInput("New"), PartInput("Said before", (MediaInput(teal),))]
    post = await schedule_post(
        publisher.runtime,
        publisher.scope,
        publisher.account,
        parts,
        due_at=publisher.runtime.clock.now(),
    )
    await publisher.run_to_completion()
    answer, _ = await press(browser, web, f"/posts/{post.id}/resolve", choice="continue", text="")
    assert answer.status == 303
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Said before", "New", ""]


async def test_delete_removes_published_parts_from_x(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(publisher)
    answer, _ = await press(browser, web, f"/posts/{post_id}/resolve", choice="delete")
    assert answer.status == 303
    assert await publisher.list_statuses("delete_post") == [200]
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert "deleted <time" in body


async def test_posts_and_accounts_can_be_paused_and_resumed(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await publisher.schedule("Paused", after_s=60)
    account = f"/accounts/{publisher.account.id}"
    for path in (f"/posts/{post_id}", account):
        answer, _ = await press(browser, web, f"{path}/pause")
        assert (answer.status, answer.headers["location"]) == (303, f"{path}?tenant=default")
    for path in (f"/posts/{post_id}", "/posts"):
        _, body = await get(browser, web + path)
        assert "Paused: the post and its account." in body
    await publisher.emulator.jump(seconds=90)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    for path in (f"/posts/{post_id}", account):
        await press(browser, web, f"{path}/resume")
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Paused"]


async def test_everything_can_be_paused_on_the_accounts_page(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    _, body = await get(browser, f"{web}/")
    assert 'action="/pause"' in body
    answer, _ = await press(browser, web, "/pause")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    _, body = await get(browser, f"{web}/")
    assert "Everything is paused." in body
    assert 'action="/pause"' not in body
    await press(browser, web, "/resume")
    async with publisher.runtime.database.unscoped() as transaction:
        assert not (await pause.get_pause_status(transaction)).everything


async def test_a_finished_post_cannot_be_paused(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await publisher.schedule("Out")
    await publisher.run_due_jobs()
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
async def test_a_form_of_another_site_is_refused(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    host = web.removeprefix("http://")
    sent_headers = {name: value.format(own=web, host=host) for name, value in headers.items()}
    answer, body = await press(browser, web, "/pause", sent_headers)
    assert (answer.status, "<code>cross_site_request</code>" in body) == (403, True)
    async with publisher.runtime.database.unscoped() as transaction:
        assert not (await pause.get_pause_status(transaction)).everything


async def test_a_browser_that_sends_only_its_origin_is_served(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    answer, _ = await press(browser, web, "/pause", {"origin": web})
    assert answer.status == 303


async def test_actions_record_the_web_server_as_actor(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await publisher.schedule("Paused", after_s=60)
    await press(browser, web, f"/posts/{post_id}/pause")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        last = (await store.posts.list_events(transaction, post_id))[-1]
    assert (last.code, last.actor) == ("post.paused", Actor(ActorKind.WEB_SERVER))


async def test_post_page_shows_the_media_keys_of_files(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, teal: Path
) -> None:
    post_id = await publisher.schedule("Teal", media=teal)
    await publisher.run_to_completion()
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    (file,) = on_x["media"]
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert f"its files are on X as {file['media_key']}" in body


async def test_an_acknowledged_post_no_longer_needs_attention(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(publisher)
    _, body = await get(browser, f"{web}/posts")
    assert "Needs attention" in body
    answer, _ = await press(browser, web, f"/posts/{post_id}/resolve", choice="acknowledge")
    assert answer.status == 303
    _, body = await get(browser, f"{web}/posts")
    assert "Needs attention" not in body
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"continue", "delete"}
    assert "Acknowledged <time" in body


async def test_a_half_deleted_post_offers_choices(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await partly_published(publisher)
    await publisher.emulator.fail("delete_post", "before", "drop", times=3)
    await press(browser, web, f"/posts/{post_id}/resolve", choice="delete")
    assert (await publisher.get_post(post_id)).state is PostState.CANCELLED
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert choices(body) == {"delete", "acknowledge"}
    assert "The post was cancelled, and 1 part of it is still on X." in body


async def test_pages_and_api_show_what_a_post_is_waiting_for(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    post_id = await publisher.schedule("Later")
    await publisher.run_due_jobs()
    until = (await publisher.get_integration()).backoff_until
    assert until is not None
    for path in ("/posts", f"/posts/{post_id}"):
        _, body = await get(browser, web + path)
        assert f'It waits until <time datetime="{until.isoformat()}">' in body
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert f'action="/posts/{post_id}/cancel?tenant=default"' in body
    _, body = await get(browser, f"{web}/api/posts")
    (shown,) = json.loads(body)["posts"]
    assert datetime.fromisoformat(shown["wait"]["until"]) == until


async def test_a_failed_post_can_be_tried_again(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await failed(publisher)
    assert (await publisher.get_post(post_id)).state is PostState.FAILED
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert f'action="/posts/{post_id}/retry?tenant=default"' in body
    (original,) = (await publisher.emulator.ground_truth())["posts"]
    await publisher.emulator.act("delete", post=original["id"])
    answer, _ = await press(browser, web, f"/posts/{post_id}/retry")
    assert answer.status == 303
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    answer, body = await press(browser, web, f"/posts/{post_id}/retry")
    assert (answer.status, "<code>post_not_editable</code>" in body) == (409, True)


async def test_a_scheduled_post_can_be_cancelled(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    post_id = await publisher.schedule("Not today", after_s=600)
    answer, _ = await press(browser, web, f"/posts/{post_id}/cancel")
    assert answer.status == 303
    assert (await publisher.get_post(post_id)).state is PostState.CANCELLED
    _, body = await get(browser, f"{web}/posts/{post_id}")
    assert "/cancel?" not in body
    answer, body = await press(browser, web, f"/posts/{post_id}/cancel")
    assert (answer.status, "<code>post_not_editable</code>" in body) == (409, True)
    assert (await press(browser, web, "/posts/404/cancel"))[0].status == 404


async def test_a_copy_of_the_database_can_be_accepted(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await copied(publisher)
    _, body = await get(browser, f"{web}/")
    assert "This copy replaces the original" in body
    answer, _ = await press(browser, web, "/resume")
    assert answer.status == 409
    answer, _ = await press(browser, web, "/resume", accept_copy="true")
    assert answer.status == 303
    _, body = await get(browser, f"{web}/")
    assert "Everything is paused" not in body
