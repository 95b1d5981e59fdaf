"""The page of a report in a real browser: accessibility, width, hover, and its policy."""

import asyncio
import json
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import pytest

from emulator.browser import CHROMIUM, Browser, browsing
from harness.report_sample import make_sample
from roost.insights.reports.content.build import build_document
from roost.insights.reports.document import Brand
from roost.insights.reports.forms.html import render_html
from roost.insights.reports.words import load_words

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing on this machine"),
]
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Browser]:
    async with browsing(tmp_path / "profile") as chromium:
        await chromium.open("about:blank")
        chromium.complaints.clear()
        yield chromium


@pytest.fixture(scope="module", params=[("en", ""), ("de", "#ffcc00")], ids=["en", "de"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report's page."""
    language, accent = request.param
    brand = Brand(cover_note="First\n\nSecond", accent=accent)
    html = render_html(build_document(make_sample(), load_words(language), brand=brand))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


async def choose_scheme(chromium: Browser, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    await chromium.send("Emulation.setEmulatedMedia", features=features)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_axe_finds_no_violation(
    chromium: Browser, page: str, scheme: str, width: int
) -> None:
    await choose_scheme(chromium, scheme)
    await chromium.open(page, width)
    await chromium.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    axe = resources.files("axe_core_python").joinpath("axe.min.js")
    await chromium.run(f"{await asyncio.to_thread(axe.read_text, 'utf-8')}; 1")
    found = await chromium.run(
        f"axe.run(document, {{runOnly: {json.dumps(_RULES)}}}).then((result) => ({{"
        "rules: result.passes.length, violations: result.violations.map((each) =>"
        " each.id + ' ' + each.nodes[0].html)}))"
    )
    assert found["violations"] == []
    assert found["rules"] > 20


async def test_page_is_no_wider_than_a_phone__tables_scroll(chromium: Browser, page: str) -> None:
    await chromium.open(page, 390)
    await chromium.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert await chromium.run("document.documentElement.scrollWidth <= innerWidth")
    assert await chromium.run(
        "[...document.querySelectorAll('.scroll')].some((box) => box.scrollWidth > box.clientWidth)"
    )


async def test_pointer_shows_the_label_of_a_mark(chromium: Browser, page: str) -> None:
    await chromium.open(page)
    mark = "document.querySelector('svg [aria-label]')"
    await chromium.run(f"{mark}.scrollIntoView({{block: 'center'}})")
    # The page hides the label when it scrolls, and the scroll event comes with the next frame.
    await chromium.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    x, y = await chromium.run(
        f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
        f"({mark}.getBoundingClientRect())"
    )
    await chromium.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    await chromium.until("!document.querySelector('#tooltip').hidden")
    assert await chromium.run(
        f"document.querySelector('#tooltip').textContent === {mark}.getAttribute('aria-label')"
    )


async def test_browser_blocks_and_reports_nothing(chromium: Browser, page: str) -> None:
    await chromium.open(page)
    assert chromium.complaints == []


async def test_charts_have_the_colours_of_the_scheme(chromium: Browser, page: str) -> None:
    colors = []
    for scheme in ("light", "dark"):
        await choose_scheme(chromium, scheme)
        await chromium.open(page)
        colors.append(
            await chromium.run("getComputedStyle(document.querySelector('svg [aria-label]')).fill")
        )
    assert colors == ["rgb(236, 239, 243)", "rgb(35, 41, 48)"]
