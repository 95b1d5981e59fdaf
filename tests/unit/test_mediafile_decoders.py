"""Decoder processes: their limits and sandbox, their replacement, and their exit."""

import asyncio
import contextlib
import os
import re
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fix_media import draw_image, save_every_kind, save_gif, save_video
from roost import mediafile
from roost.errors import MediaUnreadable

linux_only = pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
pytestmark = [pytest.mark.timing, linux_only]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Start and end each test without an idle decoder process."""
    mediafile.close()
    yield
    mediafile.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    draw_image().save(path)
    return path


def children_of(parent: int) -> list[int]:
    """Return the decoder processes that a process has started, but not the forks of these."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
            if int(status[1]) == parent and b"roost.mediafile.decoder_process" in command:
                found.append(int(folder.name))
    return found


def only_child() -> int:
    (pid,) = children_of(os.getpid())
    return pid


def descriptors_of(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/fd").iterdir())


def test_decoder_process_serves_the_next_file(picture: Path) -> None:
    mediafile.probe_media(picture)
    first = only_child()
    mediafile.probe_media(picture)
    assert only_child() == first


def test_close_kills_the_idle_process(picture: Path) -> None:
    mediafile.probe_media(picture)
    mediafile.close()
    assert children_of(os.getpid()) == []


def test_decoder_process_is_replaced__killed_while_idle(picture: Path) -> None:
    mediafile.probe_media(picture)
    os.kill(only_child(), signal.SIGKILL)
    assert mediafile.probe_media(picture).width == 64


def test_decoder_process_has_limits_and_an_empty_environment(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWITTER_CLIENT_SECRET", "platform-secret")
    mediafile.probe_media(picture)
    folder = Path(f"/proc/{only_child()}")
    limits = (folder / "limits").read_text()
    assert f"Max address space         {512 << 20}" in limits
    assert "Max core file size        0" in limits
    assert (folder / "environ").read_bytes() == b""


def test_decoder_uses_one_sandboxed_fork_for_each_file(tmp_path: Path) -> None:
    """The files may belong to two tenants, so the first file must not affect the second."""
    forks = []
    for name in ("one.gif", "two.gif"):
        long = save_gif(tmp_path / name, 1000, 800, frames=200)
        fork: dict[str, Any] = {}
        while not fork:  # A fast fork may exit before the test finds it.
            for pid in forks_during_probe(long):
                with contextlib.suppress(OSError):
                    fork = inspect_fork(pid) or fork
        forks.append(fork)
    first, second = forks
    assert first["pid"] != second["pid"]
    for fork in forks:
        assert fork["environ"] == b""
        assert fork["status"]["NoNewPrivs"] == "1"
        assert "socket" not in str(fork["open_files"])
        if os.geteuid() == 0:
            assert {61_184 <= int(uid) < 65_520 for uid in fork["status"]["Uid"].split()} == {True}
            assert {61_184 <= int(gid) < 65_520 for gid in fork["status"]["Gid"].split()} == {True}
            assert fork["status"]["Groups"].strip() == ""
            assert int(fork["status"]["CapEff"], 16) == 0
    if os.geteuid() == 0:
        assert first["status"]["Uid"] != second["status"]["Uid"]
    assert not Path(f"/proc/{first['pid']}").exists()


def inspect_fork(pid: int) -> dict[str, Any]:
    """Return the rights and open files of a fork; empty until the fork has a sandbox."""
    folder = Path(f"/proc/{pid}")
    if not re.search(r"Max open files +0 ", (folder / "limits").read_text()):
        return {}
    lines = (folder / "status").read_text().splitlines()
    return {
        "pid": pid,
        "status": dict(line.split(":\t", 1) for line in lines),
        "environ": (folder / "environ").read_bytes(),
        "open_files": [descriptor.readlink().name for descriptor in descriptors_of(pid)],
    }


def test_decoder_loads_no_module_inside_the_sandbox(tmp_path: Path) -> None:
    """The test decodes every kind of file outside a sandbox, and lists the modules that load."""
    files = save_every_kind(tmp_path)
    program = (
        "import io, json, sys; from roost.mediafile import decode, decoder_process, reencode;"
        " from roost.mediafile.media_info import Refusal; decoder_process.preload_modules();"
        " loaded = set(sys.modules); prepare = reencode.reencode_image;"
        " limits = dict(max_bytes=3000, min_side=4, max_side=8192)\n"
        "for name in sys.argv[1:]:\n"
        "    for keep in (False, True):\n"
        "        with open(name, 'rb') as file:\n"
        "            decode.read_media(file)\n"
        "            try: prepare(file, io.BytesIO(), keep_location=keep, **limits)\n"
        "            except Refusal: pass\n"
        "print(json.dumps(sorted(set(sys.modules) - loaded)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, files)], capture_output=True, check=True
    )
    assert result.stdout == b"[]\n"


def test_decoder_process_inherits_no_file(picture: Path, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        mediafile.probe_media(picture)
        paths = [str(descriptor.readlink()) for descriptor in descriptors_of(only_child())]
    assert not [path for path in paths if str(tmp_path) in path]


def test_probe_media_refuses_one_file__decoder_died(tmp_path: Path, picture: Path) -> None:
    refusal = refusal_after(signal.SIGKILL, tmp_path)
    assert refusal.facts["reason"] == "decoder_died"
    assert mediafile.probe_media(picture).width == 64


def test_probe_media_refuses_one_file__decoder_out_of_cpu_time(
    tmp_path: Path, picture: Path
) -> None:
    refusal = refusal_after(signal.SIGXCPU, tmp_path)
    assert refusal.facts["reason"] == "decoder_too_slow"
    assert mediafile.probe_media(picture).width == 64


def test_probe_media_refuses_one_file__decoder_hangs(tmp_path: Path, picture: Path) -> None:
    refusal = refusal_after(signal.SIGSTOP, tmp_path)
    assert refusal.facts["reason"] == "decoder_too_slow"
    assert children_of(os.getpid()) == []
    assert mediafile.probe_media(picture).width == 64


def refusal_after(number: signal.Signals, folder: Path) -> MediaUnreadable:
    """Send a signal to the fork that decodes a file, and return the refusal of the file."""
    long = save_gif(folder / "long.gif", 1000, 800, frames=200)
    refusals: list[MediaUnreadable] = []
    while not refusals:  # The fork may finish before the test finds it.
        signalled: set[int] = set()
        for pid in forks_during_probe(long, refusals):
            if pid not in signalled:
                signalled.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
    return refusals[0]


def forks_during_probe(path: Path, refusals: list[MediaUnreadable] | None = None) -> Iterator[int]:
    """Probe a file in a thread; until the probe ends, yield the forks that have the file open."""

    def probe() -> None:
        try:
            mediafile.probe_media(path)
        except MediaUnreadable as refused:
            if refusals is not None:
                refusals.append(refused)

    probing = threading.Thread(target=probe)
    probing.start()
    while probing.is_alive():
        yield from forks_with(path)
    probing.join()


def forks_with(path: Path) -> list[int]:
    """Return the forks of the decoder processes that have a file open."""
    found = []
    for child in children_of(os.getpid()):
        for pid in children_of(child):
            with contextlib.suppress(OSError):
                if path in [one.readlink() for one in descriptors_of(pid)]:
                    found.append(pid)
    return found


def test_decoder_process_exits_with_its_parent(picture: Path) -> None:
    probe = f"mediafile.probe_media({str(picture)!r})"
    program = f"from roost import mediafile; {probe}; input(print('probed'))"
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"probed\n"
        (child,) = children_of(parent.pid)
        process = os.pidfd_open(child)
        parent.kill()
    try:
        assert select.select([process], [], [], 10)[0]
    finally:
        os.close(process)


def test_decoder_pool_is_reset_after_a_fork(picture: Path) -> None:
    mediafile.probe_media(picture)
    parents_child = only_child()
    pid = os.fork()
    if pid == 0:
        try:
            mediafile.probe_media(picture)
            own_child = only_child()
            mediafile.close()
            os._exit(0 if own_child != parents_child else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    mediafile.probe_media(picture)
    assert only_child() == parents_child


async def test_probe_media_runs_in_threads_of_an_event_loop(picture: Path) -> None:
    probes = (asyncio.to_thread(mediafile.probe_media, picture) for _ in range(40))
    files = await asyncio.gather(*probes)
    assert {file.sha256 for file in files} == {files[0].sha256}
    assert len(children_of(os.getpid())) <= 2


def test_probe_media_leaks_no_descriptor(tmp_path: Path, picture: Path) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(picture.read_bytes()[:-40])
    before = len(descriptors_of(os.getpid()))
    for _ in range(20):
        mediafile.probe_media(picture)
        with pytest.raises(MediaUnreadable):
            mediafile.probe_media(damaged)
        with pytest.raises(MediaUnreadable):
            mediafile.probe_media(tmp_path)
    inside = len(descriptors_of(only_child()))
    assert inside <= 4
    mediafile.close()
    assert len(descriptors_of(os.getpid())) == before


def test_decoder_process_stays_below_its_memory_limit(tmp_path: Path) -> None:
    colours = Image.new("RGBA", (7000, 7000), (200, 120, 40, 128))
    colours.save(tmp_path / "wide.png", compress_level=1)
    colours.resize((4800, 4900)).save(tmp_path / "deep.webp", lossless=True, quality=0, method=0)
    slow = tmp_path / "slow.jpg"
    colours.convert("RGB").save(slow, progressive=True, subsampling=0)
    for name, width in (("wide.png", 7000), ("deep.webp", 4800), ("slow.jpg", 7000)):
        assert mediafile.probe_media(tmp_path / name).width == width
        status = Path(f"/proc/{only_child()}/status").read_text()
        peak_kb = int(status.split("VmHWM:")[1].split()[0])
        assert peak_kb < 512 << 10
    save_video(tmp_path / "video.mp4")
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mediafile.probe_media(tmp_path / "video.mp4")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 16 << 10


def test_import_of_mediafile_loads_no_decoder_or_network_library() -> None:
    heavy = ("PIL", "av", "numpy", "asyncio", "aiohttp", "pydantic", "psycopg", "sqlalchemy", "ssl")
    program = f"import sys, roost.mediafile; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert result.stdout == b"[]\n"


def test_decoder_process_imports_nothing_from_the_working_directory(
    tmp_path: Path, picture: Path
) -> None:
    (tmp_path / "av.py").write_text("raise SystemExit('taken over')")
    program = f"from roost import mediafile; print(mediafile.probe_media({str(picture)!r}).width)"
    result = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, check=True
    )
    assert result.stdout == b"64\n"
