"""Hostile text has no effect in any page, form, JSON response or report of the web server.

The routes are read from the application, so a test fails until `calls_of` covers a new route.
"""

import html
import io
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pypdf
import pytest
from PIL import Image
from starlette.routing import Mount, Route

from fix_foreign import (
    ACTIVE,
    HOSTILE,
    HOSTILE_PLAIN,
    HostileRows,
    acts_on_page,
    fill_with_hostile,
)
from fix_publishing import Publisher
from roost.services import collect
from roost.web.server import make_app

#: The paths of the static files, which contain no text from outside Roost.
_STATIC = {"/static", "/static/charts.js"}


def calls_of(filled: HostileRows) -> dict[tuple[str, str], list[dict[str, str]]]:
    """Return the parameters of the test's requests, for each method and path.

    The parameter `id` is the value of the variable in the path, such as `{post_id}`.
    """
    undecided = str(filled.undecided)
    numbers = (filled.planned, filled.published, filled.partly_published, filled.undecided)
    posts = [{"id": str(number)} for number in numbers]
    account = [{"id": str(filled.publisher.account.id)}]
    hostile = {"id": HOSTILE_PLAIN.replace("/", "|").replace("?", "")}
    draft = {"id": str(filled.draft)}
    names = ("account", "topic", "facts", "link", "tags", "language", "tone", "n", "form")
    brief = dict.fromkeys(names, HOSTILE)
    readable = {"account": HOSTILE.strip(), "topic": HOSTILE, "facts": HOSTILE, "n": "1"}
    return {
        ("GET", "/"): [{}],
        ("GET", "/posts"): [{}, {"tenant": HOSTILE}],
        ("GET", "/posts/{post_id}"): [*posts, hostile],
        ("GET", "/accounts/{account_id}"): [*account, hostile],
        ("POST", "/reports"): [
            {}, {"period": HOSTILE}, {"period": "days", "since": HOSTILE},
            {"account": HOSTILE}, {"language": HOSTILE}, {"compare": HOSTILE},
        ],
        ("GET", "/reports"): [{}, {"tenant": HOSTILE}],
        ("GET", "/reports/{number}"): [{"id": "1"}, hostile],
        ("GET", "/reports/{number}/read"): [{"id": "1"}, hostile],
        ("GET", "/reports/{number}/files/{form}"): [{"id": "1"}, hostile],
        ("POST", "/reports/schedules"): [{}, {"time": HOSTILE}, {"cadence": HOSTILE}],
        ("POST", "/reports/schedules/{schedule}/remove"): [{"id": "1"}, hostile],
        ("GET", "/api/accounts"): [{}, {"tenant": HOSTILE}],
        ("GET", "/api/posts"): [{}, {"tenant": HOSTILE}],
        ("GET", "/healthz"): [{}],
        ("GET", "/api/auth/twitter/start"): [{"tenant": HOSTILE}],
        ("GET", "/api/auth/proof"): [{}, {"challenge": HOSTILE}],
        ("GET", "/api/auth/callback/twitter"): [
            {"state": HOSTILE, "code": HOSTILE}, {"state": HOSTILE, "error": HOSTILE},
        ],
        ("GET", "/api/auth/callback/twitter/"): [{"state": HOSTILE, "code": HOSTILE}],
        ("POST", "/posts/{post_id}/pause"): [*posts, hostile],
        ("POST", "/posts/{post_id}/resume"): [*posts, hostile],
        ("POST", "/posts/{post_id}/resolve"): [
            {"id": undecided, "choice": "found", "address": HOSTILE},
            {"id": str(filled.partly_published), "choice": "continue", "text": HOSTILE},
            {"id": undecided, "choice": HOSTILE},
        ],
        ("POST", "/accounts/{account_id}/pause"): [*account, hostile],
        ("POST", "/accounts/{account_id}/resume"): [*account, hostile],
        ("POST", "/pause"): [{}],
        ("POST", "/resume"): [{}],
        ("GET", "/api/auth/attempts/{attempt}"): [hostile],
        ("POST", "/posts/{post_id}/retry"): [*posts, hostile],
        ("POST", "/posts/{post_id}/cancel"): [*posts, hostile],
        ("GET", "/drafts"): [{}, {"tenant": HOSTILE}, {"show": HOSTILE}],
        ("GET", "/drafts/new"): [{}],
        ("GET", "/drafts/{draft_id}"): [draft, draft | {"revision": HOSTILE}, hostile],
        ("GET", "/drafts/runs/{run_id}"): [hostile],
        ("POST", "/drafts/check"): [{}, brief, readable, {"brief": HOSTILE}],
        ("POST", "/drafts"): [{}, brief, readable, {"brief": HOSTILE}],
        ("POST", "/drafts/{draft_id}/improve"): [
            draft | {"instruction": HOSTILE}, draft | {"instruction": "shorter"}, hostile,
        ],
        ("POST", "/drafts/{draft_id}/approve"): [
            draft | {"content_hash": HOSTILE, "due": HOSTILE},
            draft | {"content_hash": "", "due": HOSTILE[:60]}, hostile,
        ],
        ("POST", "/drafts/{draft_id}/undo"): [draft, hostile],
        ("POST", "/drafts/{draft_id}/discard"): [draft, hostile],
    }  # fmt: skip


