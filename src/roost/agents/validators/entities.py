"""Checks that all links, hashtags, mentions and cashtags of a draft are in the brief."""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from roost.agents.validators.candidate import Candidate, Context, find_entities

#: Finds addresses that X does not turn into links, but that a reader may try: other schemes, IP
#: addresses, reserved domains, and dots in words (`example dot com`).
_address = re.compile(
    r"[a-z][a-z0-9+.-]*://|(?<![a-z])www\.|(?<![a-z])hxxps?(?![a-z])"
    r"|(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)"
    r"|[a-z0-9-]+\s?(?:\[|\()\s?(?:dot|\.)\s?(?:\]|\))\s?[a-z]{2,}"
    r"|[a-z0-9-]+\.(?:example|test|invalid|localhost|local|onion|internal|lan|corp)(?![a-z0-9-])"
    r"|[a-z0-9-]+ dot (?:com|org|net|io|co|de|fr|es|jp)(?![a-z])"
).findall
#: Inserts a space into `example.com10`, so that `example.com` is found. X does not turn
#: `example.com10` into a link, but a reader may try it.
_detach_digits = functools.partial(re.compile(r"(\.[a-z]{2,24})(?=[\d_])").sub, r"\1 ")
_spells_mention = re.compile(r"@\s?[a-z0-9_]{2,}").findall
_spells_tag = re.compile(r"(?<![&\w])#\s?[^\W\d][\w]*").findall
_spells_cashtag = re.compile(r"\$[a-z]{1,6}(?:[._][a-z]{1,2})?(?![a-z])").findall
_MAX_CASHTAGS: Final = 1


def check_links(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find addresses that are not in the brief, and a link that is missing or superfluous."""
    brief = context.brief
    urls = [url for part in candidate.parts for url in _urls(part)]
    allowed = {url for fact in brief.facts for url in _urls(fact.text)}
    allowed |= {url for text in context.brief_texts for url in _urls(text)}
    for url in urls:
        if url != brief.link and url not in allowed:
            yield f"E-LINK: {url}"
    count = urls.count(brief.link) if brief.link else 0
    if brief.link_rule == "required" and count != 1:
        yield f"E-LINK: {count} of 1 slot"
    if brief.link_rule == "optional" and count > 1:
        yield f"E-LINK: {count} slots"
    if brief.link_rule == "none" and count:
        yield "E-LINK: no slot permitted"
    for part in candidate.parts:
        rest = _fold(_without(part, urls))
        for address in [*_address(rest), *_urls(_detach_digits(rest))]:
            if address not in context.folded_texts:
                yield f"E-LINK: {address}"


def check_tags(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find hashtags that are not in the brief, missing required ones, and too many hashtags."""
    brief = context.brief
    found = [tag.value for part in candidate.parts for tag in find_entities(part).hashtags]
    in_facts = {tag.value for text in context.all_texts for tag in find_entities(text).hashtags}
    allowed = {*brief.tags, *brief.tags_allowed, *in_facts}
    for tag in found:
        if tag not in allowed:
            yield f"E-TAG: #{tag}"
    for tag in brief.tags:
        if found.count(tag) != 1:
            yield f"E-TAG: #{tag} {found.count(tag)} times"
    added = [tag for tag in found if tag not in in_facts]
    if len(added) > max(brief.tag_maximum, len(brief.tags)):
        yield f"E-TAG: {len(added)} tags"
    for part in candidate.parts:
        rest = _without(part, [f"#{tag}" for tag in allowed])
        for spelled in _spells_tag(_fold(rest)):
            if spelled not in context.folded_texts:
                yield f"E-TAG: {spelled}"


def check_mentions(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find mentions that are not in the brief, and mentions at the beginning of a part."""
    brief = context.brief
    allowed = {name.lower() for name in brief.mentions_allowed}
    allowed |= {
        mention.value.lower()
        for text in context.all_texts
        for mention in find_entities(text).mentions
    }
    for part in candidate.parts:
        mentions = find_entities(part).mentions
        for mention in mentions:
            if mention.value.lower() not in allowed:
                yield f"E-MENTION: @{mention.value}"
        if mentions and not part[: mentions[0].start].strip():
            yield "E-MENTION: at the start"
        rest = _without(part, [f"@{mention.value}" for mention in mentions])
        for spelled in _spells_mention(_fold(rest)):
            if spelled not in context.folded_texts:
                yield f"E-MENTION: {spelled}"


def check_cashtags(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find cashtags that are not in the brief, and parts with more cashtags than X accepts."""
    allowed = {
        tag.value.lower() for text in context.all_texts for tag in find_entities(text).cashtags
    }
    for part in candidate.parts:
        spelled = [each[1:] for each in _spells_cashtag(_fold(part)) if each[1:] != "us"]
        for tag in spelled:
            if tag not in allowed:
                yield f"E-CASHTAG: ${tag}"
        if len(spelled) > _MAX_CASHTAGS:
            yield f"E-CASHTAG: {len(spelled)} in a part"


def _fold(text: str) -> str:
    """Fold a text, and replace full-width and small forms of characters by ordinary ones.

    X turns some addresses in such characters into links, and readers can read all of them.
    """
    return unicodedata.normalize("NFKC", text).casefold()


def _urls(text: str) -> list[str]:
    return [url.value for url in find_entities(text).urls]


def _without(text: str, values: list[str]) -> str:
    for value in sorted(set(values), key=len, reverse=True):
        text = text.replace(value, " ")
    return text
