"""Benchmark `probe_media`, which decodes a media file in another process to validate it.

For small images, the time of `probe_media` is compared with the time of the same decoding function
in this process. The ratio of the two times is the median of at least five rounds. For a video of
512 MB, the time and the memory of `probe_media` are measured.
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
from PIL import Image

from harness.report import Threshold, report
from roost.mediafile import close, probe_media
from roost.mediafile.decode import read_media

ROUNDS = 9
IMAGES = 60
VIDEO_BYTES = 512 << 20

#: A program for a new interpreter, so that the measured memory is that of the probe alone.
_MEASURE = """
import json, os, sys, time
from pathlib import Path
from roost import mediafile
start = time.monotonic()
file = mediafile.probe_media(sys.argv[1])
seconds = time.monotonic() - start
pids = {os.getpid()} | {
    int(one.parent.name)
    for one in Path("/proc").glob("[0-9]*/stat")
    if one.read_text().rpartition(")")[2].split()[1] == str(os.getpid())
}
peaks = [Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0] for pid in pids]
assert len(peaks) == 2, "the decoding process is missing"
rss_mb = sum(map(int, peaks)) / 1024
print(json.dumps({"rss_mb": rss_mb, "seconds": seconds, "bytes": file.size_bytes}))
"""


def draw_images(folder: Path) -> list[Path]:
    """Draw small JPEG, PNG and WebP images of many sizes; return their paths."""
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
    """Decode a file as `probe_media` does, but in this process."""
    with path.open("rb") as file:
        read_media(file)
        file.seek(0)
        hashlib.file_digest(file, "sha256").hexdigest()


def measure_ms(read: Callable[[Path], object], path: Path) -> float:
    """Return the wall milliseconds that `read` takes for a file."""
    start = time.perf_counter()
    read(path)
    return (time.perf_counter() - start) * 1000


def measure_medians_ms(paths: list[Path]) -> tuple[float, float]:
    """Return the median milliseconds for an image: in another process, and in this process."""
    other_process = [measure_ms(probe_media, path) for path in paths]
    this_process = [measure_ms(read_in_process, path) for path in paths]
    return statistics.median(other_process), statistics.median(this_process)


def draw_video(path: Path) -> None:
    """Write a valid H.264 video of 512 MB, which repeats one second of noise."""
    chance = np.random.default_rng(5)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=30, options={"qp": "4", "preset": "ultrafast", "g": "1", "bf": "0"}
        )
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        packets: list[bytes] = []
        for number in range(10):
            noise = chance.integers(0, 256, (720, 1280, 3)).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            packets.extend(bytes(packet) for packet in stream.encode(frame))
        packets.extend(bytes(packet) for packet in stream.encode())
        bytes_left, number = VIDEO_BYTES - (1 << 20), 0
        while bytes_left > 0:
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = number
            packet.duration, packet.is_keyframe = 1, True
            bytes_left -= packet.size
            number += 1
            container.mux(packet)


def measure_video(path: Path) -> dict[str, float]:
    """Measure the time of a probe, and the peak memory of its two processes together.

    The two processes are the program in `_MEASURE` and the decoder process that it starts. The
    kernel reports their peak memory (VmHWM).
    """
    process = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, check=True, text=True
    )
    measured: dict[str, float] = json.loads(process.stdout)
    return measured


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    with tempfile.TemporaryDirectory() as folder:
        paths = draw_images(Path(folder))
        image_kb = statistics.median(path.stat().st_size for path in paths) / 1024
        cold_ms = measure_ms(probe_media, paths[0])
        measure_medians_ms(paths)
        rounds = [measure_medians_ms(paths) for _ in range(ROUNDS)]
        close()
        video_file = Path(folder) / "video.mp4"
        draw_video(video_file)
        video = measure_video(video_file)
    ratio = statistics.median(other / this for other, this in rounds)
    thresholds = [
        Threshold("probe_vs_inprocess", round(ratio, 3), "<=", 2),
        Threshold("probe_512mb_rss_mb", round(video["rss_mb"], 1), "<=", 150),
    ]
    figures: dict[str, float | int | str] = {
        "probe_ms": round(statistics.median(other for other, _ in rounds), 3),
        "inprocess_ms": round(statistics.median(this for _, this in rounds), 3),
        "first_probe_ms": round(cold_ms, 1),
        "rounds": ROUNDS,
        "images": IMAGES,
        "image_kb": round(image_kb, 1),
        "video_mb": round(video["bytes"] / (1 << 20), 1),
        "video_seconds": round(video["seconds"], 2),
    }
    return report("mediafile", thresholds, figures, "--json" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
