"""What in a text is a link, a mention or a tag, and the text as X returns it with links wrapped.

Written without a look at Roost's own rules, on purpose: which texts bill as a link must be found
twice, so that a mistake in one place shows in the other.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from x_emulator import seeded_random
from x_emulator.rules.tlds import TOP_LEVEL_DOMAINS

_LETTERS = r"A-Za-z0-9\u00C0-\u024F"
#: A run of labels and dots, in Latin letters; what stands before decides whether it may begin.
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
    """A link in a text, by position."""

    start: int
    end: int
    value: str

    @property
    def expanded(self) -> str:
        """The whole address, with the protocol that a bare domain leaves out."""
        return self.value if "://" in self.value else f"http://{self.value}"

    @property
    def display(self) -> str:
        """How X shows it: no protocol, no `www.`, 27 characters at most."""
        bare = re.sub(r"^https?://(www\.)?", "", self.expanded, flags=re.IGNORECASE)
        return bare if len(bare) <= 27 else bare[:26] + "…"


@dataclass(frozen=True)
class Wrapped:
    """A text as X returns it, with what it found in it; positions are those in `text`."""

    text: str
    entities: dict[str, list[dict[str, Any]]]
    has_link: bool


def find_links(text: str) -> list[Link]:
    """Every link, in order: with http(s), or a bare domain whose last label is a known TLD."""
    if "." not in text:
        return []
    found = list(_with_protocol(text)) if "://" in text else []
    starts, ends = [link.start for link in found], [link.end for link in found]
    for match in _BARE.finditer(text):
        before = bisect.bisect_right(starts, match.start()) - 1
        if before >= 0 and match.start() < ends[before]:
            continue
        run = match.group()
        if text[match.end() : match.end() + 1] in ("@", "+"):
            run = run.rpartition(".")[0]  # the last label belongs to what follows
        end = _end_of_domain(run, strict=True)
        if end is not None:
            # Without a protocol, a link begins after the last underscore of its subdomains.
            start = match.start() + run.rfind("_", 0, end) + 1
            stop = _end_of_link(text, match.start() + end, match.end(), strict=True)
            found.append(Link(start, stop, text[start:stop]))
    return sorted(found, key=lambda link: link.start)


def find_cashtags(text: str) -> list[str]:
    """The symbols of shares that a text names."""
    if "$" not in text:
        return []
    return [match.group(1) for match in _CASHTAG.finditer(text)]


def find_mentions(text: str) -> list[str]:
    """The usernames that a text mentions."""
    return [match.group(1) for match in _MENTION.finditer(text)]


def wrap(
    text: str, post_id: str, user_ids: dict[str, str], media: list[tuple[str, str]]
) -> Wrapped:
    """Replace links by t.co ones and add the media's link, as X does.

    `user_ids` maps case-folded usernames to ids; `media` holds (media key, expanded URL).
    """
    links = find_links(text)
    if not links and not media:
        return Wrapped(text, _entities(text, [], user_ids), has_link=False)
    parts: list[str] = []
    urls: list[dict[str, Any]] = []
    position = length = 0
    for number, link in enumerate(links):
        before = text[position : link.start]
        short = f"https://t.co/{seeded_random.letters(10, post_id, number)}"
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
    shown = "".join(parts)
    if media:
        short = f"https://t.co/{seeded_random.letters(10, post_id, 'media')}"
        start = len(shown) + 1 if shown else 0
        shown = f"{shown} {short}" if shown else short
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
    return Wrapped(shown, _entities(shown, urls, user_ids), has_link=bool(links))


def _entities(
    shown: str, urls: list[dict[str, Any]], user_ids: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    mentions: list[dict[str, Any]] = []
    for match in _MENTION.finditer(shown) if "@" in shown or "＠" in shown else ():
        name = match.group(1)
        mention = {"start": match.start(), "end": match.end(), "username": name}
        known = user_ids.get(name.casefold())
        mentions.append(mention | {"id": known} if known else mention)
    found = {
        "urls": urls,
        "mentions": mentions,
        "hashtags": _tags(_HASHTAG, shown) if "#" in shown or "＃" in shown else [],
        "cashtags": _tags(_CASHTAG, shown) if "$" in shown else [],
    }
    return {name: each for name, each in found.items() if each}


def _tags(pattern: re.Pattern[str], text: str) -> list[dict[str, Any]]:
    return [
        {"start": match.start(), "end": match.end(), "tag": match.group(1)}
        for match in pattern.finditer(text)
    ]


def _with_protocol(text: str) -> Iterator[Link]:
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
    """Where the right-most top-level domain of a run of labels ends; None: there is none.

    `strict` is for bare domains. After a protocol any word does for a top-level domain, and one
    that letters of another script follow without a space ends before them.
    """
    labels = run.split(".")
    sound = next((n for n, each in enumerate(labels) if not _is_label(each)), len(labels))
    end = len(run)
    for last in range(len(labels) - 1, 0, -1):
        label = labels[last]
        end_of_label, end = end, end - len(label) - 1
        if sound < last or "_" in labels[last - 1]:
            continue  # an underscore may stand in a subdomain, never in the registered name
        ascii_part = label if strict else _ASCII_LABEL.split(label, maxsplit=1)[0]
        word = ascii_part.lower()
        if not strict and label and not ascii_part:
            return end_of_label  # a top-level domain in a script of its own
        likely = not strict and len(word) >= 2 and word.isalpha()
        if likely or word in TOP_LEVEL_DOMAINS or word.startswith("xn--"):
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
        balanced = last != ")" or inside.count("(") > inside.count(")")
        if ending.match(last) and balanced:
            break
        stop -= 1
    return stop
