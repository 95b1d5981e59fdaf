"""The drafts' pages in a browser without JavaScript: keyboard, live progress, layout."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from emulator.browser import CHROMIUM, Browser, browsing
from faces.test_web_actions import press
from faces.test_web_drafts import FACTS, LINK, REPLY, list_stored, model_settings, write
from fix_model import ModelServer
from fix_publishing import Publisher
from fix_web import serving
from roost.services import queries

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing on this machine"),
]
_KEYS = {"Tab": 9, "Enter": 13, "Space": 32}


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser in which JavaScript is disabled for all pages."""
    async with browsing(tmp_path / "profile") as chromium:
        # The browser's own start page has scripts, which could add entries to `complaints`.
        await chromium.open("about:blank")
        chromium.complaints.clear()
        await chromium.send("Emulation.setScriptExecutionDisabled", value=True)
        yield chromium


async def press_key(chromium: Browser, key: str) -> None:
    """Press and release a key."""
    text = {"Enter": "\r", "Space": " "}.get(key, "")
    shared = {"key": " " if key == "Space" else key, "windowsVirtualKeyCode": _KEYS[key]}
    down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
    await chromium.send("Input.dispatchKeyEvent", **shared, **down)
    await chromium.send("Input.dispatchKeyEvent", **shared, type="keyUp")


async def tab_to(chromium: Browser, condition: str) -> None:
    """Press Tab until the element that has the focus fulfils a condition.

    `condition` is a JavaScript expression in which `at` is the element.
    """
    for _ in range(60):
        await press_key(chromium, "Tab")
        if await chromium.run(f"((at) => Boolean({condition}))(document.activeElement)"):
            return
    raise AssertionError(f"Tab does not reach {condition}")


async def test_drafts_are_written_and_approved_by_keyboard(
    publisher: Publisher, web: str, chromium: Browser
) -> None:
    await chromium.open(f"{web}/drafts/new?tenant=default")
    for field, text in (("topic", "opening hours"), ("facts", FACTS), ("link", LINK)):
        await tab_to(chromium, f"at.id === '{field}'")
        await chromium.type(text)
    await tab_to(chromium, "at.textContent === 'Write drafts'")
    await press_key(chromium, "Enter")
    await chromium.until("document.querySelectorAll('#result article').length === 3")
    assert await chromium.run("document.querySelector('.arriving')?.checkVisibility()") is not True

    await tab_to(chromium, "at.value === 'without the link'")
    await press_key(chromium, "Space")
    await chromium.until(
        "location.pathname.match('^/drafts/[0-9]+$') && document.querySelector('.bubble')"
    )
    assert LINK not in await chromium.run("document.querySelector('.bubble').textContent")

    await tab_to(chromium, "at.name === 'due'")
    tomorrow = publisher.runtime.clock.now() + timedelta(days=1)
    for value in (f"{tomorrow:%m%d%Y}", None, f"{tomorrow:%I%M%p}"[:5]):
        if value is None:
            await press_key(chromium, "Tab")
            continue
        for character in value:
            await chromium.send("Input.dispatchKeyEvent", type="char", text=character)
    await tab_to(chromium, "at.textContent === 'Approve and schedule'")
    await press_key(chromium, "Enter")
    await chromium.until("document.body?.textContent.includes('Scheduled as post')")
    (post,) = await queries.list_posts(publisher.runtime, publisher.scope)
    assert post.due_at is not None
    assert post.due_at.date() == tomorrow.date()
    assert chromium.complaints == []


