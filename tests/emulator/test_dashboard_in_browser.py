"""Tests of the dashboard in a real browser: refreshes, forms, layout on a phone."""

from pathlib import Path

import pytest

from emulator.account import Account
from emulator.browser import CHROMIUM, browsing

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing on this machine"),
]


async def test_forms_are_submitted_without_leaving_the_page(
    account: Account, tmp_path: Path
) -> None:
    emulator = account.emulator
    await emulator.freeze()
    root = await account.post("React to me")
    async with browsing(tmp_path) as browser:
        await browser.open(f"{emulator.url}/?as=mira_builds")
        await browser.run("window.stayed = true")

        await browser.run(f"document.getElementById('like-{root}').focus()")
        await browser.run("document.activeElement.click()")
        await browser.until(f"document.getElementById('like-{root}').ariaPressed === 'true'")
        assert await browser.run("document.activeElement.id") == f"like-{root}"

        # The dashboard must show this request without a reload of the page.
        await account.get("/2/users/me")
        await browser.until("document.querySelector('.log li').textContent.includes('read_me')")

        await browser.run("document.querySelector('.answer summary').click()")
        await browser.run(f"document.getElementById('reply-{root}').focus()")
        await browser.type("Half a rep")
        await account.post("Meanwhile")
        await browser.until("document.getElementById('posts').textContent.includes('Meanwhile')")
        await browser.type("ly")  # A refresh must keep the text that a person is typing.
        await browser.run("document.activeElement.form.querySelector('button').click()")
        await browser.until("document.querySelectorAll('.post').length === 3")
        assert await browser.run("document.querySelectorAll('details[open]').length") == 0

        text = "document.getElementById('text')"
        await browser.run(
            f"{text}.value = 'Half a reply'; {text}.form.querySelector('button').click()"
        )
        await browser.until("document.getElementById('notice').textContent.includes('duplicate')")
        assert await browser.run("window.stayed") is True
        refused = [each for each in browser.complaints if "400" not in each]
        assert refused == []
    posts = (await emulator.ground_truth())["posts"]
    assert [each["text"] for each in posts] == ["React to me", "Meanwhile", "Half a reply"]
    assert posts[2]["reply_to"] == root


_MISFITS = """
[...document.querySelectorAll("button, select, textarea")]
  .filter((each) => each.checkVisibility())
  .filter((each) => each.getBoundingClientRect().right > innerWidth
    || !(each.labels?.length || each.ariaLabel || each.textContent.trim())).length
  + document.documentElement.scrollWidth - document.documentElement.clientWidth
"""


async def test_dashboard_fits_a_phone_and_a_desktop(account: Account, tmp_path: Path) -> None:
    await account.post("A" * 270)
    await account.emulator.control("users", username="x" * 15, name="A very long name " * 3)
    async with browsing(tmp_path) as browser:
        for width in (390, 1280):
            await browser.open(f"{account.emulator.url}/?as={'x' * 15}&wide={width}", width)
            assert await browser.run(_MISFITS) == 0