def routes_of(publisher: Publisher) -> set[tuple[str, str]]:
    """Return the method and the path of every route, except those of static files."""
    found: set[tuple[str, str]] = set()
    for route in _flat(make_app(publisher.runtime).routes):
        if isinstance(route, Mount):
            assert route.path in _STATIC, "another mounted application needs a test of its own"
        elif isinstance(route, Route) or hasattr(route, "methods"):
            methods = set(route.methods or ()) - {"HEAD"}
            found |= {(method, route.path) for method in methods if route.path not in _STATIC}
    return found


def _flat(routes: Any) -> list[Any]:
    """Return all routes; the routes of an included router replace the router."""
    found = []
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        found += [route] if inner is None else _flat(inner)
    return found


async def ask(
    browser: aiohttp.ClientSession, web: str, method: str, path: str, **values: str
) -> tuple[aiohttp.ClientResponse, str]:
    """Send a request with the headers of a form on Roost's own page; return response and body."""
    name = values.pop("id", "")
    start = path.find("{")
    if start >= 0:
        path = path[:start] + name + path[path.index("}") + 1 :]
    arguments: dict[str, Any] = {"params": values} if method == "GET" else {"data": values}
    own = {"origin": web, "sec-fetch-site": "same-origin"}
    async with browser.request(
        method, web + path, headers=own, allow_redirects=False, **arguments
    ) as answer:
        return answer, await answer.text()


async def read_report(browser: aiohttp.ClientSession, web: str) -> str:
    """Make a report through the web server; return the HTML of its page."""
    made, _ = await ask(browser, web, "POST", "/reports")
    assert made.status == 303
    answer, body = await ask(browser, web, "GET", "/reports/{number}/read", id="1")
    assert answer.status == 200
    return body


async def test_no_page_and_no_response_contains_active_text(
    publisher: Publisher,
    admin_url: str,
    teal: Path,
    web: str,
    browser: aiohttp.ClientSession,
) -> None:
    filled = await fill_with_hostile(publisher, admin_url, teal)
    calls = calls_of(filled)
    assert set(calls) == routes_of(publisher)
    found: list[str] = []
    bodies: dict[str, str] = {}
    for (method, path), tries in calls.items():
        for values in tries:
            answer, body = await ask(browser, web, method, path, **values)
            bodies.setdefault(path, body)
            is_page = answer.content_type == "text/html"
            acting = acts_on_page(body) if is_page else ACTIVE.findall(body)
            acting += [f"header {name}" for name, value in answer.headers.items()
                       if ACTIVE.search(value) or "FORGED" in value.splitlines()[1:]]  # fmt: skip
            if answer.status == 500:
                acting.append("status 500")
            found += [f"{method} {path} {values}: {each}" for each in acting]
    assert found == []
    for path in (
        "/", "/posts", "/posts/{post_id}", "/accounts/{account_id}",
        "/drafts", "/drafts/{draft_id}", "/drafts/new",
    ):  # fmt: skip
        assert "[red]hid[/red]\\x1b]52;c;ZQ==\\x07" in bodies[path]
        assert "{{7*7}}" in bodies[path]
    (text,) = {part["text"] for part in json.loads(bodies["/api/posts"])["posts"][0]["parts"]}
    assert text.startswith(HOSTILE)


