"""Briefs as people write them, and what is told of a wrong one."""

import re
from pathlib import Path

import pytest

from roost.agents.brief import Brief, Fact, read_brief
from roost.errors import BriefInvalid

YAML = """
account: "@acme"
topic: frozen pipes
facts:
  - {id: a, text: "  Pipes\\n freeze. "}
"""


def written(folder: Path, text: str) -> Brief:
    path = folder / "brief.yaml"
    path.write_text(text, "utf-8")
    return read_brief(path)


def test_a_short_brief_is_enough(tmp_path: Path) -> None:
    found = written(tmp_path, YAML)
    assert found.facts == (Fact(id="a", text="Pipes freeze."),)
    assert (found.language, found.tone, found.n) == ("en", "plain", 1)
    assert (found.link, found.tags, found.avoid) == (None, (), ())


def test_tags_are_kept_without_their_sign(tmp_path: Path) -> None:
    assert written(tmp_path, YAML + "tags: ['#Pipes', Frost]").tags == ("Pipes", "Frost")


@pytest.mark.parametrize(
    ("line", "field", "words"),
    [
        ("link: acme dot com", "link", "is not one https:// address"),
        ("link: example.com/a", "link", "is not one https:// address"),
        ("link: https://example.com/a b", "link", "is not one https:// address"),
        ("tags: ['two words']", "tags.0", "is not one hashtag"),
        ("tags: ['2026']", "tags.0", "is not one hashtag"),
        ("n: 0", "n", "greater than or equal to 1"),
        ("n: 51", "n", "less than or equal to 50"),
        ("language: no", "language", "is not a text"),
        ("topics: x", "topics", "a brief has no such field"),
        ("avoid: [Frost]\ntags: [Frost]", "avoid", "'Frost' stands in the link or the tags"),
        ("avoid: ['']", "avoid.0", "is empty"),
        ("account: me@example.com", "account", "is not the name of an X account"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, line: str, field: str, words: str) -> None:
    with pytest.raises(BriefInvalid, match=re.escape(words)) as caught:
        written(tmp_path, YAML + line)
    assert caught.value.facts["fields"] == [field]
    assert f"{field}: " in caught.value.message


def test_every_wrong_field_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(BriefInvalid) as caught:
        written(tmp_path, "account: 'a b'\nfacts: [{id: x, text: 10}, {text: y}]\n")
    assert caught.value.facts["fields"] == ["account", "topic", "facts.0.text", "facts.1.id"]


def test_two_facts_do_not_share_an_id(tmp_path: Path) -> None:
    with pytest.raises(BriefInvalid, match="facts: the id 'a' is given twice"):
        written(tmp_path, YAML + "  - {id: a, text: Other.}\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no fields"),
        (b"- a\n- b\n", "holds no fields"),
        (b"account: [a\n", "is not YAML"),
        (b"a: b: c\n", "line 1 is not YAML"),
        (b"account: \xff\n", "is not UTF-8"),
        (b"!!python/object/apply:os.system ['true']\n", "is not YAML"),
        (b"[" * 3000, "is not YAML"),
        (b"a0: &a {k: v}\na1: &b\n  <<: [*a, *a]\n", "line 3 is not YAML: a brief has no aliases"),
        (b"a: &a [1]\nb: *a\n", "has no aliases"),
        (b"a: &a [*a]\n", "has no aliases"),
        (b"a" * 70_000, "larger than 64 KiB"),
    ],
)
def test_a_file_that_is_no_brief_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "brief.yaml"
    path.write_bytes(data)
    with pytest.raises(BriefInvalid, match=words):
        read_brief(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BriefInvalid, match="There is no file"):
        read_brief(tmp_path / "brief.yaml")
