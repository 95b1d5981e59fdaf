"""The actions on a draft's page, over HTTP: approve, improve, undo, discard."""

import json
import re
from datetime import timedelta

import aiohttp
import pytest

from faces.test_web_actions import press
from faces.test_web_drafts import BRIEF, LINK, REPLY, list_stored, model_settings, write
from fix_model import ModelServer
from fix_publishing import Publisher
from fix_runtime import make_tenant
from fix_web import get, serving
from roost.models import DraftId, PostState
from roost.services import drafts, queries
from roost.services.drafts import Draft


async def due_in(publisher: Publisher, hours: int) -> str:
    """Return the time in `hours` hours (UTC), in the format of an HTML `datetime-local` field."""
    at = publisher.runtime.clock.now() + timedelta(hours=hours)
    return at.strftime("%Y-%m-%dT%H:%M")


def hash_of(body: str) -> str:
    """Return the content hash that the form on a draft's page contains."""
    found = re.search(r'name="content_hash" value="(\w{64})"', body)
    assert found is not None
    return found[1]


async def write_one(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, **changes: str
) -> tuple[Draft, str]:
    """Write one draft through its page; return the draft and the HTML of its page."""
    await write(browser, web, n="1", **changes)
    (draft,) = await list_stored(publisher)
    _, body = await get(browser, f"{web}/drafts/{draft.id}")
    return draft, body