async def test_a_published_control_character_does_not_break_the_report(
    publisher: Publisher, admin_url: str, teal: Path, web: str, browser: aiohttp.ClientSession
) -> None:
    await fill_with_hostile(publisher, admin_url, teal)
    body = await read_report(browser, web)
    assert body.count("<svg ") >= 1
    assert "[/x][red]hid[/red]\\x1b" in body


class Elements(HTMLParser):
    """The elements of a page or a picture with the names of their attributes, and its labels."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.labels: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "text":
            self.labels.append(data)


def charts_with(page: str, label: str) -> list[Elements]:
    """Return the charts of a page in which a label contains a text."""
    charts = [Elements(picture) for picture in re.findall(r"<svg .*?</svg>", page, re.DOTALL)]
    return [each for each in charts if any(label in one for one in each.labels)]


#: Texts of posts that would become elements, references or styles if a chart did not escape them.
_LABELS = (
    HOSTILE,
    "</text></svg><script>x</script>",
    '"><image href=x onerror=x>',
    "]]><style>*{display:none}</style>",
    "<!-- url(#x",
    ' id="x" href="#x',
    "&lt;script&gt;x&#60;/script>",
    "{{7*7}}${7*7}",
)


async def test_texts_of_posts_in_a_chart_add_no_element(
    publisher: Publisher, admin_url: str, web: str, browser: aiohttp.ClientSession
) -> None:
    for number in range(len(_LABELS)):
        await publisher.schedule(f"Low tide {number}")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=30)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(hours=1)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("UPDATE roost.post_snapshots SET impressions = 100 * 2 ^ part_id")
        await ask(browser, web, "POST", "/reports")
        for number, text in enumerate(_LABELS):
            connection.execute(
                "UPDATE roost.parts SET text = %s WHERE text = %s",
                [text.replace("\0", ""), f"Low tide {number}"],
            )
        await ask(browser, web, "POST", "/reports")
    pages = [
        (await ask(browser, web, "GET", "/reports/{number}/read", id=number))[1]
        for number in ("1", "2")
    ]
    harmless, hostile = charts_with(pages[0], "Low tide"), charts_with(pages[1], "{{7*7}}${7*7}")
    assert len(hostile) == len(harmless) == 1, "the account has this chart"
    for chart, other in zip(harmless, hostile, strict=True):
        assert len([label for label in chart.labels if "Low tide" in label]) == len(_LABELS)
        assert other.elements == chart.elements
        assert len(other.labels) == len(chart.labels)
        for text in (*_LABELS[1:], "[red]hid[/red]\\x1b]52"):
            assert any(text.strip() in label for label in other.labels), text
    assert acts_on_page(pages[1]) == []
    tags = [[tag for tag, *_ in Elements(page).elements] for page in pages]
    assert set(tags[1]) <= set(tags[0])
    assert [tags[1].count(tag) for tag in ("script", "style", "image")] == [1, 1, 0]
    async with browser.get(f"{web}/reports/2/files/png") as answer:
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    with Image.open(io.BytesIO(archive.read("account-1-posts.png"))) as picture:
        picture.verify()
    async with browser.get(f"{web}/reports/2/files/pdf") as answer:
        document = pypdf.PdfReader(io.BytesIO(await answer.read()))
    text = "".join(page.extract_text() for page in document.pages)
    assert "image href=x onerror=x" in " ".join(text.split())


@pytest.mark.parametrize("text", [' id="x', "url(#x", 'a href="#x', ' fill="url(#x'])
async def test_a_report_shows_a_text_that_looks_like_a_reference(
    text: str, publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await publisher.schedule(f"Low{text} tide")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=30)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(hours=1)
    body = await read_report(browser, web)
    assert f"Low{text} tide" in html.unescape(body)
