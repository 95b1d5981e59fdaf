"""Acts as the demo's browser: follows redirects, and gives consent on the emulator's page."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import aiohttp

from roost.errors import Broken


class _ConsentForm(HTMLParser):
    """Parses the consent page, and keeps the address and the hidden fields of its form."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Store the form's address and every hidden field."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action = attributes.get("action", "")
        elif tag == "input" and attributes.get("type") == "hidden":
            self.hidden[attributes["name"]] = attributes.get("value", "")


async def give_consent(start_url: str, username: str) -> None:
    """Connect an account of the emulator as a person would do in a browser.

    Open Roost's start address, follow the redirect to the consent screen, give consent as
    `username`, and follow the redirect back to Roost.

    Raises: Broken, with the page's status, if the account was not connected.
    """
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(start_url) as page:
            address, text = str(page.url), await page.text()
            if page.status != 200:
                raise Broken(f"The consent screen returned status {page.status}.")
        form = _ConsentForm()
        form.feed(text)
        if form.action is None:
            raise Broken("The consent screen has no form.")
        fields = form.hidden | {"user": username, "decision": "allow"}
        async with browser.post(urljoin(address, form.action), data=fields) as page:
            if page.status != 200:
                raise Broken(f"Connecting @{username} failed with status {page.status}.")
