"""Benchmark the upload of a 512 MB file against `sendfile`, and check its bytes.

The baseline sends equal multipart bodies with `sendfile`. Both send to a sink, a process that reads
and discards the bodies. Upload and baseline run in turns, each in a new process that measures its
own time. The file is always in the page cache. The result is the median ratio of an upload's time
to the time of the baseline before it. In a last upload, the sink reads slowly, fails one segment in
ten, and hashes each segment. The hashes are compared with those of the file.
"""

import argparse
import asyncio
import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from harness.report import Threshold, report
from roost import x

MIB = 1024 * 1024
FILE_BYTES = 512 * MIB
SEGMENT_BYTES = 4 * MIB
ROUNDS = 7
_MEDIA_ID = "1880028106020515840"
_READ = 256 * 1024
_SLOW_READ = 64 * 1024
_UPLOAD = {"data": {"id": _MEDIA_ID, "media_key": f"13_{_MEDIA_ID}", "expires_after_secs": 86_400}}


@dataclass
class Head:
    """The first line and headers of a request, with the beginning of its body."""

    path: str
    headers: dict[str, str]
    early: bytes

    @property
    def left(self) -> int:
        """The number of bytes of the body that have not arrived yet."""
        return int(self.headers["content-length"]) - len(self.early)


@dataclass
class Sink:
    """A server that records the requests that it receives.

    With `verifies`, the server hashes each segment, reads slowly, and fails one segment in ten.
    """

    verifies: bool
    segments: int = 0
    failed: int = 0
    digests: dict[int, tuple[str, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, connection: socket.socket) -> None:
        """Respond to the requests of a connection until the connection ends or must be cut."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = memoryview(bytearray(_READ))
        with connection:
            while (head := _read_head(connection)) is not None:
                if self.verifies and head.path.endswith("/append"):
                    response = self._verify(connection, head)
                else:
                    left = head.left
                    while left:
                        left -= connection.recv_into(buffer, min(left, _READ))
                    response = _response(200, _UPLOAD)
                if response is None:
                    return
                connection.sendall(response)

    def _verify(self, connection: socket.socket, head: Head) -> bytes | None:
        """Return the response to a segment, or None to cut the connection.

        One segment in ten fails: alternately, the segment is refused or the connection is cut.
        """
        with self.lock:
            self.segments += 1
            number = self.segments
            self.failed += number % 10 == 0
        is_cut = number % 20 == 0
        body, left = bytearray(head.early), head.left // 2 if is_cut else head.left
        while left and (piece := connection.recv(min(left, _SLOW_READ))):
            left -= len(piece)
            body += piece
            time.sleep(0.0005)
        if left or is_cut:
            return None
        if number % 10 == 0:
            return _response(503, {"title": "Service Unavailable", "status": 503})
        index, media = _read_segment(head.headers["content-type"], bytes(body))
        with self.lock:
            self.digests[index] = (hashlib.sha256(media).hexdigest(), len(media))
        return _response(200, {"data": {"expires_at": 1_900_000_000}})


def _read_head(connection: socket.socket) -> Head | None:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(16 * 1024)
        if not piece:
            return None
        received += piece
    head, _, early = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = (line.partition(": ") for line in lines)
    return Head(first.split(" ")[1], {name.lower(): value for name, _, value in headers}, early)


def _read_segment(content_type: str, body: bytes) -> tuple[int, bytes]:
    boundary = content_type.partition("boundary=")[2].encode()
    fields, _, rest = body.partition(b'name="media"')
    index = fields.partition(b'name="segment_index"\r\n\r\n')[2].partition(b"\r\n")[0]
    end = b"\r\n--" + boundary + b"--\r\n"
    return int(index), rest.partition(b"\r\n\r\n")[2].removesuffix(end)


def _response(status: int, body: object) -> bytes:
    encoded = json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
        f"content-length: {len(encoded)}\r\n\r\n"
    ).encode() + encoded


def serve(*, verifies: bool) -> None:
    """Run the sink until standard input ends, then print the totals that arrived."""
    sink = Sink(verifies)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=sink.serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    print(json.dumps({"failed": sink.failed, "digests": sink.digests}))


def send_baseline(url: str, path: Path) -> dict[str, float]:
    """Send the bodies of the upload with `sendfile`, one after the other on one connection."""
    address = urlsplit(url)
    with (
        path.open("rb") as file,
        socket.create_connection((address.hostname or "", address.port or 80)) as connection,
    ):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        for index, offset in enumerate(range(0, path.stat().st_size, SEGMENT_BYTES)):
            boundary = f"{index:032x}"
            named = f"--{boundary}\r\nContent-Disposition: form-data; name="
            head = f'{named}"segment_index"\r\n\r\n{index}\r\n{named}"media"; filename="segment"'
            head += "\r\nContent-Type: application/octet-stream\r\n\r\n"
            tail = f"\r\n--{boundary}--\r\n".encode()
            length = min(SEGMENT_BYTES, path.stat().st_size - offset)
            connection.sendall(
                (
                    f"POST /2/media/upload/{_MEDIA_ID}/append HTTP/1.1\r\nHost: sink\r\n"
                    f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
                    f"Content-Length: {len(head) + length + len(tail)}\r\n\r\n{head}"
                ).encode(),
                socket.MSG_MORE,
            )
            end = offset + length
            while offset < end:
                offset += os.sendfile(connection.fileno(), file.fileno(), offset, end - offset)
            connection.sendall(tail)
            assert connection.recv(16 * 1024).startswith(b"HTTP/1.1 200")
        return {"seconds": time.perf_counter() - began}


async def send_upload(url: str, path: Path) -> dict[str, float]:
    """Upload the file with `roost.x.media`, as a program would."""
    async with aiohttp.ClientSession() as session:
        client = x.Client(x.FixedToken("a token", x.XEndpoint(url)), session=session)
        began = time.perf_counter()
        await x.media.upload(client, path, mime_type="video/mp4", category="tweet_video")
        seconds = time.perf_counter() - began
    # VmHWM is the peak memory of this program alone; `getrusage` would include its parent's peak.
    peak_kb = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
    return {"seconds": seconds, "peak_rss_mb": int(peak_kb) / 1024}


@contextmanager
def run_sink(*, verifies: bool) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run a sink in another process; yield the sink's URL and its process."""
    command = [sys.executable, __file__, "--sink", "verify" if verifies else "discard"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}", process
    finally:
        process.kill()
        process.wait()


def run_measurement(name: str, url: str, path: Path) -> dict[str, Any]:
    """Run a measurement in a new process, and return its result."""
    command = [sys.executable, __file__, f"--{name}", url, "--file", str(path)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    measured: dict[str, Any] = json.loads(output)
    return measured


def count_corrupted(path: Path) -> tuple[int, int]:
    """Upload the file to a sink that fails some segments; check what has arrived.

    Returns the number of bytes that were changed or did not arrive, and the number of segments that
    failed.
    """
    with run_sink(verifies=True) as (url, process):
        run_measurement("upload", url, path)
        output, _ = process.communicate()
    received = json.loads(output)
    corrupted = 0
    with path.open("rb") as file:
        for index in range(-(-path.stat().st_size // SEGMENT_BYTES)):
            segment = file.read(SEGMENT_BYTES)
            expected = [hashlib.sha256(segment).hexdigest(), len(segment)]
            if received["digests"].pop(str(index), None) != expected:
                corrupted += len(segment)
    corrupted += sum(length for _, length in received["digests"].values())
    return corrupted, received["failed"]


def write_noise(path: Path) -> None:
    """Write a file of noise, in which all segments differ."""
    with path.open("wb") as file:
        for _ in range(FILE_BYTES // MIB):
            file.write(os.urandom(MIB))


def measure(rounds: int) -> tuple[list[Threshold], dict[str, float | int | str]]:
    """Run all measurements, and return thresholds and figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.mp4"
        write_noise(path)
        baselines, uploads = [], []
        with run_sink(verifies=False) as (url, _):
            # This run is not measured. It reads the file into the page cache.
            run_measurement("baseline", url, path)
            for _ in range(rounds):
                baselines.append(run_measurement("baseline", url, path))
                uploads.append(run_measurement("upload", url, path))
        corrupted, failed = count_corrupted(path)
    pairs = [(u["seconds"] / b["seconds"]) for b, u in zip(baselines, uploads, strict=True)]
    thresholds = [
        Threshold("upload_vs_floor", statistics.median(pairs), "<=", 2.0),
        Threshold("upload_peak_rss_mb", max(u["peak_rss_mb"] for u in uploads), "<=", 80),
        Threshold("bytes_corrupted", corrupted, "==", 0),
    ]
    figures: dict[str, float | int | str] = {
        "file_mb": FILE_BYTES // MIB,
        "baseline_s": statistics.median(b["seconds"] for b in baselines),
        "upload_s": statistics.median(u["seconds"] for u in uploads),
        "best_pair": min(pairs),
        "worst_pair": max(pairs),
        "segments_failed": failed,
    }
    return thresholds, figures


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark uploads.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sink", choices=["verify", "discard"], help="only run the sink")
    parser.add_argument("--baseline", metavar="URL", help="only send the bodies of the baseline")
    parser.add_argument("--upload", metavar="URL", help="only upload")
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    if arguments.sink:
        serve(verifies=arguments.sink == "verify")
    elif arguments.baseline:
        print(json.dumps(send_baseline(arguments.baseline, arguments.file)))
    elif arguments.upload:
        print(json.dumps(asyncio.run(send_upload(arguments.upload, arguments.file))))
    else:
        return report("upload", *measure(arguments.rounds), arguments.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
