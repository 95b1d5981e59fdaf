"""What software did to a text is found, and what people write is left in peace."""

import sys
from collections.abc import Callable

import pytest

from roost.text import Finding, lint
from roost.text.damage import find_damage


def damage(text: str) -> list[str]:
    return [finding.code for finding in find_damage(text)]


def proposed(text: str, finding: Finding) -> str:
    assert finding.proposal is not None
    return text[: finding.start] + finding.proposal + text[finding.end :]


def garble(text: str, times: int = 1) -> str:
    """UTF-8 read as Windows-1252, its gaps as Latin-1, as programs do."""
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
def test_html_entity_is_found_and_what_it_means_is_proposed(text: str, meant: str) -> None:
    (finding,) = find_damage(text)
    assert finding.code == "html_entity"
    assert proposed(text, finding) == meant
    assert damage(meant) == []


@pytest.mark.parametrize("text", ["&#7;", "&#0;&#xD800;"[:4], "&#1114112;"])
def test_html_entity_of_what_cannot_be_written_has_no_proposal(text: str) -> None:
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
def test_mojibake_is_found_and_repaired(meant: str, times: int) -> None:
    text = garble(meant, times)
    (finding,) = find_damage(text)
    assert finding.code == "mojibake"
    assert proposed(text, finding) == meant.replace("\xa0", " ")


def test_mojibake_whose_last_byte_was_dropped_is_found() -> None:
    text = "He said â€œyesâ€ and left"
    (finding,) = find_damage(text)
    assert proposed(text, finding) == "He said “yes” and left"


def test_mojibake_of_a_lost_character_has_no_proposal() -> None:
    (finding,) = find_damage("cafï¿½ is here")
    assert (finding.code, finding.proposal) == ("mojibake", None)


def test_mojibake_of_a_byte_order_mark_may_go() -> None:
    (finding,) = find_damage("ï»¿Hello")
    assert (finding.start, finding.end, finding.proposal) == (0, 3, "")


@pytest.mark.parametrize(("text", "span"), [("caf\ufffd", (3, 4)), ("\ufffd\ufffdx", (0, 2))])
def test_lost_character_is_found(text: str, span: tuple[int, int]) -> None:
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
def test_field_that_nobody_filled_in_is_found(field: str) -> None:
    (finding,) = find_damage(f"Hi {field}, welcome")
    assert finding.code == "placeholder"
    assert (finding.start, finding.end) == (3, 3 + len(field))


@pytest.mark.parametrize(
    "text",
    [
        # What is like an entity.
        *("Q&A; R&D; B&B", "AT&T", "a && b;", "fish&chips; peas", "& then;", "&;", "?a=1&b=2;"),
        # Letters that mojibake begins with, where people write them.
        *("CAFÉ…", "« LE PÂTÉ »", "LE CAFÉ\xa0!", "“CAFÉ”", "AMANHÃ…", "“AMANHÃ”", "PÅ…", "PÅ”"),
        *("NÃO É SÓ ISSO", "É…", "«É»", "Spaß…", "„Spaß“", "Ä…", "MAÑANA…", "ÎLE", "2×3", "3×²"),
        *("manhã…", "café…”", "né\xa0» dit-il", "è«", "naïve", "“café”", "Ð and Þ", "Ølen…"),
        *("Straße°", "25 °C", "£5", "©2027", "«Ça va?»", "pâté…", "à…", "voilà»", "ROMÂ…"),
        *("привет…", "Γειά…", "こんにちは", "😀", "naïveté™", "CAFÉ™", "CAFÉ®", "É\xa0;"),
        # What people put into brackets.
        *("[BREAKING] News", "[NEW] Song", "[THREAD]", "[1/3]", "[VIDEO]", "[sic]", "[laughs]"),
        *("[AD]", "[EN]", "[SOLD OUT]", "a[i]", "[name](https://example.com)", "{a, b}", "<3"),
        *("<- look", "x < y > z", "{name}", "100%", "50%% off", "$5", "* | *", "[yours truly]"),
        *("<3 your name>x"[:2], "to-do [x]", "{ }", "[added]", "[Insertion sort]"),
    ],
)
def test_what_people_write_is_left_in_peace(text: str) -> None:
    assert damage(text) == []


def test_lint_finds_it_in_the_order_of_the_text() -> None:
    found = lint("Hi {{name}}, Q&amp;A in README.md Donâ€™t \ufffd")
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
    """How many lines of Python the rules run: a measure that no load changes."""
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
def test_work_grows_with_the_text_and_no_faster(name: str) -> None:
    make = HOSTILE[name]
    assert steps(make(400)) < 5 * steps(make(100)) + 200
