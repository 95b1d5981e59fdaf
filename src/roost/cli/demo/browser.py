"""The demo's browser: follows the real redirects and gives consent on the emulator's page."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import aiohttp

from roost.errors import Broken


class _ConsentForm(HTMLParser):
    """The page's one form: where it goes, and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the form's address and every hidden field."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"]] = given.get("value", "")


async def give_consent(start_url: str, username: str) -> None:
    """Walk from Roost's start address over X's page of consent back to Roost's callback.

    Raises: Broken, with the page's status, where the walk does not end at Roost.
    """
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(start_url) as page:
            address, text = str(page.url), await page.text()
            if page.status != 200:
                raise Broken(f"The page of consent answered {page.status}.")
        form = _ConsentForm()
        form.feed(text)
        if form.action is None:
            raise Broken("The page of consent has no form.")
        fields = form.hidden | {"user": username, "decision": "allow"}
        async with browser.post(urljoin(address, form.action), data=fields) as page:
            if page.status != 200:
                raise Broken(f"The connection of @{username} ended with {page.status}.")
