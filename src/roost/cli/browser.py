"""Opens a page in the user's browser, which gets none of Roost's settings."""

import webbrowser

from roost.child_environment import hidden
from roost.settings import ENVIRONMENT_NAMES


def open_in_browser(address: str) -> None:
    """Open an address in the browser.

    The browser inherits the environment and outlives the command, so the settings are hidden: some
    of them are secret.
    """
    with hidden(ENVIRONMENT_NAMES.values()):
        webbrowser.open(address)
