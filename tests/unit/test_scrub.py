"""Secrets are removed from text if a field name, their format or their value shows them."""

from urllib.parse import quote

import pytest

from roost import scrub as scrubbing
from roost.scrub import mask_known_secrets, register_secrets, scrub
from roost.store.vault import make_key_line

TOKEN = "dGhpcy1pcy1hLXRva2VuOjE3OTU1MjE2"
KEY_LINES = [make_key_line() for _ in range(3)]
KEYS = [line.partition(":")[2] for line in KEY_LINES]

NAMES = (
    "access_token", "refresh_token", "token", "secret", "client_secret", "TWITTER_CLIENT_SECRET",
    "TWITTER_API_KEY", "TWITTER_API_SECRET", "oauth_token", "oauth_token_secret", "oauth_verifier",
    "oauth_consumer_key", "oauth_signature", "code_verifier", "password", "PGPASSWORD",
    "accessToken", "apiKey", "api_key", "X-Api-Key", "a_name_of_" + "any_length_" * 20 + "token",
)  # fmt: skip
WAYS = (
    "{name}={value}",
    "{name}={value}&client_id=me",
    "/path?{name}={value}#part",
    "{name}: {value}",
    "{name} = {value}",
    "'{name}': '{value}'",
    '{{"{name}": "{value}", "expires_in": 7200}}',
    '"{{\\"{name}\\": \\"{value}\\"}}"',
    "('{name}', '{value}')",
    "(b'{name}', b'{value}')",
    "{name}='{value} with a blank'",
    "roost emulator --{name} {value} --port 0",
    "--{name}={value}",
    "{name}%3D{value}%26client_id%3Dme",
    "{name}%3d{value}",
    "%3F{name}%253D{value}%2526a%253Db",
    "%22{name}%22%3A%22{value}%22%2C%22a%22%3A1",
    "%7B%22{name}%22%3A+%22{value}%22%7D",
)


@pytest.fixture(autouse=True)
def no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget all known secret values, so that secrets are recognized only by name or format."""
    monkeypatch.setattr(scrubbing, "_known", set())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_value_of_a_secret_name_is_taken_out(name: str, way: str) -> None:
    shown = scrub("before " + way.format(name=name, value=TOKEN) + " after")
    assert TOKEN not in shown
    assert "***" in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        f"code={TOKEN}",
        f"?code={TOKEN}&state=x",
        f'{{"code": "{TOKEN}"}}',
        f"Bearer {TOKEN}",
        f"Bearer%20{TOKEN}",
        f"Authorization: Bearer {TOKEN}",
        f"Authorization: Basic {TOKEN}",
        f"Authorization: Unheard of {TOKEN}",
        f"{{'Authorization': 'Bearer {TOKEN}'}}",
        f"authorization=Bearer {TOKEN}",
        f"Cookie: session={TOKEN}; a={TOKEN}",
        f"set-cookie: a=b; c={TOKEN}",
        f'OAuth oauth_token="{TOKEN}", oauth_version="1.0"',
        f"ROOST_VAULT_KEYS=k1:{TOKEN},k2:{TOKEN}",
        f"postgresql://roost:{TOKEN}@db.example/roost",
        f"postgresql://roost:pa@ss/w:{TOKEN}?@db.example/roost",
        f"https://user:{TOKEN}@proxy.example:3128/",
        f"https://user:p@{TOKEN}@proxy.example",
        f"socks5://:{TOKEN}@proxy.example",
        f"https://{TOKEN}@host.example/repository",
        f"https%3A%2F%2Fuser%3A{TOKEN}%40proxy.example",
        f"host=db.example password={TOKEN} dbname=roost",
        f"host=db.example password='it\\'s {TOKEN}' dbname=roost",
        f"-----BEGIN PRIVATE KEY-----\n{TOKEN}\n-----END PRIVATE KEY-----",
        f"-----BEGIN EC PRIVATE KEY-----\n{TOKEN}",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\\n{TOKEN}\\n",
        f"eyJhbGciOiJIUzI1NiJ9.{TOKEN}.{TOKEN}",
    ],
)
def test_shape_of_a_secret_is_taken_out(text: str) -> None:
    assert TOKEN not in scrub(text)
    assert "***" in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        KEY_LINES[0],
        "\n".join(KEY_LINES),
        ",".join(KEY_LINES),
        f"the key file says {KEY_LINES[1]} and {KEY_LINES[2]}.",
        "ROOST_VAULT_KEYS=" + ",".join(KEY_LINES),
        KEY_LINES[0].replace("+", "-").replace("/", "_"),
    ],
    ids=["one", "lines", "commas", "sentence", "setting", "url-safe"],
)
def test_line_of_a_key_file_is_taken_out(text: str) -> None:
    shown = scrub(text)
    assert not [key for key in KEYS if key[:8] in shown or key[-8:] in shown]


@pytest.mark.parametrize(
    "text",
    [
        "post 17 is published",
        "error code: the message stays",
        "postgresql://roost@db.example/roost",
        "token_expires_at=2026-11-23T12:00:00+00:00",
        "the page is at http://127.0.0.1:8700/accounts/@acme",
        "https://api.x.com/2/tweets?ids=1,2 answered 400: no such id",
        "media_key=3_123, state=published, keyword: all of it",
        "alarm late, post 3: its time was 12:00:05",
    ],
)
def test_the_rest_is_left(text: str) -> None:
    assert scrub(text) == text


def test_what_stands_around_a_secret_is_kept() -> None:
    scrubbed = scrub(f"POST /2/oauth2/token refresh_token={TOKEN}&client_id=me answered 400")
    assert scrubbed == "POST /2/oauth2/token refresh_token=***&client_id=me answered 400"


@pytest.mark.parametrize("secret", [TOKEN, "p@ss/w:rd [SECRET] %41", "k1:a+b/c=="])
def test_known_value_is_taken_out_of_any_words(secret: str) -> None:
    assert secret in scrub(f"could not translate {secret} to an address")
    register_secrets([secret])
    for form in (secret, quote(secret, safe="")):
        assert form not in mask_known_secrets(f"could not translate {form} to an address")
        assert form not in scrub(f"could not translate {form} to an address")


def test_short_known_value_masks_no_letters() -> None:
    register_secrets(["e", "post"])
    assert scrub("the post is late") == "the post is late"
