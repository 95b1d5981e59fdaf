"""Which addresses may get secrets of the real X, and which secrets each address may get."""

import pytest

from roost.endpoint import LIVE_X, XEndpoint
from roost.errors import UnsafeHost
from roost.models import Environment

EMULATOR = XEndpoint("http://127.0.0.1:8710")


@pytest.mark.parametrize(
    "url",
    ["https://api.x.com", "https://api.x.com/", "https://API.X.com:443", "https://api.twitter.com"],
)
def test_the_real_x(url: str) -> None:
    endpoint = XEndpoint(url)
    assert endpoint.environment is Environment.LIVE
    assert endpoint.consent_url == "https://x.com/i/oauth2/authorize"
    assert endpoint.upload_url("/1.1/a") == "https://upload.twitter.com/1.1/a"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://127.0.0.1:8710/", "http://127.0.0.1:8710"),
        ("http://LOCALHOST:8710", "http://localhost:8710"),
        ("http://[::1]:8710", "http://[::1]:8710"),
        ("https://127.9.9.9", "https://127.9.9.9"),
        ("http://127.0.0.1:8710/below/it", "http://127.0.0.1:8710/below/it"),
    ],
)
def test_an_emulator_on_this_machine(url: str, plain: str) -> None:
    endpoint = XEndpoint(url)
    assert (endpoint.base_url, endpoint.environment) == (plain, Environment.EMULATOR)
    assert endpoint.url("/2/tweets") == f"{plain}/2/tweets"
    assert endpoint.consent_url == f"{plain}/i/oauth2/authorize"


@pytest.mark.parametrize(
    "url",
    [
        # Addresses of X with another spelling, host, port or path, or without encryption.
        "https://api.x.com.",
        "https://api.x.com..",
        "https://x.com",
        "https://www.x.com",
        "https://upload.twitter.com",
        "https://ads-api.x.com",
        "https://anything.below.x.com",
        "https://twitter.com",
        "https://pbs.twimg.com",
        "https://t.co",
        "http://api.x.com",
        "http://api.x.com:443",
        "https://api.x.com:8443",
        "https://api.x.com/below",
        "https://ａｐｉ.x.com",
        "https://api。x.com",
        "https://api%2ex.com",
        "https://api.x.com%00.example.org",
        # Servers that are neither X nor on this machine's loopback, and loopback addresses that are
        # not spelled in normalized form.
        "http://example.org",
        "https://example.org",
        "https://api.x.com.example.org",
        "https://api-x.com",
        "http://192.168.1.1:8710",
        "http://10.0.0.1",
        "http://0.0.0.0:8710",
        "http://[::]:8710",
        "http://[fe80::1%25eth0]:8710",
        "http://127.1:8710",
        "http://2130706433",
        "http://0x7f000001",
        "http://127.0.0.1.:8710",
        "http://localhost.:8710",
        "http://emulator.localhost:8710",
        # Addresses that two URL parsers read in different ways.
        "https://user@api.x.com",
        "https://api.x.com@example.org",
        "http://127.0.0.1:8710@example.org",
        "http://127.0.0.1:8710\\@example.org",
        "https://example.org\\.api.x.com",
        "https://example.org#.api.x.com",
        "https://example.org?.api.x.com",
        "http://127.0.0.1:8710/?a=1",
        "http://127.0.0.1:8710/#a",
        "http://127.0.0.1:8710/a b",
        "http://127.0.0.1:8710//example.org",
        "http://127.0.0.1:8710/\r\nhost: example.org",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://[127.0.0.1",
        "http://",
        "https:///api.x.com",
        "ftp://127.0.0.1",
        "127.0.0.1:8710",
        "api.x.com",
        "",
    ],
)
def test_no_other_address_is_given_a_secret(url: str) -> None:
    with pytest.raises(UnsafeHost):
        XEndpoint(url)


def test_an_emulator_elsewhere_is_asked_by_https_where_a_setting_names_its_host() -> None:
    endpoint = XEndpoint("https://Emulator.example.org:8710", "emulator.example.org")
    assert endpoint.base_url == "https://emulator.example.org:8710"
    assert endpoint.environment is Environment.EMULATOR
    for url, host in [
        ("http://emulator.example.org", "emulator.example.org"),
        ("https://other.example.org", "emulator.example.org"),
        ("https://a.emulator.example.org", "emulator.example.org"),
        ("https://x.com", "x.com"),
        ("https://evil.x.com", "evil.x.com"),
        ("https://emulator.example.org", ""),
    ]:
        with pytest.raises(UnsafeHost):
            XEndpoint(url, host)


@pytest.mark.parametrize(
    "path", ["", "2/tweets", "//example.org", "@example.org", "/\\example.org"]
)
def test_a_path_cannot_lead_to_another_host(path: str) -> None:
    for make in (EMULATOR.url, LIVE_X.url, LIVE_X.upload_url):
        with pytest.raises(UnsafeHost):
            make(path)


def test_what_belongs_to_one_x_is_not_given_to_another() -> None:
    others = [LIVE_X, EMULATOR, XEndpoint("http://127.0.0.1:8711"), XEndpoint("http://localhost:1")]
    for one in others:
        one.require_same(one)
        for other in others:
            if other is not one:
                with pytest.raises(UnsafeHost):
                    one.require_same(other)
    LIVE_X.require_same(XEndpoint("https://api.twitter.com"))


def test_an_account_of_another_environment_is_named() -> None:
    assert EMULATOR.require_environment(Environment.EMULATOR, "@a") is EMULATOR
    assert LIVE_X.require_environment(Environment.LIVE, "@a") is LIVE_X
    with pytest.raises(UnsafeHost, match="@larkbooks belongs to the real X"):
        EMULATOR.require_environment(Environment.LIVE, "@larkbooks")
    with pytest.raises(UnsafeHost, match="@larkbooks belongs to an emulator"):
        LIVE_X.require_environment(Environment.EMULATOR, "@larkbooks")