async def test_approval_schedules_what_was_shown(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, body = await write_one(publisher, web, browser)
    due = await due_in(publisher, 24)
    for _ in range(2):  # The second click must not schedule a second post.
        answer, _ = await press(
            browser, web, f"/drafts/{draft.id}/approve", content_hash=hash_of(body), due=due
        )
        assert answer.headers["location"] == f"/drafts/{draft.id}?tenant=default"
    (post,) = await queries.list_posts(publisher.runtime, publisher.scope)
    assert [part.text for part in post.parts] == list(draft.parts)
    assert post.due_at is not None
    assert post.due_at.strftime("%Y-%m-%dT%H:%M") == due
    _, body = await get(browser, f"{web}/drafts/{draft.id}")
    assert f'<a href="/posts/{post.id}?tenant=default">post {post.id}</a>' in body
    assert "/approve" not in body
    assert "/discard" not in body


async def test_approval_shows_the_findings_about_the_post(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, body = await write_one(publisher, web, browser)
    await publisher.schedule(*draft.parts, after_s=86_400)
    path, shown, due = f"/drafts/{draft.id}/approve", hash_of(body), await due_in(publisher, 24)
    answer, body = await press(browser, web, path, content_hash=shown, due=due)
    assert answer.status == 200
    assert "The post is scheduled, but this may be a mistake" in body
    assert "Scheduled as" in body
    answer, _ = await press(browser, web, path, content_hash=shown, due=due)
    assert answer.status == 303
    assert len(await queries.list_posts(publisher.runtime, publisher.scope)) == 2


async def test_a_draft_that_changed_since_it_was_shown_is_not_scheduled(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, shown = await write_one(publisher, web, browser)
    await press(browser, web, f"/drafts/{draft.id}/improve", instruction="without the link")
    answer, body = await press(
        browser, web, f"/drafts/{draft.id}/approve", content_hash=hash_of(shown),
        due=await due_in(publisher, 24),
    )  # fmt: skip
    assert (answer.status, "<code>draft_changed</code>" in body) == (409, True)
    assert hash_of(body) != hash_of(shown)
    assert await queries.list_posts(publisher.runtime, publisher.scope) == []


@pytest.mark.parametrize(
    ("due", "code"),
    [("", "time_invalid"), ("2020-01-01T10:00", "time_past"), ("soon", "time_invalid")],
)
async def test_an_impossible_time_is_refused_and_kept_in_the_field(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, due: str, code: str
) -> None:
    draft, body = await write_one(publisher, web, browser)
    answer, body = await press(
        browser, web, f"/drafts/{draft.id}/approve", content_hash=hash_of(body), due=due
    )
    assert (answer.status, f"<code>{code}</code>" in body) == (422, True)
    assert f'type="datetime-local" required value="{due}"' in body
    assert await queries.list_posts(publisher.runtime, publisher.scope) == []


async def test_improvement_adds_a_revision_and_undo_returns_to_the_old_one(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, body = await write_one(publisher, web, browser)
    assert 'value="without the link">Without the link</button>' in body
    assert "need a language model" in body
    here = f"/drafts/{draft.id}"
    answer, _ = await press(browser, web, f"{here}/improve", instruction="without the link")
    assert answer.headers["location"] == f"{here}?tenant=default"
    _, body = await get(browser, web + here)
    assert LINK not in body.partition("<article")[2]
    assert "improved by “without the link”" in body
    assert "<strong>$0.015</strong>; with the brief's link $0.200." in body
    _, old = await get(browser, web + here, revision="1")
    assert LINK in old
    assert "This is an older revision." in old
    assert "/approve" not in old
    answer, _ = await press(browser, web, f"{here}/undo")
    assert answer.status == 303
    _, body = await get(browser, web + here)
    assert LINK in body


async def test_improvement_of_an_approved_draft_cancels_its_post(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, body = await write_one(publisher, web, browser)
    here, due = f"/drafts/{draft.id}", await due_in(publisher, 24)
    await press(browser, web, f"{here}/approve", content_hash=hash_of(body), due=due)
    answer, _ = await press(browser, web, f"{here}/improve", instruction="without the link")
    (post,) = await queries.list_posts(publisher.runtime, publisher.scope)
    assert post.state is PostState.CANCELLED
    assert answer.headers["location"] == f"{here}?tenant=default&cancelled={post.id}"
    _, body = await get(browser, web + answer.headers["location"])
    assert "The draft is no longer approved" in body
    assert "/approve" in body


async def test_a_draft_whose_post_was_cancelled_can_be_approved_again(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, body = await write_one(publisher, web, browser)
    here, due = f"/drafts/{draft.id}", await due_in(publisher, 24)
    await press(browser, web, f"{here}/approve", content_hash=hash_of(body), due=due)
    (post,) = await queries.list_posts(publisher.runtime, publisher.scope)
    await press(browser, web, f"/posts/{post.id}/cancel")
    _, body = await get(browser, web + here)
    assert "The draft can be approved again." in body
    answer, _ = await press(browser, web, f"{here}/approve", content_hash=hash_of(body), due=due)
    assert answer.status == 303
    posts = await queries.list_posts(publisher.runtime, publisher.scope)
    assert sorted(one.state for one in posts) == [PostState.CANCELLED, PostState.SCHEDULED]


@pytest.mark.parametrize(
    ("instruction", "status", "code"),
    [(" ", 422, "instruction_missing"), ("in Klingon", 422, "model_needed")],
)
async def test_an_improvement_that_fails_is_shown_on_the_page(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, instruction: str, status: int,
    code: str,
) -> None:  # fmt: skip
    draft, _ = await write_one(publisher, web, browser)
    answer, body = await press(browser, web, f"/drafts/{draft.id}/improve", instruction=instruction)
    assert (answer.status, f"<code>{code}</code>" in body) == (status, True)
    (now,) = await list_stored(publisher)
    assert now.revision == 1


async def test_a_model_improves_by_free_text(
    publisher: Publisher, browser: aiohttp.ClientSession, model_server: ModelServer
) -> None:
    improved = [{"text": "On weekdays we open at 7. {link} {tags}", "facts": ["hours"]}]
    model_server.answers = [json.dumps(REPLY), json.dumps({"drafts": [{"parts": [improved]}]})]
    changed = publisher.with_settings(**model_settings(model_server))
    async with serving(changed.runtime) as web:
        draft, body = await write_one(publisher, web, browser)
        assert 'value="as a thread">As a thread</button>' in body
        await press(browser, web, f"/drafts/{draft.id}/improve", instruction="start with the day")
        _, body = await get(browser, f"{web}/drafts/{draft.id}")
    assert "On weekdays we open at 7." in body
    assert "improved by “start with the day”" in body


async def test_discarded_drafts_have_no_actions(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, body = await write_one(publisher, web, browser)
    assert "/discard" in body
    await press(browser, web, f"/drafts/{draft.id}/discard")
    _, body = await get(browser, f"{web}/drafts/{draft.id}")
    assert re.findall(r'action="/drafts/\d+/(\w+)', body) == []
    _, body = await get(browser, f"{web}/drafts")
    assert "Approved and discarded" in body
    assert "<article" not in body


async def test_drafts_of_another_tenant_are_not_found(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await make_tenant(publisher.runtime, "bakery")
    draft, shown = await write_one(publisher, web, browser)
    answer, body = await get(browser, f"{web}/drafts/{draft.id}", tenant="bakery")
    assert (answer.status, "<code>draft_not_found</code>" in body) == (404, True)
    path = f"/drafts/{draft.id}"
    for action in ("approve", "improve", "undo", "discard"):
        answer, _ = await press(
            browser, web, f"{path}/{action}?tenant=bakery", content_hash=hash_of(shown),
            due=await due_in(publisher, 24), instruction="without the link",
        )  # fmt: skip
        assert answer.status == 404, action
    assert await drafts.get_draft(publisher.runtime, publisher.scope, DraftId(draft.id)) == draft
    _, body = await get(browser, f"{web}/drafts", tenant="bakery")
    assert "There is no draft yet." in body


async def test_forms_of_other_sites_are_refused(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    draft, body = await write_one(publisher, web, browser)
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for path in ("", "/check", *(f"/{draft.id}/{each}" for each in ("approve", "improve"))):
        answer, _ = await press(
            browser, web, f"/drafts{path}", foreign, content_hash=hash_of(body), **BRIEF
        )
        assert answer.status == 403, path
    assert len(await list_stored(publisher)) == 1
