"""Finds links, mentions and tags in a text, and replaces links by t.co links as X does.

Links determine the price of a post, and Roost has rules of its own to find links. This module
shares no code with Roost's rules, so that a mistake in one of them shows as a difference in the
results.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from x_emulator import seeded_random
from x_emulator.rules.tlds import TOP_LEVEL_DOMAINS

_LETTERS = r"A-Za-z0-9\u00C0-\u024F"
#: A run of domain labels in Latin letters. After some characters, such as `@`, no link can begin.
_BARE = re.compile(
    rf"(?<![{_LETTERS}_@＠$#＃./-])[{_LETTERS}](?>(?:[{_LETTERS}_-]*\.)+[{_LETTERS}_-]+)"
)
_WITH_PROTOCOL = re.compile(
    r"(?<![A-Za-z0-9@＠$#＃])(?P<protocol>https?://)(?P<run>[\w-]+(?:\.[\w-]+)+)", re.IGNORECASE
)
_WORD = rf"{_LETTERS}\u0400-\u04FF"
_TAIL = re.compile(
    rf"(?::\d+)?(?P<path>/[{_WORD}!*';:=+,.$/%#\[\]\-\u2013_~@|&()]*)?"
    r"(?P<query>\?[A-Za-z0-9!?*'@()\[\];:&=+$/%#_.,~|-]*)?"
)
_PATH_END = re.compile(rf"[{_WORD}=_#/+\-)]")
_QUERY_END = re.compile(r"[A-Za-z0-9_&=#/\-]")
_ASCII_LABEL = re.compile(r"[^A-Za-z0-9-]")
_MENTION = re.compile(r"(?<![\w@＠!#$%&*])[@＠]([A-Za-z0-9_]{1,20})(?![\w@＠])", re.ASCII)
_HASHTAG = re.compile(r"(?<![\w&/])[#＃](\w*[^\W\d_]\w*)")
_CASHTAG = re.compile(r"(?<!\S)\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?=$|[\s.,;:!?'\")])")


@dataclass(frozen=True)
class Link:
    """A link in a text, with its position in the text."""

    start: int
    end: int
    value: str

    @property
    def expanded(self) -> str:
        """The full URL. `http://` is added to a domain without a protocol."""
        return self.value if "://" in self.value else f"http://{self.value}"

    @property
    def display(self) -> str:
        """The URL as X displays URLs: without protocol and `www.`, at most 27 characters."""
        bare = re.sub(r"^https?://(www\.)?", "", self.expanded, flags=re.IGNORECASE)
        return bare if len(bare) <= 27 else bare[:26] + "…"


@dataclass(frozen=True)
class WrappedText:
    """A text as X returns it, with its entities. The entities' positions refer to `text`."""

    text: str
    entities: dict[str, list[dict[str, Any]]]
    has_link: bool


def find_links(text: str) -> list[Link]:
    """Find all links in order: http(s) URLs, and bare domains (without a protocol).

    A bare domain needs a known top-level domain.
    """
    if "." not in text:
        return []
    found = list(_find_with_protocol(text)) if "://" in text else []
    starts, ends = [link.start for link in found], [link.end for link in found]
    for match in _BARE.finditer(text):
        before = bisect.bisect_right(starts, match.start()) - 1
        if before >= 0 and match.start() < ends[before]:
            continue
        run = match.group()
        if text[match.end() : match.end() + 1] in ("@", "+"):
            # `@` or `+` follows, as in an email address, so the last label is not part of a link.
            run = run.rpartition(".")[0]
        end = _end_of_domain(run, strict=True)
        if end is not None:
            # In a bare domain, only the text after the last underscore is a link.
            start = match.start() + run.rfind("_", 0, end) + 1
            stop = _end_of_link(text, match.start() + end, match.end(), strict=True)
            found.append(Link(start, stop, text[start:stop]))
    return sorted(found, key=lambda link: link.start)


def find_cashtags(text: str) -> list[str]:
    """Find the ticker symbols in a text."""
    if "$" not in text:
        return []
    return [match.group(1) for match in _CASHTAG.finditer(text)]


def find_mentions(text: str) -> list[str]:
    """Find the usernames that a text mentions."""
    return [match.group(1) for match in _MENTION.finditer(text)]


