"""Reading briefs from YAML files, and the errors for invalid files."""

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


def write_brief(folder: Path, text: str) -> Brief:
    path = folder / "brief.yaml"
    path.write_text(text, "utf-8")
    return read_brief(path)


def test_read_brief_fills_in_defaults(tmp_path: Path) -> None:
    brief = write_brief(tmp_path, YAML)
    assert brief.facts == (Fact(id="a", text="Pipes freeze."),)
    assert (brief.language, brief.tone, brief.n) == ("en", "plain", 1)
    assert (brief.link, brief.tags, brief.avoid) == (None, (), ())


def test_read_brief_strips_hash_from_tags(tmp_path: Path) -> None:
    assert write_brief(tmp_path, YAML + "tags: ['#Pipes', Frost]").tags == ("Pipes", "Frost")


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ("link: acme dot com", "link", "is not one https:// address"),
        ("link: example.com/a", "link", "is not one https:// address"),
        ("link: https://example.com/a b", "link", "is not one https:// address"),
        ("tags: ['two words']", "tags.0", "is not one hashtag"),
        ("tags: ['2026']", "tags.0", "is not one hashtag"),
        ("n: 0", "n", "at least 1"),
        ("n: 51", "n", "at most 50"),
        ("language: no", "language", "is not text"),
        ("topics: x", "topics", "a brief has no such field"),
        ("avoid: [Frost]\ntags: [Frost]", "avoid", "'Frost' occurs in the link or the tags"),
        ("avoid: ['']", "avoid.0", "is empty"),
        ("limit: 281", "limit", "must be at most 280"),
        ("link_use: required", "link_use", "link_use: the brief has no link"),
        ("mentions_allowed: ['a b']", "mentions_allowed.0", "is not the name of an X account"),
        ("form: essay", "form", "must be 'post' or 'thread'"),
        ("compliance: {x: 1}", "compliance.x", "a brief has no such field"),
        ("account: me@example.com", "account", "is not the name of an X account"),
    ],
)
def test_read_brief_names_invalid_field(
    tmp_path: Path, line: str, field: str, message: str
) -> None:
    with pytest.raises(BriefInvalid, match=re.escape(message)) as raised:
        write_brief(tmp_path, YAML + line)
    assert raised.value.facts["fields"] == [field]
    assert f"{field}: " in raised.value.message


def test_read_brief_names_all_invalid_fields(tmp_path: Path) -> None:
    with pytest.raises(BriefInvalid) as raised:
        write_brief(tmp_path, "account: 'a b'\nfacts: [{id: x, text: 10}, {text: y}]\n")
    assert raised.value.facts["fields"] == ["account", "topic", "facts.0.text", "facts.1.id"]


@pytest.mark.parametrize(
    ("follows", "reason"),
    [
        ("z", "facts: 'c' follows 'z', which is not the id of a fact"),
        ("b", "facts: 'c' follows 'b', which itself follows a fact"),
        ("c", "facts: 'c' follows 'c', which itself follows a fact"),
    ],
)
def test_read_brief_refuses_fact_that_follows_no_lead(
    tmp_path: Path, follows: str, reason: str
) -> None:
    rows = f"  - {{id: b, text: y, follows: a}}\n  - {{id: c, text: z, follows: {follows}}}\n"
    with pytest.raises(BriefInvalid, match=re.escape(reason)) as raised:
        write_brief(tmp_path, YAML + rows)
    assert raised.value.facts["fields"] == ["facts"]


def test_read_brief_refuses_repeated_fact_id(tmp_path: Path) -> None:
    with pytest.raises(BriefInvalid, match="facts: two facts have the id 'a'"):
        write_brief(tmp_path, YAML + "  - {id: a, text: Other.}\n")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has no fields"),
        (b"- a\n- b\n", "has no fields"),
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
def test_read_brief_refuses_other_files(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "brief.yaml"
    path.write_bytes(data)
    with pytest.raises(BriefInvalid, match=message):
        read_brief(path)


def test_read_brief_reports_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BriefInvalid, match="There is no file"):
        read_brief(tmp_path / "brief.yaml")


def test_read_brief_reads_json(tmp_path: Path) -> None:
    path = tmp_path / "brief.json"
    path.write_text('{"account": "acme", "topic": "x", "facts": [{"id": "a", "text": "A: b"}]}')
    assert read_brief(path).facts[0].text == "A: b"


def test_read_brief_fills_in_defaults_of_the_writer(tmp_path: Path) -> None:
    brief = write_brief(
        tmp_path, YAML + "link: https://example.com\ntags: [A1]\ntags_allowed: [B1]"
    )
    assert (brief.link_rule, brief.tag_maximum, brief.limit, brief.form) == (
        "required", 2, 240, "post",
    )  # fmt: skip
    assert write_brief(tmp_path, YAML).link_rule == "none"
