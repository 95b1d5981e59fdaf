"""Reads the body of an HTTP response up to a limit.

The limit applies to decompressed bytes. aiohttp decompresses in steps of bounded size, so a
response that is small on the wire but huge when decompressed (a "zip bomb") takes no more memory
than the limit. The X client and the client of the emulator's clock use this module.
"""

from typing import Final

import aiohttp

#: The largest expected body has 15 MiB: 100 posts of X's maximum length, with JSON escapes.
MAX_BODY_BYTES: Final = 32 << 20


class BodyTooLarge(aiohttp.ClientError):
    """The body of a response exceeds the limit; the connection was closed."""


async def read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body, decompressed.

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
