"""The pages of drafts over HTTP: the form of a brief, runs, approval, improvement, undo."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from faces.test_web_actions import press
from fix_model import ModelServer
from fix_publishing import Publisher
from fix_runtime import make_tenant
from fix_web import get, serving
from roost.models import DraftState
from roost.services import drafts
from roost.services.drafts import Draft
from roost.web import draft_pages, server

FACTS = "hours: We open at 7 on weekdays.\ntea: A pot of tea costs £3.\nThe café has ten tables."
LINK = "https://larkbooks.example.com/hours"
BRIEF = {
    "account": "larkbooks",
    "topic": "opening hours",
    "facts": FACTS,
    "link": LINK,
    "link_use": "required",
    "tags": "LarkBooks",
    "language": "en",
    "tone": "plain",
    "n": "2",
    "form": "post",
}
REPLY: dict[str, list[Any]] = {
    "drafts": [
        {"parts": [[{"text": "We open at 7 on weekdays. {link} {tags}", "facts": ["hours"]}]]},
        {"parts": [[{"text": "A pot of tea costs £3. {link} {tags}", "facts": ["tea"]}]]},
    ]
}


async def submit(
    browser: aiohttp.ClientSession, web: str, path: str = "/drafts", **changes: str
) -> tuple[aiohttp.ClientResponse, str]:
    """Submit the form of a brief."""
    return await press(browser, web, path, None, **{**BRIEF, **changes})


async def write(
    browser: aiohttp.ClientSession, web: str, **changes: str
) -> tuple[aiohttp.ClientResponse, str]:
    """Submit the form, and follow the redirect to the page of the run."""
    answer, body = await submit(browser, web, **changes)
    if answer.status != 303:
        return answer, body
    return await get(browser, web + answer.headers["location"])


async def list_stored(publisher: Publisher) -> list[Draft]:
    """Return the stored drafts, in the order of their ids."""
    found = await drafts.list_drafts(publisher.runtime, publisher.scope)
    return sorted(found, key=lambda draft: draft.id)


def model_settings(server: ModelServer) -> dict[str, Any]:
    return {"model": "test", "model_url": server.url}


@pytest.fixture
async def model_web(publisher: Publisher, model_server: ModelServer) -> AsyncIterator[str]:
    """The base URL of a web server that asks a model."""
    model_server.answers = [json.dumps(REPLY)]
    changed = publisher.with_settings(**model_settings(model_server))
    async with serving(changed.runtime) as url:
        yield url


async def test_form_writes_drafts_and_shows_them_with_their_evidence(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    answer, body = await write(browser, web)
    assert answer.status == 200
    assert "<h2>2 drafts are stored" in body
    stored = await list_stored(publisher)
    assert [(draft.state, draft.brief.tags) for draft in stored] == [
        (DraftState.DRAFT, ("LarkBooks",))
    ] * 2
    for draft in stored:
        assert f'<a href="/drafts/{draft.id}?tenant=default">Draft {draft.id}</a>' in body
        assert draft.content_hash in body
    assert f'title="{LINK}">larkbooks.example.com/hours</bdi>' in body
    assert f'Leads to <bdi dir="ltr">{LINK}</bdi>' in body
    assert re.search(r"\d+ of 280 characters", body)
    assert "<strong>$0.200</strong> with the link; without the link $0.015." in body
    assert re.search(r"<code>(hours|tea|fact-1)</code> <bdi", body)
    assert "24 of 24 rules kept" in body
    assert "Written by the composer" in body


async def test_list_shows_every_draft_and_links_to_the_form(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    _, body = await get(browser, f"{web}/drafts")
    assert "There is no draft yet." in body
    assert '<a class="button" href="/drafts/new?tenant=default">Write drafts</a>' in body
    await write(browser, web)
    _, body = await get(browser, f"{web}/drafts")
    assert body.count("<article") == 2
    _, other = await get(browser, f"{web}/")
    assert '<a href="/drafts?tenant=default">Drafts</a>' in other


async def test_list_shows_the_newest_drafts_until_all_are_requested(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_pages, "_MAX_CARDS", 1)
    monkeypatch.setattr(draft_pages, "_MAX_DONE", 1)
    await write(browser, web, n="3")
    _, body = await get(browser, f"{web}/drafts")
    assert body.count("<article") == 1
    assert '<a href="/drafts?tenant=default&amp;show=all">Show all 3 drafts</a>' in body
    _, body = await get(browser, f"{web}/drafts", show="all")
    assert body.count("<article") == 3
    for draft in await list_stored(publisher):
        await press(browser, web, f"/drafts/{draft.id}/discard")
    _, body = await get(browser, f"{web}/drafts")
    assert body.count('<p class="text" dir="auto">') == 1
    assert "Show all 3</a>" in body


async def test_errors_of_a_brief_are_shown_at_their_fields(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    answer, body = await write(browser, web, topic="", link="<b>", n="99")
    assert answer.status == 422
    assert "<strong>No draft can be written yet.</strong> 3 errors are marked below." in body
    topic = body.partition('id="topic"')[2].partition("</div>")[0]
    assert 'aria-invalid="true"' in topic
    assert "topic-finding-1" in topic.partition(">")[0]
    assert "The topic is empty." in topic
    assert "The number of drafts must be at most 50." in body.partition('id="n"')[2]
    assert 'value="&lt;b&gt;"' in body
    assert FACTS.splitlines()[0] in body
    assert await list_stored(publisher) == []


async def test_check_writes_nothing(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    answer, body = await submit(browser, web, "/drafts/check")
    assert answer.status == 200
    assert "The brief is fine." in body
    _, body = await submit(browser, web, "/drafts/check", language="Klingon")
    assert "Advice is marked below." in body
    assert "are not judged." in body.partition('id="language"')[2].partition("</div>")[0]
    assert await list_stored(publisher) == []


async def test_a_pasted_brief_writes_drafts(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    pasted = "account: larkbooks\ntopic: tea\nfacts: [{id: tea, text: Tea costs £3.}]"
    answer, _ = await press(browser, web, "/drafts", brief=pasted)
    _, body = await get(browser, web + answer.headers["location"])
    assert "<h2>1 draft is stored" in body
    answer, body = await press(browser, web, "/drafts", brief=pasted + "\nn: [")
    assert answer.status == 422
    assert "is not YAML" in body
    assert "topic: tea" in body


async def test_a_model_writes_drafts_with_their_cost(
    publisher: Publisher, model_web: str, browser: aiohttp.ClientSession
) -> None:
    _, body = await write(browser, model_web)
    assert "Written by a language model" in body
    assert "100 + 50 tokens, price not known" in body
    assert "The composer wrote what was missing" not in body


async def test_a_doubt_is_shown_beside_its_sentence(
    publisher: Publisher, model_web: str, browser: aiohttp.ClientSession, model_server: ModelServer
) -> None:
    part = [{"text": "A retired admiral pours a pot of tea. {link} {tags}", "facts": ["tea"]}]
    model_server.answers = [json.dumps({"drafts": [{"parts": [part]}]})]
    await write(browser, model_web)
    stored = next(each for each in await list_stored(publisher) if each.doubts)
    _, body = await get(browser, f"{model_web}/drafts/{stored.id}")
    sentence, _, after = body.partition('class="rail"')[2].partition("</p>")
    assert "A retired admiral" in sentence
    assert "No fact says: retired, admiral, pours." in after.partition("</li>")[0]


async def test_a_model_that_fails_is_named_and_the_composer_writes(
    publisher: Publisher, model_web: str, browser: aiohttp.ClientSession, model_server: ModelServer
) -> None:
    model_server.answers = [400]
    _, body = await write(browser, model_web)
    assert "The model wrote no drafts in one call: The server of the model" in body
    assert "answered with status 400" in body
    assert "Code: <code>model_unavailable</code>" in body
    assert "sk-secret" not in body
    assert "<h2>2 drafts are stored" in body


async def test_page_says_that_no_draft_of_the_model_was_valid(
    publisher: Publisher, model_web: str, browser: aiohttp.ClientSession, model_server: ModelServer
) -> None:
    model_server.answers = ["Sure, I will."]
    _, body = await write(browser, model_web)
    assert "No draft of the model was valid. The composer wrote all." in body
    assert "<h2>2 drafts are stored" in body


async def test_page_of_a_run_shows_a_draft_before_the_others_are_written(
    publisher: Publisher, model_web: str, browser: aiohttp.ClientSession, model_server: ModelServer
) -> None:
    is_answered = asyncio.Event()
    model_server.answers = [json.dumps({"drafts": REPLY["drafts"][:1]}), is_answered]
    answer, _ = await submit(browser, model_web)
    async with browser.get(model_web + answer.headers["location"]) as page:
        start = ""
        while "not stored yet" not in start:
            start += (await page.content.readany()).decode()
        assert "The model test writes up to 2 drafts." in start
        assert start.count('<li class="card draft">') == 1
        assert "We open at 7 on weekdays." in start
        assert 'id="result"' not in start
        assert await list_stored(publisher) == []
        is_answered.set()
        rest = await page.text()
    assert "<h2>2 drafts are stored" in rest


async def test_a_run_continues_after_its_page_is_left(
    publisher: Publisher, model_web: str, browser: aiohttp.ClientSession, model_server: ModelServer
) -> None:
    is_answered = asyncio.Event()
    model_server.answers = [is_answered, json.dumps(REPLY)]
    answer, _ = await submit(browser, model_web)
    path = answer.headers["location"]
    page = await browser.get(model_web + path)
    assert b"<h1>" in await page.content.readany()
    page.close()
    is_answered.set()
    for _ in range(2):
        _, body = await get(browser, model_web + path)
        assert "<h2>2 drafts are stored" in body


async def test_a_server_that_stops_interrupts_its_runs(
    publisher: Publisher,
    model_server: ModelServer,
    browser: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_RUNS_TIMEOUT_S", 0.1)
    model_server.answers = [asyncio.Event()]
    changed = publisher.with_settings(**model_settings(model_server))
    async with serving(changed.runtime) as url:
        answer, _ = await submit(browser, url)
        page = await browser.get(url + answer.headers["location"])
    body = await page.text()
    assert "<code>run_interrupted</code>" in body
    assert await list_stored(publisher) == []


async def test_a_run_belongs_to_its_tenant(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await make_tenant(publisher.runtime, "bakery")
    answer, _ = await submit(browser, web)
    path = answer.headers["location"].replace("default", "bakery")
    answer, body = await get(browser, web + path)
    assert (answer.status, "<code>run_not_found</code>" in body) == (404, True)


async def test_a_failed_run_shows_its_error(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    pasted = (
        'account: larkbooks\ntopic: tea\ngoal: "a\\0b"\nfacts: [{id: tea, text: Tea costs £3.}]'
    )
    answer, _ = await press(browser, web, "/drafts", brief=pasted)
    _, body = await get(browser, web + answer.headers["location"])
    assert "<code>brief_invalid</code>" in body.partition('role="alert"')[2]
    assert "Nothing was changed." in body
    assert await list_stored(publisher) == []
