"""An app's own token (OAuth 2.0 client credentials): one, the same until it is invalidated."""

import secrets
from datetime import datetime, timedelta

from x_emulator.auth.oauth2 import read_basic
from x_emulator.rules import refusals
from x_emulator.state import App, Window, World

#: X only says "too frequently"; the number is ours.
_MOST, _PER = 100, timedelta(minutes=15)


def authenticated(world: World, authorization: str | None) -> App:
    """The app whose API key and secret stand in a Basic header.

    Raises: Refusal (in the words of v1.1).
    """
    key, secret = read_basic(authorization) or ("", "")
    app = world.apps.get(world.app_keys.get(key, ""))
    if app is None or not secrets.compare_digest(app.api_secret.encode(), secret.encode()):
        raise _unverified()
    return app


def give_bearer(world: World, app: App, grant_type: str, at: datetime) -> str:
    """The app's token.

    Raises: Refusal (another grant type, or asked for too often).
    """
    if grant_type != "client_credentials":
        raise refusals.legacy(403, 170, "Missing required parameter: grant_type")
    key = ("app_token", app.client_id)
    window = world.windows.get(key)
    if window is None or at >= window.opened_at + _PER:
        window = world.windows[key] = Window(at)
    window.used += 1
    if window.used > _MOST and world.switches.limits:
        raise _unverified()
    if app.bearer is None:
        app.bearer = f"{'A' * 22}{secrets.token_hex(4)}%2F{secrets.token_urlsafe(40)}%3D"
        world.bearers[app.bearer] = app.client_id
    return app.bearer


def invalidate(world: World, app: App, value: str) -> None:
    """Let the token die.

    Raises: Refusal (it is not this app's).
    """
    if app.bearer is None or value != app.bearer:
        raise refusals.legacy(401, 89, "Invalid or expired token.")
    del world.bearers[app.bearer]
    app.bearer = None


def _unverified() -> refusals.Refusal:
    return refusals.legacy(403, 99, "Unable to verify your credentials")
