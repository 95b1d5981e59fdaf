"""Reads the body of an HTTP response up to a limit.

The limit holds for the unpacked bytes. aiohttp unpacks in steps of bounded size, so a response
that is small on the wire and huge unpacked (a "zip bomb") costs no more memory than the limit.
The client for X and the emulator's clock use it.
"""

from typing import Final

import aiohttp

#: A full page of 100 of X's longest posts, escaped, is 15 MiB.
MAX_BODY_BYTES: Final = 32 << 20


class BodyTooLarge(aiohttp.ClientError):
    """A response's body exceeds the limit; its connection was closed."""


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body, unpacked.

    Raises: BodyTooLarge, aiohttp.ClientError, TimeoutError.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            response.close()
            raise BodyTooLarge
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
