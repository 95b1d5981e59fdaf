"""App-only tokens (OAuth 2.0 client credentials): one per app, valid until invalidated."""

import secrets
from datetime import datetime, timedelta

from x_emulator.auth.oauth2 import read_basic
from x_emulator.rules import refusals
from x_emulator.state import App, Window, World

#: X's documentation says that X refuses token requests that come "too frequently". The
#: documentation states no number, so this limit is our choice.
_MAX_REQUESTS, _WINDOW = 100, timedelta(minutes=15)


def authenticate_app(world: World, authorization: str | None) -> App:
    """Return the app whose API key and secret are in an HTTP Basic header.

    Raises: Refusal (in the format of X's API v1.1).
    """
    key, secret = read_basic(authorization) or ("", "")
    app = world.apps.get(world.app_keys.get(key, ""))
    if app is None or not secrets.compare_digest(app.api_secret.encode(), secret.encode()):
        raise _unverified()
    return app


def issue_token(world: World, app: App, grant_type: str, at: datetime) -> str:
    """Return the app's token. The first request creates the token.

    Raises: Refusal (the grant type is not `client_credentials`, or too many requests).
    """
    if grant_type != "client_credentials":
        raise refusals.v1_refusal(403, 170, "Missing required parameter: grant_type")
    key = ("app_token", app.client_id)
    window = world.windows.get(key)
    if window is None or at >= window.opened_at + _WINDOW:
        window = world.windows[key] = Window(at)
    window.used += 1
    if window.used > _MAX_REQUESTS and world.switches.rate_limits:
        raise _unverified()
    if app.bearer is None:
        app.bearer = f"{'A' * 22}{secrets.token_hex(4)}%2F{secrets.token_urlsafe(40)}%3D"
        world.app_tokens[app.bearer] = app.client_id
    return app.bearer


def invalidate_token(world: World, app: App, value: str) -> None:
    """Invalidate the app's token.

    Raises: Refusal (`value` is not this app's token).
    """
    if app.bearer is None or value != app.bearer:
        raise refusals.v1_refusal(401, 89, "Invalid or expired token.")
    del world.app_tokens[app.bearer]
    app.bearer = None


def _unverified() -> refusals.Refusal:
    return refusals.v1_refusal(403, 99, "Unable to verify your credentials")
