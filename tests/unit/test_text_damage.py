"""`find_damage` finds text that software has garbled, and accepts ordinary writing."""

import sys
from collections.abc import Callable

import pytest

from roost.text import Finding, lint_text
from roost.text.damage import find_damage


def damage(text: str) -> list[str]:
    return [finding.code for finding in find_damage(text)]


def proposed(text: str, finding: Finding) -> str:
    assert finding.proposal is not None
    return text[: finding.start] + finding.proposal + text[finding.end :]


def garble(text: str, times: int = 1) -> str:
    """Decode UTF-8 as Windows-1252; bytes that are undefined there are decoded as Latin-1."""
    for _ in range(times):
        text = "".join(
            bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode()
        )
    return text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Q&amp;A", "Q&A"),
        ("a &lt; b", "a < b"),
        ("Don&#39;t", "Don't"),
        ("Don&#x27;t", "Don't"),
        ("a&nbsp;b", "a b"),
        ("caf&eacute;", "café"),
        ("Q&amp;amp;A", "Q&A"),
        ("&amp;lt;3", "<3"),
        ("https://example.com/?a=1&amp;b=2", "https://example.com/?a=1&b=2"),
    ],
)
def test_find_damage_proposes_the_character_of_an_html_entity(text: str, meant: str) -> None:
    (finding,) = find_damage(text)
    assert finding.code == "html_entity"
    assert proposed(text, finding) == meant
    assert damage(meant) == []


@pytest.mark.parametrize("text", ["&#7;", "&#0;&#xD800;"[:4], "&#1114112;"])
def test_find_damage_has_no_proposal__html_entity_of_invalid_character(text: str) -> None:
    (finding,) = find_damage(text)
    assert finding.code == "html_entity"
    assert finding.proposal in (None, "\ufffd")


@pytest.mark.parametrize(
    "meant",
    [
        *("Don’t", "“Quoted”", "wait…", "a – b", "5 €", "café", "voilà!", "Ångström", "Łódź"),
        *("są", "naïve", "10°C", "£5", "© 2027", "São Paulo", "Übung", "Straße", "año ¿qué?"),
        *("привет", "Γειά σου", "שלום", "مرحبا", "こんにちは", "你好", "한국어"),
        *("😀", "✅ done", "→"),
        *("À bientôt", "Œuvre", "Brand™", "½ price", "É", "don’t “do” that…"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_find_damage_repairs_mojibake(meant: str, times: int) -> None:
    text = garble(meant, times)
    (finding,) = find_damage(text)
    assert finding.code == "mojibake"
    assert proposed(text, finding) == meant.replace("\xa0", " ")


def test_find_damage_repairs_mojibake__last_byte_lost() -> None:
    text = "He said â€œyesâ€ and left"
    (finding,) = find_damage(text)
    assert proposed(text, finding) == "He said “yes” and left"


def test_find_damage_has_no_proposal__mojibake_of_lost_character() -> None:
    (finding,) = find_damage("cafï¿½ is here")
    assert (finding.code, finding.proposal) == ("mojibake", None)


def test_find_damage_proposes_removal__mojibake_of_byte_order_mark() -> None:
    (finding,) = find_damage("ï»¿Hello")
    assert (finding.start, finding.end, finding.proposal) == (0, 3, "")


@pytest.mark.parametrize(("text", "span"), [("caf\ufffd", (3, 4)), ("\ufffd\ufffdx", (0, 2))])
def test_find_damage_reports_replacement_characters(text: str, span: tuple[int, int]) -> None:
    (finding,) = find_damage(text)
    assert (finding.code, finding.proposal) == ("replacement_character", None)
    assert (finding.start, finding.end) == span


@pytest.mark.parametrize(
    "field",
    [
        *("{{first_name}}", "{{ contact.name }}", "{{}}", "{% if x %}", "<%= name %>", "${name}"),
        *("%%FIRSTNAME%%", "*|FNAME|*", "[NAME]", "[Name]", "[first name]", "[FIRST_NAME]"),
        *("[Your Name]", "[your product here]", "[insert link]", "[INSERT LINK HERE]", "[Link]"),
        *("[Company]", "[DATE]", "[TODO]", "[TBD]", "<your name>", "<INSERT URL>", "[[name]]"),
        *("Lorem ipsum", "[product_name]", "[Add hashtags]", "[CAMPAIGN_CODE_2]"),
    ],
)
def test_find_damage_reports_placeholders(field: str) -> None:
    (finding,) = find_damage(f"Hi {field}, welcome")
    assert finding.code == "placeholder"
    assert (finding.start, finding.end) == (3, 3 + len(field))


@pytest.mark.parametrize(
    "text",
    [
        # Ordinary texts that look like an HTML entity.
        *("Q&A; R&D; B&B", "AT&T", "a && b;", "fish&chips; peas", "& then;", "&;", "?a=1&b=2;"),
        # Ordinary texts that contain a letter with which mojibake typically begins.
        *("CAFÉ…", "« LE PÂTÉ »", "LE CAFÉ\xa0!", "“CAFÉ”", "AMANHÃ…", "“AMANHÃ”", "PÅ…", "PÅ”"),
        *("NÃO É SÓ ISSO", "É…", "«É»", "Spaß…", "„Spaß“", "Ä…", "MAÑANA…", "ÎLE", "2×3", "3×²"),
        *("manhã…", "café…”", "né\xa0» dit-il", "è«", "naïve", "“café”", "Ð and Þ", "Ølen…"),
        *("Straße°", "25 °C", "£5", "©2027", "«Ça va?»", "pâté…", "à…", "voilà»", "ROMÂ…"),
        *("привет…", "Γειά…", "こんにちは", "😀", "naïveté™", "CAFÉ™", "CAFÉ®", "É\xa0;"),
        # Ordinary texts in brackets.
        *("[BREAKING] News", "[NEW] Song", "[THREAD]", "[1/3]", "[VIDEO]", "[sic]", "[laughs]"),
        *("[AD]", "[EN]", "[SOLD OUT]", "a[i]", "[name](https://example.com)", "{a, b}", "<3"),
        *("<- look", "x < y > z", "{name}", "100%", "50%% off", "$5", "* | *", "[yours truly]"),
        *("<3 your name>x"[:2], "to-do [x]", "{ }", "[added]", "[Insertion sort]"),
    ],
)
def test_find_damage_ignores_ordinary_writing(text: str) -> None:
    assert damage(text) == []


def test_lint_text_includes_damage_in_text_order() -> None:
    found = lint_text("Hi {{name}}, Q&amp;A in README.md Donâ€™t \ufffd")
    assert [finding.code for finding in found] == [
        "placeholder", "html_entity", "accidental_link", "mojibake", "replacement_character",
    ]  # fmt: skip


HOSTILE: dict[str, Callable[[int], str]] = {
    "entities": lambda n: "&" + "amp;" * n,
    "ampersands": lambda n: "&amp" * n,
    "braces": lambda n: "{" * n,
    "brackets": lambda n: "[your " * n,
    "underscores": lambda n: "[AB" + "_AB" * n,
    "mojibake": lambda n: "â€™" * n,
    "nested": lambda n: "Ãƒ" * n,
    "leads": lambda n: "Ã" * n,
    "half": lambda n: "ðŸ" * n,
    "lost": lambda n: "\ufffd" * n,
}


def steps(text: str) -> int:
    """Count the executed lines of Python, which do not depend on the machine's load."""
    count = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        list(find_damage(text))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_find_damage_runs_in_linear_time(name: str) -> None:
    make = HOSTILE[name]
    assert steps(make(400)) < 5 * steps(make(100)) + 200
