"""Fixtures for tests of the emulator: a connected account, and valid media files."""

import io

import av
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from emulator.account import Account, connect
from fix_emulator import Emulator


@pytest_asyncio.fixture
async def account(emulator: Emulator) -> Account:
    """The scenario's first account, connected to an app."""
    return await connect(emulator, 0)


@pytest.fixture(scope="session")
def png() -> bytes:
    """The content of a small PNG file."""
    return picture("PNG")


def picture(kind: str, size: tuple[int, int] = (64, 48), shade: int = 90) -> bytes:
    """Return the content of an image file in the format `kind`."""
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 120, 200)).save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="session")
def gif() -> bytes:
    """The content of an animated GIF with three frames."""
    frames = [Image.new("P", (64, 48), shade) for shade in (10, 120, 230)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


@pytest.fixture(scope="session")
def mp4() -> bytes:
    """The content of a video that lasts one second and has 25 frames."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        noise = np.random.default_rng(1)
        for _ in range(25):
            pixels = noise.integers(0, 255, (120, 160, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    return out.getvalue()
