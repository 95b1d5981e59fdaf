"""Media files for upload tests."""

import io
from pathlib import Path

import av
import numpy as np
from PIL import Image


def noise_png(width: int, height: int, seed: int = 1) -> bytes:
    """Return an incompressible image; its size depends only on width and height."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=0)
    return out.getvalue()


def save_clip(path: Path) -> Path:
    """Save one second of video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        noise = np.random.default_rng(2)
        for _ in range(25):
            pixels = noise.integers(0, 255, (120, 160, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    return path
