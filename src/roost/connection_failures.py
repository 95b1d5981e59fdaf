"""Describes failed HTTP requests without the HTTP library's own terms. Pure."""

import aiohttp

from roost.ports import describe_os_error


def describe_connection_failure(error: aiohttp.ClientError | TimeoutError) -> str:
    """Return why a request got no response, as a phrase such as `no response in time`.

    The library's own message is not used, because it contains addresses and parts of responses.
    """
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "no address was found for its host name"
        case aiohttp.ClientConnectorCertificateError():
            return "its TLS certificate is not valid"
        case aiohttp.ClientSSLError():
            return "no TLS connection could be established"
        case aiohttp.ClientConnectorError():
            return f"no connection: {describe_os_error(error.os_error)}"
        case TimeoutError():
            return "no response in time"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed without a response"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "the response is not valid HTTP"
    return "the connection failed"
