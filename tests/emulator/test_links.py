"""Tests of the emulator's own link rules, and that Roost's link rules agree with them."""

import pytest

from roost.text import extract_entities
from x_emulator.rules.links import find_links

CASES = [
    ("nothing here", []),
    ("https://example.com", ["https://example.com"]),
    ("HTTP://EXAMPLE.COM/A", ["HTTP://EXAMPLE.COM/A"]),
    ("(https://example.com/a_(b)).", ["https://example.com/a_(b)"]),
    ("Go to example.com/a?b=c#d!", ["example.com/a?b=c#d"]),
    ("a.co.uk, b.de; c.org.", ["a.co.uk", "b.de", "c.org"]),
    ("README.md script.py main.rs data.zip photo.mov", None),
    ("Booking.com and ASP.NET", ["Booking.com", "ASP.NET"]),
    ("done.It was", ["done.It"]),
    ("Node.js file.txt e.g. U.S. v1.2.3 10.0.0.1", []),
    ("me@example.com #tag.com /example.com @x.com", []),
    ("john.is.me@example.com", ["john.is"]),
    ("日本語example.comです", ["example.com"]),
    ("https://example.com/日本", ["https://example.com/"]),
    ("https://example.com:8080/x", ["https://example.com:8080/x"]),
    ("see https://a.de/x,https://b.de/y", None),
    ("x_y.example.com a_b.com", ["y.example.com"]),
    ("https://x_y.example.com", ["https://x_y.example.com"]),
    ("-a.com a-.com a--b.com", None),
    ("a.com,b.com;c.com|d.com", None),
    ("google.com/search?q=1.", None),
    ("(see example.com)", None),
    ("a.comb.com a..com", None),
    ("https://t.co/abc123", ["https://t.co/abc123"]),
    ("https://example.com/?a=1&b=2)", None),
    ("https://example.com/a/b/#frag.", None),
    ("http://ex.com/~user/ http://ex.com/a,b", None),
    ("example.com...", None),
    ("3.5.in and 2.to", None),
    ("http://localhost/", []),
    ("...wait.what...", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_find_links_finds_links(text: str, expected: list[str] | None) -> None:
    found = [link.value for link in find_links(text)]
    assert found == [url.value for url in extract_entities(text).urls]
    if expected is not None:
        assert found == expected


def test_find_links_finds_accidental_links() -> None:
    text = "README.md script.py main.rs data.zip photo.mov"
    assert [link.value for link in find_links(text)] == text.split(" ")


@pytest.mark.parametrize(
    "text", ["a." * 12_500, "a_b.com." * 3_125, "http://" * 3_600, "x.com" + "a" * 25_000]
)
def test_find_links_is_fast__hostile_texts(text: str) -> None:
    assert len(find_links(text)) <= 3_125