async def test_each_draft_is_shown_when_it_arrives(
    publisher: Publisher,
    model_server: ModelServer,
    chromium: Browser,
    browser: aiohttp.ClientSession,
) -> None:
    is_answered = asyncio.Event()
    model_server.answers = [json.dumps({"drafts": REPLY["drafts"][:1]}), is_answered]
    changed = publisher.with_settings(**model_settings(model_server))
    async with serving(changed.runtime) as web:
        await chromium.open(f"{web}/drafts/new?tenant=default")
        await chromium.run(
            f"document.getElementById('topic').value = 'hours', "
            f"document.getElementById('link').value = '{LINK}', "
            f"document.getElementById('tags').value = 'LarkBooks', "
            f"document.getElementById('facts').value = {json.dumps(FACTS)}, "
            "document.querySelector('.brief button').click()"
        )
        await chromium.until("document.querySelectorAll('.arriving > li').length === 1")
        assert await chromium.run("document.querySelector('.arriving > li').checkVisibility()")
        assert await list_stored(publisher) == []
        is_answered.set()
        await chromium.until("document.querySelectorAll('#result article').length === 3")
        shown = (
            "[...document.querySelectorAll('.arriving')].filter((each) => each.checkVisibility())"
        )
        assert await chromium.run(f"{shown}.length") == 0
    assert chromium.complaints == []


_MISFITS = """
[...document.querySelectorAll("button, select, textarea, input:not([type=hidden])")]
  .filter((each) => each.checkVisibility())
  .filter((each) => each.getBoundingClientRect().right > innerWidth
    || !(each.labels?.length || each.ariaLabel || each.textContent.trim())).length
  + document.documentElement.scrollWidth - document.documentElement.clientWidth
"""
_JAPANESE = "営業時間は午前8時から午後6時までです。"
_ARABIC = "نفتح كل يوم من الساعة 8 صباحا حتى الساعة 6 مساء."


async def test_drafts_fit_a_phone_and_a_desktop_in_every_script(
    publisher: Publisher, web: str, chromium: Browser, browser: aiohttp.ClientSession
) -> None:
    long = f"{LINK}/{'x' * 120}"
    for language, topic, facts in (
        ("en", "hours", f"We open at 7. {'w' * 90}"),
        ("ja", "営業時間", _JAPANESE),
        ("ar", "مواعيد العمل", _ARABIC),
    ):
        await write(browser, web, language=language, topic=topic, facts=facts, link=long, n="1")
    assert len(await list_stored(publisher)) == 3
    for width in (390, 1280):
        for path in ("drafts", "drafts/new", "drafts/1", "drafts/3"):
            await chromium.open(f"{web}/{path}?tenant=default&wide={width}", width)
            await chromium.run("document.querySelectorAll('details').forEach((e) => e.open = true)")
            assert await chromium.run(_MISFITS) == 0, (path, width)
    directions = await chromium.run(
        "[...document.querySelectorAll('.bubble .text, .fact bdi, .bubble bdi')]"
        ".map((each) => [each.lang, getComputedStyle(each).direction])"
    )
    assert directions == [["ar", "rtl"], ["", "ltr"], ["", "ltr"], ["ar", "rtl"]]


async def test_errors_of_the_form_fit_and_are_named_at_their_fields(
    publisher: Publisher, web: str, chromium: Browser, browser: aiohttp.ClientSession
) -> None:
    await chromium.open(f"{web}/drafts/new?tenant=default", 390)
    await chromium.run(
        "document.getElementById('facts').value = 'x'.repeat(600), "
        "document.querySelector('.brief button').click()"
    )
    await chromium.until("document.querySelector('[role=alert]')")
    assert await chromium.run(_MISFITS) == 0
    named = await chromium.run(
        "[...document.querySelectorAll('[aria-invalid]')].map((each) => each.getAttribute("
        "'aria-describedby').trim().split(' ').map((id) => document.getElementById(id)"
        ".textContent).pop())"
    )
    assert named == [
        "Error: The topic is empty.",
        "Error: Fact 1 must have at most 500 characters.",
    ]


async def test_pages_of_drafts_need_no_script(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await write(browser, web)
    for path in ("drafts", "drafts/new", "drafts/1"):
        async with browser.get(f"{web}/{path}") as answer:
            assert "<script" not in await answer.text(), path
    _, body = await press(browser, web, "/drafts/check")
    assert "<script" not in body
