"""Briefs, which people write in YAML, and the drafts of posts that are made from briefs."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from roost.agents.words import contains_phrase
from roost.errors import BriefInvalid
from roost.input_file import read_input
from roost.invalid_values import describe_invalid
from roost.text import extract_entities

_MAX_BYTES: Final = 64 << 10
#: The default of `Brief.limit`, a weighted length. It is below the limit of X, so that an editor
#: can still add words to a draft.
DEFAULT_LIMIT: Final = 240
#: The greatest weighted length that X accepts in a post of an account without Premium.
HARD_LIMIT: Final = 280
#: For each type of pydantic's errors, a message to the author of a brief. Pydantic's own messages
#: use programmers' terms.
_MESSAGES: Final = {
    "extra_forbidden": "a brief has no such field",
    "missing": "is missing",
    "string_type": "is not text",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "is not the name of an X account",
    "too_short": "is empty",
}


def _to_one_line(text: str) -> str:
    """Return a text on one line, normalized to NFC, because X counts characters in NFC."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _check_link(link: str) -> str:
    urls = [url.value for url in extract_entities(link).urls]
    if urls != [link] or urlsplit(link).scheme not in ("http", "https"):
        raise PydanticCustomError("link", "is not one https:// address that X would link")
    return link


def _check_tag(tag: str) -> str:
    name = tag.removeprefix("#")
    if [hashtag.value for hashtag in extract_entities(f"#{name}").hashtags] != [name]:
        raise PydanticCustomError("tag", "is not one hashtag of letters, digits and `_`")
    return name


def _check_mention(name: str) -> str:
    name = name.removeprefix("@")
    if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", name):
        raise PydanticCustomError("mention", "is not the name of an X account")
    return name


def _none_as_empty(value: Any) -> Any:
    return () if value is None else value


Line = Annotated[str, AfterValidator(_to_one_line)]
Phrase = Annotated[Line, Field(max_length=100)]
RequiredPhrase = Annotated[Phrase, Field(min_length=1)]
NoneAsEmpty = BeforeValidator(_none_as_empty)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(_Strict):
    """A true statement that drafts may make, with its source and its last day of validity."""

    id: RequiredPhrase
    text: Annotated[Line, Field(min_length=1, max_length=500)]
    follows: Phrase | None = None
    """The id of another fact. This fact is stated only directly after that fact, in one draft."""
    source: Annotated[Line, Field(max_length=300)] = ""
    """Says how the fact is known: a page, a document, a person. No draft contains the source."""
    valid_until: date | None = None
    """The last day on which the fact is true."""


class Compliance(_Strict):
    """What the law or X requires a post to say about itself."""

    paid_partnership: bool = False
    """Whether the post is marked as a paid partnership on X."""
    disclaimer: Annotated[Line, Field(max_length=140)] = ""
    """A text that code adds unchanged to every draft."""
    made_with_ai: bool = False
    """Whether the media of the post are marked as made with AI on X."""


