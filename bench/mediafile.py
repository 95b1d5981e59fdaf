"""What looking at a file in a process of its own costs, and the memory that a 512 MB video takes.

The same decoding function runs in this process and behind the pipe, in turns over one folder of
small images; the ratio is the median of at least five rounds.
"""

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from _report import Bar, report
from PIL import Image

from roost.mediafile import close, probe_media
from roost.mediafile.decode import read_media

ROUNDS = 9
IMAGES = 60
VIDEO_BYTES = 512 << 20

#: Run by a fresh interpreter, so that nothing but the probing is in its memory.
_MEASURE = """
import json, os, sys, time
from pathlib import Path
from roost import mediafile
start = time.monotonic()
file = mediafile.probe_media(sys.argv[1])
seconds = time.monotonic() - start
family = {os.getpid()} | {
    int(one.parent.name)
    for one in Path("/proc").glob("[0-9]*/stat")
    if one.read_text().rpartition(")")[2].split()[1] == str(os.getpid())
}
peaks = [Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0] for pid in family]
assert len(peaks) == 2, "the decoding process is not there"
rss_mb = sum(map(int, peaks)) / 1024
print(json.dumps({"rss_mb": rss_mb, "seconds": seconds, "bytes": file.size_bytes}))
"""


def draw_images(folder: Path) -> list[Path]:
    """Small pictures of all three types, of many sizes."""
    chance = np.random.default_rng(5)
    paths = []
    for number in range(IMAGES):
        width, height = (int(side) for side in chance.integers(160, 640, 2))
        rows, columns = np.mgrid[0:height, 0:width]
        soft = np.stack([columns * 255 / width, rows * 255 / height, (rows + columns) % 256], -1)
        grain = chance.integers(-8, 8, soft.shape)
        path = folder / f"{number}.{('jpg', 'png', 'webp')[number % 3]}"
        Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).save(path)
        paths.append(path)
    return paths


def read_in_process(path: Path) -> None:
    """What `probe` does, without a second process."""
    with path.open("rb") as file:
        read_media(file)
        file.seek(0)
        hashlib.file_digest(file, "sha256").hexdigest()


def milliseconds(look: Callable[[Path], object], path: Path) -> float:
    """How long one look takes."""
    start = time.perf_counter()
    look(path)
    return (time.perf_counter() - start) * 1000


def compare(paths: list[Path]) -> tuple[float, float]:
    """The median time for a file of the folder, behind the pipe and in this process."""
    behind = [milliseconds(probe_media, path) for path in paths]
    within = [milliseconds(read_in_process, path) for path in paths]
    return statistics.median(behind), statistics.median(within)


def draw_video(path: Path) -> None:
    """A valid H.264 video of 512 MB: a second of noise, again and again."""
    chance = np.random.default_rng(5)
    with av.open(str(path), "w") as film:
        stream = film.add_stream(
            "libx264", rate=30, options={"qp": "4", "preset": "ultrafast", "g": "1", "bf": "0"}
        )
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        second: list[bytes] = []
        for number in range(10):
            noise = chance.integers(0, 256, (720, 1280, 3)).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            second.extend(bytes(packet) for packet in stream.encode(frame))
        second.extend(bytes(packet) for packet in stream.encode())
        left, number = VIDEO_BYTES - (1 << 20), 0
        while left > 0:
            packet = av.Packet(second[number % len(second)])
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = number
            packet.duration, packet.is_keyframe = 1, True
            left -= packet.size
            number += 1
            film.mux(packet)


def measure_video(path: Path) -> dict[str, float]:
    """Peaks of memory of both processes together, as the kernel counts them."""
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, check=True, text=True
    )
    measured: dict[str, float] = json.loads(ran.stdout)
    return measured


def main() -> int:
    """Measure, print, and say by the exit code whether the bars hold."""
    with tempfile.TemporaryDirectory() as folder:
        paths = draw_images(Path(folder))
        image_kb = statistics.median(path.stat().st_size for path in paths) / 1024
        cold_ms = milliseconds(probe_media, paths[0])
        compare(paths)
        rounds = [compare(paths) for _ in range(ROUNDS)]
        close()
        film = Path(folder) / "film.mp4"
        draw_video(film)
        video = measure_video(film)
    ratio = statistics.median(behind / within for behind, within in rounds)
    bars = [
        Bar("probe_vs_inprocess", round(ratio, 3), "<=", 2),
        Bar("probe_512mb_rss_mb", round(video["rss_mb"], 1), "<=", 150),
    ]
    figures: dict[str, float | int | str] = {
        "probe_ms": round(statistics.median(behind for behind, _ in rounds), 3),
        "inprocess_ms": round(statistics.median(within for _, within in rounds), 3),
        "first_probe_ms": round(cold_ms, 1),
        "rounds": ROUNDS,
        "images": IMAGES,
        "image_kb": round(image_kb, 1),
        "video_mb": round(video["bytes"] / (1 << 20), 1),
        "video_seconds": round(video["seconds"], 2),
    }
    return report("mediafile", bars, figures, "--json" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
