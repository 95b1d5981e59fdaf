"""Opens a page in the user's browser, without passing Roost's settings to the browser."""

import webbrowser

from roost.child_environment import hidden
from roost.settings import ENVIRONMENT_NAMES


def open_in_browser(address: str) -> None:
    """Open an address in the user's browser.

    The browser inherits the environment variables, and still runs when the command has ended. Some
    of Roost's settings are secret, so their variables are removed while the browser is started.
    """
    with hidden(ENVIRONMENT_NAMES.values()):
        webbrowser.open(address)
