"""What X counts, links and tags in a text, for the oracle of `./dev bench writer`.

Written from X's published rules and without reading `roost.text`, so that a mistake there cannot
hide here. The searches find more than X links: a domain in full-width letters counts too.
"""

import re
import unicodedata

URL_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Ranges of code points that count as one; every other code point counts as two."""

_PICTURE = (
    "\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2934\u2935"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\u00a9\u00ae\u203c\u2049\u2122\u2139"
)
_ONE_EMOJI = f"[{_PICTURE}]\ufe0f?[\U0001f3fb-\U0001f3ff]?"
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE_EMOJI}(?:\u200d{_ONE_EMOJI})*"
)

_TLDS = (
    "com|net|org|io|app|dev|shop|store|info|biz|co|uk|de|es|fr|jp|eu|ai|me|tv|ly|gg|xyz|online"
    "|site|club|be|ch|at|it|nl|us|ca|au|link|page|top|deals|live|world|today|news|blog|art"
)
_LABEL = "[a-z0-9\u00e0-\u00ff](?:[a-z0-9\u00e0-\u00ff-]*[a-z0-9\u00e0-\u00ff])?"
_URL = re.compile(
    r"https?://[^\s<>\"“”«»（）「」、。]+"
    rf"|(?<![a-z0-9@#$._/-])(?:{_LABEL}\.)+(?:{_TLDS})(?![a-z0-9-])(?:/[a-z0-9/_.~%?=&+-]*)?",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?)»”"

_HIDDEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200c\u2060-\u2064\ufeff]"
)
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_EMOJI_ONLY = re.compile("[\u200d\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f]")


def find_urls(text: str) -> list[str]:
    """Return all URLs and bare domains, in the order of the text."""
    return [match.group().rstrip(_TRAILING) for match in _URL.finditer(text)]


def find_tags(text: str) -> list[str]:
    """Return all hashtags without their signs, ASCII or full-width."""
    return re.findall(r"[#＃](\w+)", _without_urls(text))


def find_mentions(text: str) -> list[str]:
    """Return all mentions without their signs, ASCII or full-width."""
    return re.findall(r"[@＠](\w{1,20})", _without_urls(text))


def find_cashtags(text: str) -> list[str]:
    """Return all cashtags without their signs."""
    return re.findall(r"\$([A-Za-z]{1,6})(?![A-Za-z0-9])", text)


def count_weight(text: str) -> int:
    """Return the weighted length of a text, as X counts it."""
    text = unicodedata.normalize("NFC", text)
    urls = find_urls(text)
    rest = _without_urls(text, keep=_TRAILING)
    emoji = _EMOJI.findall(rest)
    letters = _EMOJI.sub("", rest)
    weight = sum(1 if _is_light(ord(letter)) else 2 for letter in letters)
    return weight + 2 * len(emoji) + URL_WEIGHT * len(urls)


def find_hidden_characters(text: str) -> list[str]:
    """Return invisible characters: zero-width and bidi ones outside emoji, and controls."""
    outside = _EMOJI.sub("", text)
    found = _HIDDEN.findall(text) + _BIDI.findall(text) + _EMOJI_ONLY.findall(outside)
    controls = [each for each in text if unicodedata.category(each) == "Cc" and each != "\n"]
    return found + controls


def to_plain(text: str) -> str:
    """Return a text's letters and digits in one spelling, with single spaces for the rest."""
    visible = _HIDDEN.sub("", _BIDI.sub("", _EMOJI_ONLY.sub("", text)))
    spelled = unicodedata.normalize("NFKC", visible).casefold()
    return " ".join(re.findall(r"\w+", spelled))


def to_visible(text: str) -> str:
    """Return a text in NFKC, without invisible characters."""
    return unicodedata.normalize("NFKC", _HIDDEN.sub("", _BIDI.sub("", text)))


def to_windows(text: str, words: int) -> set[str]:
    """Return all runs of so many words; in a text without spaces, runs of twice the letters."""
    plain = to_plain(text)
    if re.search("[\u3040-\u30ff\u4e00-\u9fff]", plain):
        letters, size = plain.replace(" ", ""), 2 * words
        return {letters[at : at + size] for at in range(len(letters) - size + 1)}
    tokens = plain.split()
    return {" ".join(tokens[at : at + words]) for at in range(len(tokens) - words + 1)}


def _without_urls(text: str, keep: str = "") -> str:
    """Return a text without its URLs. The punctuation after a URL stays if it is in `keep`."""

    def tail(match: re.Match[str]) -> str:
        whole = match.group()
        return "".join(each for each in whole[len(whole.rstrip(_TRAILING)) :] if each in keep)

    return _URL.sub(tail, text)


def _is_light(code: int) -> bool:
    return any(first <= code <= last for first, last in _LIGHT)
