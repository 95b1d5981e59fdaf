"""A post's text in the one form in which what was sent can be compared with what X gives back.

X shortens links, escapes `&`, `<` and `>` (not in every field), and adds the media's link.
"""

import re
import unicodedata
from typing import Final

from roost.text import entities
from roost.x import answers

_SHORT_LINK_AT_END: Final = re.compile(r"\s*(https://t\.co/\w+)$")
_MEDIA_PAGE: Final = re.compile(r"https?://(?:www\.)?(?:x|twitter)\.com/\S+/(?:photo|video)/\d+$")
_URL_PARTS: Final = re.compile(r"(?:(https?)://)?([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


def as_returned(text: str) -> str:
    """A text in the one form in which it can be compared with what X gives back.

    NFC, LF line ends, no outer white space, `&amp;` as `&`; links with a protocol (X gives a bare
    domain `http`), scheme and host in lower case, without a lone slash at the end.
    """
    found = entities(text)
    parts: list[str] = []
    position = 0
    for url in found.urls:
        parts += [found.text[position : url.start], _canonical(url.value)]
        position = url.end
    return comparable("".join([*parts, found.text[position:]]))


def expanded(post: answers.Post) -> str:
    """The text as written: t.co links are unique, so they are found by value, not by position
    (positions count the escaped text in some of X's answers and the plain one in others)."""
    whole = post.note or answers.Note(post.text, post.entities)
    links = {url.url: url for url in (whole.entities or answers.Entities()).urls or () if url.url}
    shown = whole.text
    has_media = bool(post.attachments and post.attachments.media_keys)
    while (last := _SHORT_LINK_AT_END.search(shown)) and has_media:
        link = links.get(last.group(1))
        if link and not (link.media_key or _MEDIA_PAGE.match(link.expanded_url or "")):
            break
        shown = shown[: last.start()]
    for short, link in links.items():
        if link.expanded_url and not link.media_key:
            shown = shown.replace(short, _canonical(link.expanded_url))
    return comparable(shown)


def comparable(text: str) -> str:
    """NFC, LF, no outer space, and nothing escaped: X escapes, but not in every field.

    So are options of polls compared, in which X finds no links.
    """
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    while (less := _unescaped(plain)) != plain:
        plain = less
    return plain


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _canonical(url: str) -> str:
    match = _URL_PARTS.fullmatch(url)
    assert match is not None, "the pattern matches every text"
    scheme, host, rest = match.groups()
    return f"{(scheme or 'http').lower()}://{host.lower()}{'' if rest == '/' else rest}"
