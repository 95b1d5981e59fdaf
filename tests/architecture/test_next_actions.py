"""The command line and the web pages have a sentence for every `NextAction`.

Other modules name no command; they leave the wording to these two.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import roost
from roost.cli import next_actions as cli_words
from roost.cli.tenant_option import make_option, name_tenant
from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction
from roost.web import next_actions as web_words

_SOURCE = Path(roost.__file__).parent
#: Matches a command of Roost in a sentence for people.
_COMMAND = re.compile(r"`roost [a-z]")
#: The modules that may name commands: the command line, the web pages and the sentences that both
#: share. A setting's description may also name the command that reads the setting.
_FACES = {"cli", "web", "action_wording.py", "settings.py"}
_FACTS = {"post_id": 17, "draft_id": 7, "username": "larkbooks", "role": "roost_app"}


@pytest.mark.parametrize("code", list(ActionCode))
def test_every_action_is_worded_by_each_face(code: ActionCode) -> None:
    action = NextAction(code, _FACTS)
    for sentence in (cli_words.describe_action(action), web_words.describe_action(action)):
        assert sentence.endswith(".")
        assert not re.search(r"[{}]", sentence)
    assert action.to_json() == {"code": code.value, "facts": _FACTS}


@pytest.mark.parametrize("code", list(ActionCode))
def test_pages_name_no_command(code: ActionCode) -> None:
    assert "`roost" not in web_words.describe_action(NextAction(code, _FACTS))


def test_templates_name_no_command() -> None:
    for template in (_SOURCE / "web" / "templates").iterdir():
        assert not re.search(r"<code>roost\b|`roost\b", template.read_text("utf-8")), template.name


@pytest.mark.parametrize(
    ("advice", "expected"),
    [
        ("Run `roost posts 7` now.", "Run `roost posts 7 --tenant acme` now."),
        (
            "`roost resume --all-accounts` and `roost resume --all` resume.",
            "`roost resume --all-accounts --tenant acme` and `roost resume --all` resume.",
        ),
        ("Start `roost worker`.", "Start `roost worker`."),
        ("`roost init --tenant NAME`, `roost postscript`", None),
    ],
)
def test_commands_in_advice_name_the_tenant(advice: str, expected: str | None) -> None:
    assert name_tenant(advice, " --tenant acme") == (expected or advice)
    assert name_tenant(advice, "") == advice


@pytest.mark.parametrize(
    ("name", "is_only", "option"),
    [
        ("default", True, ""),
        ("default", False, " --tenant default"),
        ("acme", True, " --tenant acme"),
        ("acme", False, " --tenant acme"),
    ],
)
def test_tenant_is_named_unless_commands_use_it_anyway(
    name: str, is_only: bool, option: str
) -> None:
    assert make_option(name, is_only_tenant=is_only) == option


@pytest.mark.parametrize("code", list(ActionCode))
def test_links_of_pages_name_the_tenant(code: ActionCode) -> None:
    link = web_words.find_link(NextAction(code, _FACTS), "a&b")
    if link is not None:
        assert link.href.endswith("?tenant=a%26b")
        assert not re.search(r"[{}]", link.label + link.href)


def _strings(path: Path) -> Iterator[str]:
    """Yield the strings of a module, without docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_only_faces_name_commands() -> None:
    below = [
        path for path in _SOURCE.rglob("*.py") if path.relative_to(_SOURCE).parts[0] not in _FACES
    ]
    named = [
        (path.name, text) for path in below for text in _strings(path) if _COMMAND.search(text)
    ]
    assert named == []


def _subclasses(parent: type[RoostError]) -> Iterator[type[RoostError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


def test_no_error_has_both_an_action_and_other_advice() -> None:
    for module in pkgutil.walk_packages(roost.__path__, "roost."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    both = [
        error.__name__
        for error in _subclasses(RoostError)
        if "default_next" in vars(error) and error.default_action is not None
    ]
    assert both == []


def test_error_in_json_has_words_and_code() -> None:
    error = RoostError("It failed.", next_action=NextAction(ActionCode.SHOW_POST, {"post_id": 17}))
    shown = cli_words.error_as_json(error)
    assert shown["next"] == "`roost posts 17 --history` shows the post's state."
    assert shown["next_action"] == {"code": "show_post", "facts": {"post_id": 17}}
    assert web_words.error_as_json(error)["next"].startswith("Open post 17")
    plain = cli_words.error_as_json(RoostError("It failed.", next="Wait."))
    assert (plain["next"], plain["next_action"]) == ("Wait.", None)