def wrap(
    text: str, post_id: str, user_ids: dict[str, str], media: list[tuple[str, str]]
) -> WrappedText:
    """Replace links by t.co links and append the link to the media, as X does.

    `user_ids` maps case-folded usernames to ids. `media` has pairs of media key and expanded URL.
    """
    links = find_links(text)
    if not links and not media:
        return WrappedText(text, _entities(text, [], user_ids), has_link=False)
    parts: list[str] = []
    urls: list[dict[str, Any]] = []
    position = length = 0
    for number, link in enumerate(links):
        before = text[position : link.start]
        short = f"https://t.co/{seeded_random.alphanumerics(10, post_id, number)}"
        start = length + len(before)
        urls.append(
            {
                "start": start,
                "end": start + len(short),
                "url": short,
                "expanded_url": link.expanded,
                "display_url": link.display,
            }
        )
        parts += [before, short]
        length = start + len(short)
        position = link.end
    parts.append(text[position:])
    wrapped = "".join(parts)
    if media:
        short = f"https://t.co/{seeded_random.alphanumerics(10, post_id, 'media')}"
        start = len(wrapped) + 1 if wrapped else 0
        wrapped = f"{wrapped} {short}" if wrapped else short
        urls += [
            {
                "start": start,
                "end": start + len(short),
                "url": short,
                "expanded_url": expanded,
                "display_url": f"pic.x.com/{short[-10:]}",
                "media_key": media_key,
            }
            for media_key, expanded in media
        ]
    return WrappedText(wrapped, _entities(wrapped, urls, user_ids), has_link=bool(links))


def _entities(
    text: str, urls: list[dict[str, Any]], user_ids: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    mentions: list[dict[str, Any]] = []
    for match in _MENTION.finditer(text) if "@" in text or "＠" in text else ():
        name = match.group(1)
        mention = {"start": match.start(), "end": match.end(), "username": name}
        user_id = user_ids.get(name.casefold())
        mentions.append(mention | {"id": user_id} if user_id else mention)
    entities = {
        "urls": urls,
        "mentions": mentions,
        "hashtags": _tags(_HASHTAG, text) if "#" in text or "＃" in text else [],
        "cashtags": _tags(_CASHTAG, text) if "$" in text else [],
    }
    return {name: group for name, group in entities.items() if group}


def _tags(pattern: re.Pattern[str], text: str) -> list[dict[str, Any]]:
    return [
        {"start": match.start(), "end": match.end(), "tag": match.group(1)}
        for match in pattern.finditer(text)
    ]


def _find_with_protocol(text: str) -> Iterator[Link]:
    end_of_last = 0
    for match in _WITH_PROTOCOL.finditer(text):
        if match.start() < end_of_last:
            continue
        end = _end_of_domain(match.group("run"), strict=False)
        if end is not None:
            stop = _end_of_link(text, match.start("run") + end, match.end(), strict=False)
            yield Link(match.start(), stop, text[match.start() : stop])
            end_of_last = stop


def _end_of_domain(run: str, *, strict: bool) -> int | None:
    """Return the end of the rightmost top-level domain in `run`; None if there is none.

    `run` is a run of domain labels. `strict` is true for a domain without a protocol: only a known
    top-level domain counts then. Otherwise, any word counts. The word ends before letters of
    another script.
    """
    labels = run.split(".")
    valid = next((n for n, each in enumerate(labels) if not _is_label(each)), len(labels))
    end = len(run)
    for last in range(len(labels) - 1, 0, -1):
        label = labels[last]
        end_of_label, end = end, end - len(label) - 1
        if valid < last or "_" in labels[last - 1]:
            continue  # The registered name must not contain an underscore; subdomains may.
        ascii_part = label if strict else _ASCII_LABEL.split(label, maxsplit=1)[0]
        word = ascii_part.lower()
        if not strict and label and not ascii_part:
            return end_of_label  # The whole label is a top-level domain in another script.
        is_plausible = not strict and len(word) >= 2 and word.isalpha()
        if is_plausible or word in TOP_LEVEL_DOMAINS or word.startswith("xn--"):
            return end_of_label - len(label) + len(ascii_part)
    return None


def _is_label(label: str) -> bool:
    return 0 < len(label) <= 63 and not label.startswith("-") and not label.endswith("-")


def _end_of_link(text: str, end_of_domain: int, end_of_run: int, *, strict: bool) -> int:
    if end_of_domain != end_of_run:
        return end_of_domain
    tail = _TAIL.match(text, end_of_domain)
    if tail is None or tail.end() == end_of_domain or (strict and not tail.group("path")):
        return end_of_domain
    stop = tail.end()
    ending = _QUERY_END if tail.group("query") else _PATH_END
    while stop > end_of_domain:
        last = text[stop - 1]
        inside = text[end_of_domain : stop - 1]
        is_balanced = last != ")" or inside.count("(") > inside.count(")")
        if ending.match(last) and is_balanced:
            break
        stop -= 1
    return stop
