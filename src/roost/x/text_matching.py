"""Normalizes the texts of posts, so that a sent text can be compared with the text on X.

X shortens links, escapes `&`, `<` and `>` (in some fields only), and appends a link to the media.
"""

import re
import unicodedata
from typing import Final

from roost.text import extract_entities
from roost.x import schemas

_SHORT_LINK_AT_END: Final = re.compile(r"\s*(https://t\.co/\w+)$")
_MEDIA_PAGE: Final = re.compile(r"https?://(?:www\.)?(?:x|twitter)\.com/\S+/(?:photo|video)/\d+$")
_URL_PARTS: Final = re.compile(r"(?:(https?)://)?([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


def normalize_sent_text(text: str) -> str:
    """Normalize a text that was sent, or is to be sent.

    The result is in NFC, has LF line ends and no white space at its ends, and contains `&` instead
    of `&amp;`. Links start with a protocol (X adds `http` to a domain without a protocol), have
    scheme and host in lower case, and do not end with the slash of an empty path.
    """
    found = extract_entities(text)
    parts: list[str] = []
    position = 0
    for url in found.urls:
        parts += [found.text[position : url.start], _normalize_url(url.value)]
        position = url.end
    return normalize_text("".join([*parts, found.text[position:]]))


def normalize_returned_text(post: schemas.PostData) -> str:
    """Normalize the text of a post that X returned, with its links expanded.

    Links are found by their unique t.co addresses and not by their positions, because positions
    refer to the escaped text in some responses, and to the plain text in others.
    """
    note = post.note or schemas.NotePost(post.text, post.entities)
    links = {
        url.url: url for url in (note.entities or schemas.PostEntities()).urls or () if url.url
    }
    text = note.text
    has_media = bool(post.attachments and post.attachments.media_keys)
    while (last := _SHORT_LINK_AT_END.search(text)) and has_media:
        link = links.get(last.group(1))
        if link and not (link.media_key or _MEDIA_PAGE.match(link.expanded_url or "")):
            break
        text = text[: last.start()]
    for short, link in links.items():
        if link.expanded_url and not link.media_key:
            text = text.replace(short, _normalize_url(link.expanded_url))
    return normalize_text(text)


def normalize_text(text: str) -> str:
    """Normalize a text without links, such as a poll option.

    The result is in NFC, has LF line ends and no white space at its ends. X escapes texts in some
    fields only, so `&amp;` always becomes `&`.
    """
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    while (unescaped := _unescape(plain)) != plain:
        plain = unescaped
    return plain


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _normalize_url(url: str) -> str:
    match = _URL_PARTS.fullmatch(url)
    assert match is not None, "the pattern matches every text"
    scheme, host, rest = match.groups()
    return f"{(scheme or 'http').lower()}://{host.lower()}{'' if rest == '/' else rest}"
