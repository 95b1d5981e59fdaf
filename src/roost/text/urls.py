"""Finds the URLs that X links in a text, with or without a protocol, in linear time.

The rules are those of the regular expression of twitter-text 3.1. That expression backtracks
catastrophically on hostile input, so this module looks up the top-level domain after each dot
instead. One pass from right to left over a run of domain characters finds, for each label, the end
of the domain that starts with this label.
"""

import re
from functools import lru_cache

from roost.text._tld_data import TABLE
from roost.text.characters import FORBIDDEN_CHARACTERS

LATIN_ACCENTS = (
    "\xc0-\xd6\xd8-\xf6\xf8-\xff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268"
    "\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
# Every character that is neither a letter of a domain nor `.`, `-` or `_`.
_OUTSIDE = (
    r"[!'#%&()*+,\\/:;<=>?@\[\]\^{|}~$"
    "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069" + FORBIDDEN_CHARACTERS + "]"
)
_UP_TO_RUN = re.compile(f".*{_OUTSIDE}", re.DOTALL)
_AFTER_RUN = re.compile(_OUTSIDE)
_MAY_PRECEDE = "[^A-Za-z0-9@＠$#＃" + FORBIDDEN_CHARACTERS + "]"
_may_precede = re.compile(_MAY_PRECEDE).match
_LABEL_START = re.compile(f"(?<={_MAY_PRECEDE})[^._-]|[\U00010000-\U0010ffff]")
# The usual URL: a protocol, and a host of valid labels that ends where the domain characters end.
_LETTER = _OUTSIDE.replace("[", "[^-._", 1)
_PLAIN = re.compile(
    rf"https?://((?:{_LETTER}++(?:-++{_LETTER}++)*+\.)++)({_LETTER}++)(?={_OUTSIDE}|\Z)(?![@+])"
)
_PLAIN_HOST = re.compile(r"(?:[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+\.)++([A-Za-z]++)")
_ASCII_RUN = re.compile(f"[-A-Za-z0-9{LATIN_ACCENTS}][-A-Za-z0-9.{LATIN_ACCENTS}]*")

_TLDS = frozenset(TABLE.split())
_OTHER_TLDS: dict[str, list[str]] = {}
for _name in sorted(_TLDS, key=len, reverse=True):
    if not _name.isascii():
        _OTHER_TLDS.setdefault(_name[0], []).append(_name)
_TLD = re.compile(
    r"\.(?:([Xx][Nn]--[-0-9A-Za-z]+)"
    r"|([A-Za-z]{2,24}+)(?![0-9A-Za-z@+-])"
    r"|(?=[^\x00-\x7f]))"
)
_ends_tld = re.compile(r"[^0-9A-Za-z@+-]|\Z").match

_IN_PATH = r"[A-Za-z0-9!*';:=+,.$/%#\[\]\-–_~@|&" + "\u0400-\u04ff" + LATIN_ACCENTS + "]"
_PARENTHESES = rf"\((?:{_IN_PATH}++\)|{_IN_PATH}*+\({_IN_PATH}++\){_IN_PATH}*+\))"
_PATH_PIECE = re.compile(rf"{_IN_PATH}++|{_PARENTHESES}")
_port_and_path = re.compile(rf"(?::[0-9]+)?(/(?:{_IN_PATH}++|{_PARENTHESES})*+)?").match
_NEVER_LAST_IN_PATH = "!*';:,.$%[]–~@|&"
_query = re.compile(r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]+").match
_NEVER_LAST_IN_QUERY = "!?*'@();:+$%[].,~|"
_short_link = re.compile(r"[Hh][Tt]{2}[Pp][Ss]?://[Tt]\.[Cc][Oo]/([A-Za-z0-9]+)").match

LONGEST_URL = 4096
LONGEST_LABEL = 63
LONGEST_SHORT_LINK_SLUG = 40


def url_spans(text: str) -> list[tuple[int, int]]:
    """Return start and end (code points) of every URL of an NFC text, left to right."""
    found: list[tuple[int, int]] = []
    at = 0  # The text before this position belongs to earlier matches.
    hit = _TLD.search(text)
    plain = _PLAIN.search(text) if hit else None
    while hit:
        dot = last = hit.start()
        while plain and plain.start() < at:
            plain = _PLAIN.search(text, at)
        if plain and plain.start() < dot < plain.end() and _is_plain(text, plain, at):
            start = plain.start()
            at, _ = _end_of_url(text, plain.end())
            if _is_short_enough(text, start, at, plain.start(1) - start):
                found.append((start, at))
        elif _tld_end(text, hit):
            before = _UP_TO_RUN.match(text, at, dot)
            after = _AFTER_RUN.search(text, dot)
            last = after.start() if after else len(text)
            first = before.end() if before else at
            if _is_plain_host(text, first, last, at):
                at, has_path = _end_of_url(text, last)
                end = at if has_path else last
                if _is_short_enough(text, first, end, len("https://")):
                    found.append((first, end))
            else:
                at = _read_run(text, (first, last), at, found)
        hit = _TLD.search(text, max(at, last, dot + 1))
    return found


def _is_plain(text: str, plain: re.Match[str], at: int) -> bool:
    """Return whether a match of `_PLAIN` is certainly a URL; if not, the full rules decide."""
    start, end = plain.span()
    labels, tld = plain.groups()
    return (
        tld.lower() in _TLDS
        and (start == 0 or (start > at and _may_precede(text, start - 1) is not None))
        and not labels.startswith(("t.", "T.", "xn--"))
        and (
            end - start < LONGEST_LABEL
            and (labels.isascii() or all(map(_is_label, labels.split(".")[:-1])))
        )
    )


def _is_plain_host(text: str, first: int, last: int, at: int) -> bool:
    """Return whether the run `text[first:last]` is certainly a URL without a protocol.

    A run consists of domain characters. Here, the whole run must be one ASCII domain.
    """
    host = _PLAIN_HOST.fullmatch(text, first, last)
    return (
        host is not None
        and last - first <= LONGEST_LABEL
        and host[1].lower() in _TLDS
        and text[last : last + 1] not in ("@", "+")
        and (
            first == 0
            or (first > at and text[first - 1] != "/" and bool(_may_precede(text, first - 1)))
        )
    )


def _tld_end(text: str, hit: re.Match[str]) -> int:
    """Return the end of the top-level domain after a dot; 0 if no such domain follows."""
    name = hit[2]
    if hit[1] or (name and name.lower() in _TLDS):
        return hit.end()
    start = hit.start() + 1
    for other in _OTHER_TLDS.get(text[start : start + 1].lower(), ()):
        end = start + len(other)
        if text[start:end].lower() == other and _ends_tld(text, end):
            return end
    return 0


def _read_run(
    text: str,
    run: tuple[int, int],
    at: int,
    found: list[tuple[int, int]],
) -> int:
    """Add to `found` the URLs that begin in one run of domain characters.

    Return the position at which the search continues. Like twitter-text's expression, a match takes
    the leftmost start, then the rightmost top-level domain. The characters of a match are used up,
    even if the match turns out not to be a URL: a later match can neither contain such a character
    nor directly follow one.
    """
    first, last = run
    hits = _TLD.finditer(text, first, last + 1)
    tld_ends = {hit.start(): end for hit in hits if (end := _tld_end(text, hit))}
    dots = [first - 1]
    while (dot := text.find(".", dots[-1] + 1, last)) >= 0:
        dots.append(dot)
    last_tld_dots = _find_last_tld_dots(text, dots, tld_ends)
    label = 1
    while label < len(dots):
        dot = dots[label]
        low = dots[label - 1] + 1
        final = last_tld_dots[label + 1]
        if low == dot or text[dot - 1] in "-_":
            final = 0
        elif not final and dot in tld_ends:
            final = label
            low = max(low, text.rfind("_", low, dot) + 1)
        url_start = _find_url_start(text, low, dot, first, at) if final else None
        if url_start is None:
            label += 1
            continue
        host = tld_ends[dots[final]]
        end, has_path = _end_of_url(text, host) if host == last else (host, False)
        start, domain = url_start
        if domain > start or start == at or text[start - 1] not in "-_./":
            found += _select_urls(text, url_start, host, end, has_path, tld_ends)
        at = end
        label = final + 1
    return at


def _find_last_tld_dots(text: str, dots: list[int], tld_ends: dict[int, int]) -> list[int]:
    """For each label, find the longest domain that starts with the label.

    The result has, for each label, the index in `dots` of the dot before the domain's top-level
    domain. The index is 0 if no domain can start with the label.
    """
    last_tld_dots = [0] * (len(dots) + 1)
    for label in range(len(dots) - 1, 0, -1):
        start, dot = dots[label - 1] + 1, dots[label]
        if start == dot or text[start] in "-_" or text[dot - 1] in "-_":
            continue
        if last_tld_dots[label + 1]:
            last_tld_dots[label] = last_tld_dots[label + 1]
        elif dot in tld_ends and text.find("_", start, dot) < 0:
            last_tld_dots[label] = label
    return last_tld_dots


def _find_url_start(text: str, low: int, dot: int, first: int, at: int) -> tuple[int, int] | None:
    """Return the start of a URL, and the start of the URL's domain in `text[low:dot]`.

    `text[low:dot]` is one label. The two positions differ if the URL has a protocol. Return None if
    no URL has a domain that starts in the label.
    """
    if low == first and text[low] not in "-_":
        if text.startswith("://", low - 3):
            for scheme in ("http://", "https://"):
                start = low - len(scheme)
                if text[max(start, 0) : low].lower() == scheme and (
                    start == 0 or (start > at and _may_precede(text, start - 1))
                ):
                    return start, low
        if low == at == 0:
            # At the start of a text, twitter-text also tries the first character as the character
            # before the URL, so that the URL starts with the second character.
            skips = dot > 1 and text[1] not in "-_" and _may_precede(text, 0)
            return (1, 1) if skips else (0, 0)
    if text[low] > "\uffff":
        # In UTF-16, which twitter-text reads, a character above U+FFFF has two halves. The first
        # half counts as the character before the URL.
        return low, low
    match = _LABEL_START.search(text, max(low, at + 1), dot)
    return (match.start(), match.start()) if match else None


def _end_of_url(text: str, host: int) -> tuple[int, bool]:
    """Return the end of the port, path and query after a domain, and whether there is a path."""
    if text[host : host + 1] not in ("/", "?", ":"):
        return host, False
    match = _port_and_path(text, host)
    assert match is not None
    end = match.end()
    path = match[1]
    if path:
        end = match.start(1) + _path_length(path)
    if text.startswith("?", end) and (query := _query(text, end)):
        end += len(query[0].rstrip(_NEVER_LAST_IN_QUERY))
    return end, path is not None


def _path_length(path: str) -> int:
    """Return the length of a path, which ends with its last letter, digit or one of `+-=_#/`.

    Parentheses belong to the path if they follow one of these characters, or other parentheses that
    belong to the path.
    """
    if "(" not in path:
        return len(path.rstrip(_NEVER_LAST_IN_PATH))
    length = 1
    continues = True
    for piece in _PATH_PIECE.finditer(path, 1):
        if path[piece.start()] == "(":
            length = piece.end() if continues else length
            continue
        kept = len(piece[0].rstrip(_NEVER_LAST_IN_PATH))
        continues = kept == len(piece[0])
        length = piece.start() + kept if kept else length
    return length


def _select_urls(
    text: str,
    url_start: tuple[int, int],
    host: int,
    end: int,
    has_path: bool,
    tld_ends: dict[int, int],
) -> list[tuple[int, int]]:
    """Return the URLs in a match.

    If the match has a protocol, the URL is the whole match; a `t.co` link ends after its slug or
    query. Without a protocol, the URLs are the domains of ASCII and accented Latin characters in
    the match. A match that is too long or has an invalid label contains no URL.
    """
    start, domain = url_start
    protocol_length = domain - start or len("https://")
    if not _is_short_enough(text, start, end, protocol_length):
        return []
    labels = text[domain:host].split(".")
    if not all(map(_is_label, labels)):
        return []
    if labels[0].startswith("xn--") and not _ascii_domains(text, domain, host, tld_ends):
        return []
    if domain > start:
        short = _short_link(text, start, end)
        if short is None:
            return [(start, end)]
        if len(short[1]) > LONGEST_SHORT_LINK_SLUG:
            return []
        query = _query(text, short.end(), end)
        tail = len(query[0].rstrip(_NEVER_LAST_IN_QUERY)) if query else 0
        return [(start, short.end() + tail)]
    domains = _ascii_domains(text, domain, host, tld_ends)
    if domains and has_path:
        domains[-1] = (domains[-1][0], end)
    return domains


def _ascii_domains(
    text: str, start: int, end: int, tld_ends: dict[int, int]
) -> list[tuple[int, int]]:
    """Return the spans of `text[start:end]` that are domains of ASCII or accented characters."""
    found = []
    while run := _ASCII_RUN.search(text, start, end):
        start = run.end()
        dot = text.rfind(".", run.start(), start)
        while dot >= 0 and dot not in tld_ends:
            dot = text.rfind(".", run.start(), dot)
        if dot >= 0:
            start = tld_ends[dot]
            found.append((run.start(), start))
    return found


def _is_short_enough(text: str, start: int, end: int, protocol_length: int) -> bool:
    """Return whether a URL, plus its protocol, has at most 4,096 UTF-16 units.

    A protocol that the text contains is counted twice, as in twitter-text.
    """
    length = end - start + protocol_length
    if length <= LONGEST_URL // 2:
        return True
    return length + sum(char > "\uffff" for char in text[start:end]) <= LONGEST_URL


def _is_label(label: str) -> bool:
    """Return whether a label has a valid length for DNS in ASCII form: 1 to 63 characters."""
    if label.isascii() or len(label) > LONGEST_LABEL:
        return 0 < len(label) <= LONGEST_LABEL
    # In Punycode, nine characters become at most 58: six for each character, four for the prefix.
    return len(label) <= 9 or _punycode_length(label) <= LONGEST_LABEL


@lru_cache(maxsize=1024)
def _punycode_length(label: str) -> int:
    parts = re.split("[\u3002\uff0e\uff61]", label)
    encoded = (
        len(part) if part.isascii() else len("xn--" + part.encode("punycode").decode())
        for part in parts
    )
    return sum(encoded) + len(parts) - 1
