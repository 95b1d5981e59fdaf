"""The decoding processes: limited, replaced, and gone with the one they work for."""

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
    """Each test begins and ends without a warm process."""
    mediafile.close()
    yield
    mediafile.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    draw_image().save(path)
    return path


def children_of(parent: int) -> list[int]:
    """The decoding processes that a process has started, without their forks."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
            if int(status[1]) == parent and b"roost.mediafile.child" in command:
                found.append(int(folder.name))
    return found


def only_child() -> int:
    (pid,) = children_of(os.getpid())
    return pid


def descriptors_of(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/fd").iterdir())


def test_warm_process_serves_the_next_file(picture: Path) -> None:
    mediafile.probe(picture)
    first = only_child()
    mediafile.probe(picture)
    assert only_child() == first


def test_close_ends_the_waiting_process(picture: Path) -> None:
    mediafile.probe(picture)
    mediafile.close()
    assert children_of(os.getpid()) == []


def test_killed_while_idle_is_replaced(picture: Path) -> None:
    mediafile.probe(picture)
    os.kill(only_child(), signal.SIGKILL)
    assert mediafile.probe(picture).width == 64


def test_process_has_limits_and_an_empty_environment(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWITTER_CLIENT_SECRET", "platform-secret")
    mediafile.probe(picture)
    folder = Path(f"/proc/{only_child()}")
    limits = (folder / "limits").read_text()
    assert f"Max address space         {512 << 20}" in limits
    assert "Max core file size        0" in limits
    assert (folder / "environ").read_bytes() == b""


def test_each_file_has_a_confined_process_of_its_own(tmp_path: Path) -> None:
    """Two files, of two tenants perhaps: what the first does to a decoder ends with it."""
    seen = []
    for name in ("one.gif", "two.gif"):
        long = save_gif(tmp_path / name, 1000, 800, frames=200)
        fork: dict[str, Any] = {}
        while not fork:  # A quick decoder may have ended before it is seen.
            for working in while_probed(long):
                with contextlib.suppress(OSError):
                    fork = look_at(working) or fork
        seen.append(fork)
    first, second = seen
    assert first["pid"] != second["pid"]
    for fork in seen:
        assert fork["environ"] == b""
        assert fork["status"]["NoNewPrivs"] == "1"
        assert "socket" not in str(fork["held"])
        if os.geteuid() == 0:
            assert {61_184 <= int(uid) < 65_520 for uid in fork["status"]["Uid"].split()} == {True}
            assert {61_184 <= int(gid) < 65_520 for gid in fork["status"]["Gid"].split()} == {True}
            assert fork["status"]["Groups"].strip() == ""
            assert int(fork["status"]["CapEff"], 16) == 0
    if os.geteuid() == 0:
        assert first["status"]["Uid"] != second["status"]["Uid"]
    assert not Path(f"/proc/{first['pid']}").exists()


def look_at(pid: int) -> dict[str, Any]:
    """What a fork may and holds; nothing where it is just about to be confined."""
    folder = Path(f"/proc/{pid}")
    if not re.search(r"Max open files +0 ", (folder / "limits").read_text()):
        return {}
    lines = (folder / "status").read_text().splitlines()
    return {
        "pid": pid,
        "status": dict(line.split(":\t", 1) for line in lines),
        "environ": (folder / "environ").read_bytes(),
        "held": [one.readlink().name for one in descriptors_of(pid)],
    }


def test_nothing_is_loaded_or_opened_once_confined(tmp_path: Path) -> None:
    """What a decoder loads late it could not: every kind of file, in this process for once."""
    files = save_every_kind(tmp_path)
    program = (
        "import io, json, sys; from roost.mediafile import child, decode, reencode;"
        " from roost.mediafile.facts import Refusal; child.load_lazy_modules();"
        " loaded = set(sys.modules); prepare = reencode.prepare_image;"
        " limits = dict(most_bytes=3000, smallest_side=4, largest_side=8192)\n"
        "for name in sys.argv[1:]:\n"
        "    for keep in (False, True):\n"
        "        with open(name, 'rb') as file:\n"
        "            decode.read_media(file)\n"
        "            try: prepare(file, io.BytesIO(), keep_location=keep, **limits)\n"
        "            except Refusal: pass\n"
        "print(json.dumps(sorted(set(sys.modules) - loaded)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *map(str, files)], capture_output=True, check=True
    )
    assert ran.stdout == b"[]\n"


def test_process_holds_no_file_of_its_parent(picture: Path, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        mediafile.probe(picture)
        held = [str(one.readlink()) for one in descriptors_of(only_child())]
    assert not [one for one in held if str(tmp_path) in one]


def test_decoder_that_dies_is_one_refusal(tmp_path: Path, picture: Path) -> None:
    refusal = interrupted(signal.SIGKILL, tmp_path)
    assert refusal.facts["reason"] == "decoder_died"
    assert mediafile.probe(picture).width == 64


def test_decoder_that_uses_up_its_time_is_one_refusal(tmp_path: Path, picture: Path) -> None:
    refusal = interrupted(signal.SIGXCPU, tmp_path)
    assert refusal.facts["reason"] == "decoder_too_slow"
    assert mediafile.probe(picture).width == 64


def test_decoder_that_hangs_is_one_refusal(tmp_path: Path, picture: Path) -> None:
    refusal = interrupted(signal.SIGSTOP, tmp_path)
    assert refusal.facts["reason"] == "decoder_too_slow"
    assert children_of(os.getpid()) == []
    assert mediafile.probe(picture).width == 64


def interrupted(by: signal.Signals, folder: Path) -> MediaUnreadable:
    """The refusal of a file whose decoder, a fresh one, meets a signal while it works."""
    long = save_gif(folder / "long.gif", 1000, 800, frames=200)
    refusals: list[MediaUnreadable] = []
    while not refusals:  # A busy machine may find the decoder only when it has finished.
        signalled: set[int] = set()
        for working in while_probed(long, refusals):
            if working not in signalled:
                signalled.add(working)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(working, by)
    return refusals[0]


def while_probed(path: Path, refusals: list[MediaUnreadable] | None = None) -> Iterator[int]:
    """The forks that have a file open, seen again and again until it has been read."""

    def probe() -> None:
        try:
            mediafile.probe(path)
        except MediaUnreadable as refused:
            if refusals is not None:
                refusals.append(refused)

    probing = threading.Thread(target=probe)
    probing.start()
    while probing.is_alive():
        yield from forks_with(path)
    probing.join()


def forks_with(path: Path) -> list[int]:
    """The forks of the decoding processes that have a file open."""
    found = []
    for child in children_of(os.getpid()):
        for pid in children_of(child):
            with contextlib.suppress(OSError):
                if path in [one.readlink() for one in descriptors_of(pid)]:
                    found.append(pid)
    return found


def test_processes_end_with_their_parent(picture: Path) -> None:
    program = (
        f"from roost import mediafile; mediafile.probe({str(picture)!r}); input(print('probed'))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"probed\n"
        (child,) = children_of(parent.pid)
        ended = os.pidfd_open(child)
        parent.kill()
    try:
        assert select.select([ended], [], [], 10)[0]
    finally:
        os.close(ended)


def test_forked_program_starts_its_own(picture: Path) -> None:
    mediafile.probe(picture)
    mine = only_child()
    pid = os.fork()
    if pid == 0:
        try:
            mediafile.probe(picture)
            own = only_child()
            mediafile.close()
            os._exit(0 if own != mine else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    mediafile.probe(picture)
    assert only_child() == mine


async def test_programs_of_an_event_loop_probe_in_threads(picture: Path) -> None:
    probes = (asyncio.to_thread(mediafile.probe, picture) for _ in range(40))
    files = await asyncio.gather(*probes)
    assert {file.sha256 for file in files} == {files[0].sha256}
    assert len(children_of(os.getpid())) <= 2


def test_no_descriptor_is_left_open(tmp_path: Path, picture: Path) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(picture.read_bytes()[:-40])
    before = len(descriptors_of(os.getpid()))
    for _ in range(20):
        mediafile.probe(picture)
        with pytest.raises(MediaUnreadable):
            mediafile.probe(damaged)
        with pytest.raises(MediaUnreadable):
            mediafile.probe(tmp_path)
    inside = len(descriptors_of(only_child()))
    assert inside <= 4
    mediafile.close()
    assert len(descriptors_of(os.getpid())) == before


def test_memory_stays_below_its_bound(tmp_path: Path) -> None:
    colours = Image.new("RGBA", (7000, 7000), (200, 120, 40, 128))
    colours.save(tmp_path / "wide.png", compress_level=1)
    colours.resize((4800, 4900)).save(tmp_path / "deep.webp", lossless=True, quality=0, method=0)
    slow = tmp_path / "slow.jpg"
    colours.convert("RGB").save(slow, progressive=True, subsampling=0)
    for name, width in (("wide.png", 7000), ("deep.webp", 4800), ("slow.jpg", 7000)):
        assert mediafile.probe(tmp_path / name).width == width
        status = Path(f"/proc/{only_child()}/status").read_text()
        peak_kb = int(status.split("VmHWM:")[1].split()[0])
        assert peak_kb < 512 << 10
    save_video(tmp_path / "film.mp4")
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mediafile.probe(tmp_path / "film.mp4")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 16 << 10


def test_import_loads_no_decoder_and_no_network() -> None:
    heavy = ("PIL", "av", "numpy", "asyncio", "aiohttp", "pydantic", "psycopg", "sqlalchemy", "ssl")
    program = f"import sys, roost.mediafile; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout == b"[]\n"


def test_folder_of_the_caller_lends_no_module(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "av.py").write_text("raise SystemExit('taken over')")
    program = f"from roost import mediafile; print(mediafile.probe({str(picture)!r}).width)"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, check=True
    )
    assert ran.stdout == b"64\n"