class Brief(_Strict):
    """A brief: the topic, audience and tone of drafts, and the facts that drafts may state.

    A draft must not claim anything that the facts do not state.
    """

    account: Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_]{1,15}$")]
    topic: RequiredPhrase
    """A phrase in the language of the posts, not a sentence: `burst pipes`."""
    audience: Phrase = ""
    """A phrase for the readers, in the language of the posts: `people with old boilers`."""
    tone: Phrase = "plain"
    """`plain`, `warm`, `formal` or a similar word."""
    language: RequiredPhrase = "en"
    """A code (`en`, `de-AT`) or a name."""
    facts: Annotated[tuple[Fact, ...], Field(min_length=1, max_length=40)]
    link: Annotated[str, AfterValidator(_check_link)] | None = None
    """The address that every draft contains unchanged."""
    tags: Annotated[
        tuple[Annotated[RequiredPhrase, AfterValidator(_check_tag)], ...], NoneAsEmpty
    ] = ()
    """Hashtags without `#`; every draft contains all of them in this order."""
    avoid: Annotated[tuple[RequiredPhrase, ...], NoneAsEmpty] = ()
    """Words and phrases that no draft contains, regardless of case."""
    n: Annotated[int, Field(ge=1, le=50)] = 1
    """The number of drafts."""
    version: Annotated[int, Field(ge=1)] = 1
    """The version of the brief, which the provenance of each draft names."""
    goal: Annotated[Line, Field(max_length=300)] = ""
    """What readers should know or do after the post."""
    voice: Annotated[Line, Field(max_length=300)] = ""
    """How the brand speaks: `short sentences, no jokes`."""
    call_to_action: Annotated[Line, Field(max_length=140)] = ""
    """A sentence that a draft may contain without a fact: `Book a table.`"""
    link_use: Literal["none", "optional", "required"] | None = None
    """Whether a draft has the link. The default is `required` if the brief has a link."""
    tags_allowed: Annotated[
        tuple[Annotated[RequiredPhrase, AfterValidator(_check_tag)], ...], NoneAsEmpty
    ] = ()
    """Hashtags that a draft may contain besides `tags`."""
    max_tags: Annotated[int, Field(ge=0, le=30)] | None = None
    """The most hashtags of a draft. The default is the number of `tags` and `tags_allowed`."""
    mentions_allowed: Annotated[
        tuple[Annotated[str, AfterValidator(_check_mention)], ...], NoneAsEmpty
    ] = ()
    """Accounts, without `@`, that a draft may mention besides those in its facts."""
    require: Annotated[tuple[RequiredPhrase, ...], NoneAsEmpty] = ()
    """Words and phrases that every draft contains, regardless of case."""
    limit: Annotated[int, Field(ge=40, le=HARD_LIMIT)] = DEFAULT_LIMIT
    """The weighted length of each part is smaller than this."""
    form: Literal["post", "thread"] = "post"
    """Whether a draft is a single post or a thread of several parts."""
    compliance: Compliance = Compliance()
    examples: Annotated[
        tuple[Annotated[Line, Field(min_length=1, max_length=1000)], ...],
        NoneAsEmpty,
        Field(max_length=10),
    ] = ()
    """The account's own best posts: a model imitates their tone and copies none of their words."""

    @model_validator(mode="after")
    def _check_fact_ids_are_unique(self) -> Self:
        counts = Counter(fact.id for fact in self.facts)
        repeated = [fact_id for fact_id, count in counts.items() if count > 1]
        if repeated:
            raise PydanticCustomError(
                "facts", "facts: two facts have the id {id}", {"id": repr(repeated[0])}
            )
        return self

    @model_validator(mode="after")
    def _check_facts_follow_facts_that_stand_alone(self) -> Self:
        alone = {fact.id for fact in self.facts if fact.follows is None}
        for fact in self.facts:
            if fact.follows is not None and fact.follows not in alone:
                known = any(fact.follows == each.id for each in self.facts)
                raise PydanticCustomError(
                    "follows",
                    "facts: {id} follows {lead}, which {reason}",
                    {
                        "id": repr(fact.id),
                        "lead": repr(fact.follows),
                        "reason": "itself follows a fact" if known else "is not the id of a fact",
                    },
                )
        return self

    @model_validator(mode="after")
    def _check_link_and_tags_are_not_avoided(self) -> Self:
        link_and_tags = " ".join([self.link or "", *(f"#{tag}" for tag in self.tags)])
        for phrase in self.avoid:
            if contains_phrase(link_and_tags, phrase):
                raise PydanticCustomError(
                    "avoid",
                    "avoid: {phrase} occurs in the link or the tags, which every draft contains",
                    {"phrase": repr(phrase)},
                )
        return self

    @model_validator(mode="after")
    def _check_link_use_has_a_link(self) -> Self:
        if self.link is None and self.link_use in ("optional", "required"):
            raise PydanticCustomError("link_use", "link_use: the brief has no link")
        return self

    @property
    def link_rule(self) -> Literal["none", "optional", "required"]:
        """Whether a draft contains the link: `link_use`, or its default if it is not set.

        The value is `none` if the brief has no link.
        """
        if self.link is None:
            return "none"
        return self.link_use or "required"

    @property
    def tag_maximum(self) -> int:
        """The most hashtags of a draft: `max_tags`, or its default if it is not set."""
        if self.max_tags is not None:
            return self.max_tags
        return len({*self.tags, *self.tags_allowed})


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that can be posted, and the ids of the facts on which it is based."""

    text: str
    fact_ids: tuple[str, ...]
    """The ids of the facts that the draft states, in the order of the text."""
    weighted_length: int


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that refuses aliases: a short file with aliases can expand to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Read the next node of the YAML file; raise a ComposerError if it is an alias.

        An alias is `*name`. A merge of aliases (`<<: [*name, …]`) is therefore refused too.
        """
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "a brief has no aliases (`*name`)", alias.start_mark
            )
        return super().compose_node(parent, index)


def read_brief(path: Path) -> Brief:
    """Read a brief from a YAML file.

    Raises: BriefInvalid (the message names each invalid field and the reason).
    """
    data = read_input(path, max_bytes=_MAX_BYTES, error=BriefInvalid)
    return parse_brief(data, path.name)


def parse_brief(data: bytes, name: str) -> Brief:
    """Parse a brief in YAML or JSON; error messages call the brief `name`.

    Raises: BriefInvalid (the message names each invalid field and the reason).
    """
    if len(data) > _MAX_BYTES:
        raise BriefInvalid(f"{name} is larger than {_MAX_BYTES >> 10} KiB.", next="Shorten it.")
    return make_brief(_parse(data, name), name)


def _parse(data: bytes, name: str) -> dict[str, Any]:
    try:
        fields = yaml.load(data.decode("utf-8-sig"), Loader=_PlainLoader)  # noqa: S506
    except UnicodeDecodeError:
        raise BriefInvalid(f"{name} is not UTF-8.", next="Save the file as UTF-8.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise BriefInvalid(
            f"{name}{where} is not YAML: {problem}.",
            next="Quote texts that contain `: ` or begin with a punctuation mark.",
        ) from None
    if not isinstance(fields, dict):
        raise BriefInvalid(
            f"{name} has no fields.", next="Start with `account:`, `topic:` and `facts:`."
        )
    return fields


def make_brief(fields: dict[str, Any], name: str) -> Brief:
    """Create a brief from its fields; error messages call the brief `name`.

    Raises: BriefInvalid. In the error's facts, `fields` lists the invalid fields, and `reasons`
    lists the reason for each of them.
    """
    try:
        return Brief.model_validate(fields)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        # If an item of a list is invalid, Pydantic also reports that the list is too short. That
        # second message would mislead, so it is dropped.
        parents = {
            detail["loc"][:depth] for detail in details for depth in range(1, len(detail["loc"]))
        }
        reasons = [
            (".".join(map(str, detail["loc"])), describe_invalid(detail, _MESSAGES))
            for detail in details
            if detail["loc"] not in parents
        ]
        message = "; ".join(f"{field}: {why}" if field else why for field, why in reasons)
        raise BriefInvalid(
            f"{name}: {message}.",
            next="Correct these fields. Quote texts that look like a number or like yes or no.",
            fields=[field or why.partition(":")[0] for field, why in reasons],
            reasons=[why if field else why.partition(": ")[2] for field, why in reasons],
        ) from None
