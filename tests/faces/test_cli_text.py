"""Texts on the command line: from standard input, and texts that begin with `-`."""

import inspect
import typing
from pathlib import Path
from typing import Any

import pytest
from cyclopts import Parameter

from fix_processes import environment_of
from fix_publishing import (
    CommandResult,
    Publisher,
    minimal_environment,
    piped_python,
    run_roost,
)
from roost.cli.check import check
from roost.cli.edit import edit
from roost.cli.publish import publish
from roost.cli.resolve import resolve
from roost.cli.text_input import FLAGS, mark_standard_input

WINDOWS_TEXT = b"\xef\xbb\xbfTwo lines,\r\n- of one text.\r\n\r\n"
TEXT = "Two lines,\n- of one text."


async def pipe(
    content: bytes, *arguments: str, folder: Path, publisher: Publisher | None = None
) -> CommandResult:
    """Run a command that gets `content` on standard input."""
    environment = minimal_environment(folder)
    if publisher is not None:
        environment = environment_of(publisher.runtime.settings)
    async with piped_python(
        "-m", "roost", *arguments, environment=environment, folder=folder
    ) as process:
        out, err = await process.communicate(content)
        assert process.returncode is not None
        return CommandResult(process.returncode, out.decode(), err.decode())


@pytest.mark.timing
async def test_publish_and_edit_read_standard_input(publisher: Publisher, tmp_path: Path) -> None:
    made = await pipe(
        WINDOWS_TEXT, "publish", "-", "--at", "+1h", "--json", folder=tmp_path, publisher=publisher
    )
    assert (made.code, made.answer["parts"][0]["text"]) == (0, TEXT), made.err
    edited = await pipe(
        b"Other", "edit", "1", "--text", "-", "--json", folder=tmp_path, publisher=publisher
    )
    assert (edited.code, edited.answer["parts"][0]["text"]) == (0, "Other"), edited.err


@pytest.mark.timing
@pytest.mark.parametrize("arguments", [("check", "-"), ("check", "--premium", "-")])
async def test_check_reads_standard_input(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = await pipe(b"See a.com\n", *arguments, folder=tmp_path)
    assert (result.code, result.out.splitlines()[0]) == (0, "See a.com")


@pytest.mark.timing
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "The text on standard input is not UTF-8."),
        (b"x" * ((1 << 20) + 1), "The text on standard input is longer than 1 MiB."),
        (b"\n", "The post has neither text nor media."),
    ],
)
async def test_unusable_standard_input_is_explained(
    tmp_path: Path, content: bytes, message: str
) -> None:
    result = await pipe(content, "check", "-", folder=tmp_path)
    assert result.code == 2
    assert message in result.err + result.out


async def test_hyphen_after_two_hyphens_is_a_text(tmp_path: Path) -> None:
    for text in ("-", "- an item", "--json"):
        result = await run_roost("check", "--", text, folder=tmp_path)
        assert (result.code, result.out.splitlines()[0]) == (0, text)


@pytest.mark.parametrize(
    ("arguments", "message", "advice"),
    [
        (
            ("publish", "- an item"), "'- an item' is not an option of `roost publish`.",
            'after all options and after `--`: roost publish … -- "- an item".',
        ),
        (
            ("publish", "--", "- an item", "--at", "+1h"),
            "--at is after `--`, where every argument is a text.", "Write all options before `--`.",
        ),
        (
            ("edit", "1", "--text", "- an item"),
            "--text needs a value, and '- an item' is read as an option.",
            'If it is the value, write it as --text="- an item".',
        ),
        (
            ("publish", "Hello", "--media", "-"),
            "--media needs a value, and '-' is read as an option.", "",
        ),
        (("posts", "-"), "`roost posts` does not read from standard input here.", "edit --text"),
    ],
)  # fmt: skip
async def test_text_that_begins_with_a_hyphen_is_explained(
    tmp_path: Path, arguments: tuple[str, ...], message: str, advice: str
) -> None:
    result = await run_roost(*arguments, folder=tmp_path)
    assert result.code == 2
    assert message in result.err
    assert advice in result.err


async def test_help_explains_both(tmp_path: Path) -> None:
    result = await run_roost("publish", "--help", folder=tmp_path)
    described = " ".join(result.out.replace("│", "").split())
    assert "`-` reads it from standard input" in described
    assert "A text that begins with `-` is written after all options" in described


def test_every_flag_of_a_command_with_a_text_is_known() -> None:
    """`FLAGS` must contain every flag of the commands that take a text.

    A `-` after a flag stands for a text from standard input. A `-` after an option that needs a
    value does not.
    """
    found = set()
    for command in (publish, check, edit, resolve):
        hints = typing.get_type_hints(command, include_extras=True)
        for name in inspect.signature(command).parameters:
            found |= set(_flags(name, hints[name]))
    assert found == FLAGS


def _flags(name: str, hint: Any) -> list[str]:
    kind, *details = typing.get_args(hint) or (hint,)
    if kind is not bool:
        return []
    (parameter,) = [one for one in details if isinstance(one, Parameter)]
    (own,) = parameter.name or [f"--{name.replace('_', '-')}"]
    negative = parameter.negative
    return [own, *([negative] if isinstance(negative, str) else list(negative or ()))]


@pytest.mark.parametrize(
    ("line", "is_marked"),
    [
        ("publish -", True),
        ("--env-file a.env publish - --at +1h", True),
        ("publish --at +1h -", True),
        ("publish --no-wait -", True),
        ("publish --at=+1h -", True),
        ("edit 1 --text -", True),
        ("publish --media -", False),
        ("publish -- -", False),
        ("import -", False),
        ("publish a-b", False),
    ],
)
def test_hyphen_that_stands_for_a_text_is_marked(line: str, is_marked: bool) -> None:
    tokens = line.split()
    assert (mark_standard_input(tokens) != tokens) is is_marked
