"""OAuth 1.0a credentials that the emulator issues without the three-legged flow."""

from fix_emulator import Emulator
from roost import x


async def api_keys_of(emulator: Emulator) -> tuple[str, str]:
    """Return the key and secret of the test's app."""
    app = await emulator.control(f"apps/{emulator.app.client_id}")
    return app["api_key"], app["api_secret"]


async def keys_of(emulator: Emulator, username: str = "larkbooks") -> x.auth.OAuth1:
    """Return the credential of an account for the test's app."""
    keys = await emulator.control(
        "oauth1-tokens", client_id=emulator.app.client_id, username=username
    )
    return x.auth.OAuth1(
        *await api_keys_of(emulator),
        keys["oauth_token"],
        keys["oauth_token_secret"],
        emulator.endpoint,
    )
