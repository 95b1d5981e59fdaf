"""Runs the examples of docs/howto/use-the-x-client.md in order and compares their output."""

import ast
import contextlib
import doctest
import inspect
import io
import re
import shlex
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from fix_emulator import Emulator

PAGE = Path(__file__).resolve().parents[2] / "docs/howto/use-the-x-client.md"
SHOWN_URL = "http://127.0.0.1:8710"


async def output_of(source: str, names: dict[str, Any]) -> str:
    """Return the output that `python -m asyncio` prints for an input."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(source, PAGE.name, "single", flags)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            result = eval(code, names)
            if inspect.iscoroutine(result):
                await result
        except Exception as error:
            lines = traceback.format_exception_only(error)
            printed.write("Traceback (most recent call last):\n" + "".join(lines))
    return printed.getvalue()


@pytest.fixture
def page(emulator: Emulator) -> str:
    # The end of a code block would count as output of the block's last example.
    text = re.sub(r"^```.*$", "", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return text.replace(SHOWN_URL, emulator.url)


async def test_page_x__examples_print_what_they_show(page: str, emulator: Emulator) -> None:
    async def allow(url: str) -> dict[str, str]:
        form = dict(parse_qsl(urlsplit(url).query)) | {"user": "larkbooks", "decision": "allow"}
        async with emulator.http.post(
            url.partition("?")[0], data=form, allow_redirects=False
        ) as answer:
            return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    keys: dict[str, Any] = {}
    for command in re.findall(r"^curl .*$", page, re.MULTILINE):
        _, _, url, _, body = shlex.split(command)
        async with emulator.http.post(url, data=body) as answer:
            assert answer.status == 201
            keys |= await answer.json()
    names = {
        "allow": allow,
        "token": keys["oauth_token"],
        "token_secret": keys["oauth_token_secret"],
    }
    checker = doctest.OutputChecker()
    examples = doctest.DocTestParser().get_examples(page)
    try:
        for example in examples:
            output = await output_of(example.source, names)
            assert checker.check_output(example.want, output, 0), f"{example.source}{output}"
    finally:
        await _close(names.get("session"))
    assert len(examples) > 30


async def _close(session: aiohttp.ClientSession | None) -> None:
    if session is not None:
        await session.close()


def test_page_x__first_example_has_five_lines() -> None:
    first = PAGE.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    assert len(first.splitlines()) == 5
