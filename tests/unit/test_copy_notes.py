"""Copying a large file reports each quarter once; copying a small file reports nothing."""

from pathlib import Path

import pytest

from roost.cli.output import CopyProgress

MIB = 1 << 20


def test_copy_of_a_large_file_reports_each_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    note = CopyProgress()
    for name in ("a\nb.mp4", "c.mp4"):
        for done in range(8, 129, 8):
            note(Path("films") / name, done * MIB, 128 * MIB)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"{name}: {done} of 128 MB copied"
        for name in ("a\\nb.mp4", "c.mp4")
        for done in (32, 64, 96, 128)
    ]


def test_copy_of_a_small_file_reports_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    note = CopyProgress()
    for done in (1, 2):
        note(Path("a.png"), done * MIB, 2 * MIB)
    assert capsys.readouterr().err == ""
