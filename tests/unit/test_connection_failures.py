"""`describe_connection_failure` says in words why a request got no response."""

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from roost.connection_failures import describe_connection_failure

KEY = ConnectionKey("x.invalid", 443, True, True, None, None, None)
REFUSED = OSError(111, "Connect call failed ('192.0.2.1', 443)")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ClientConnectorDNSError(KEY, OSError()), "no address was found for its host name"),
        (aiohttp.ClientConnectorError(KEY, REFUSED), "no connection: Connection refused"),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ValueError()),
            "its TLS certificate is not valid",
        ),
        (aiohttp.ClientConnectorSSLError(KEY, OSError()), "no TLS connection could be established"),
        (aiohttp.ServerTimeoutError(), "no response in time"),
        (
            aiohttp.ServerDisconnectedError(),
            "the connection was closed without a response",
        ),
        (aiohttp.ClientPayloadError("b'secret'"), "the response is not valid HTTP"),
        (aiohttp.ClientError("secret"), "the connection failed"),
    ],
)
def test_failure_is_described_in_words(error: aiohttp.ClientError, words: str) -> None:
    assert describe_connection_failure(error) == words
