"""What the writer works from: a brief as a person writes it in YAML, and the draft it becomes."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self
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

from roost.agents.words import occurs
from roost.errors import BriefInvalid
from roost.input_file import read_input
from roost.text import entities

_MAX_BYTES: Final = 64 << 10
_SIMPLER: Final = {
    "extra_forbidden": "a brief has no such field",
    "missing": "is missing",
    "string_type": "is not a text",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "is not the name of an X account",
    "too_short": "is empty",
}


def _tidy(text: str) -> str:
    """One line in NFC, as X counts it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _check_link(link: str) -> str:
    found = entities(link).urls
    if [one.value for one in found] != [link] or urlsplit(link).scheme not in ("http", "https"):
        raise PydanticCustomError("link", "is not one https:// address that X would link")
    return link


def _check_tag(tag: str) -> str:
    bare = tag.removeprefix("#")
    if [one.value for one in entities(f"#{bare}").hashtags] != [bare]:
        raise PydanticCustomError("tag", "is not one hashtag: letters, digits and `_` only")
    return bare


def _none_as_empty(value: Any) -> Any:
    return () if value is None else value


Line = Annotated[str, AfterValidator(_tidy)]
Phrase = Annotated[Line, Field(max_length=100)]
Words = Annotated[Phrase, Field(min_length=1)]
Listed = BeforeValidator(_none_as_empty)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(_Strict):
    """One thing that is true and may be said, in the words in which it may be said."""

    id: Words
    text: Annotated[Line, Field(min_length=1, max_length=500)]


class Brief(_Strict):
    """What to write about, for whom and how; nothing but its facts may be claimed."""

    account: Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_]{1,15}$")]
    topic: Words
    """A phrase, not a sentence: `burst pipes`."""
    audience: Phrase = ""
    """A phrase for readers, in the language of the posts: `people with old boilers`."""
    tone: Phrase = "plain"
    """`plain`, `warm` or `formal`, or words near them."""
    language: Words = "en"
    """A code (`en`, `de-AT`) or a name; of an unknown one the facts alone are used."""
    facts: Annotated[tuple[Fact, ...], Field(min_length=1, max_length=40)]
    link: Annotated[str, AfterValidator(_check_link)] | None = None
    """Stands in every draft, exactly so."""
    tags: Annotated[tuple[Annotated[Words, AfterValidator(_check_tag)], ...], Listed] = ()
    """Stand in every draft, in this order; kept without `#`."""
    avoid: Annotated[tuple[Words, ...], Listed] = ()
    """Words and phrases that occur in no draft, in whatever case."""
    n: Annotated[int, Field(ge=1, le=50)] = 1
    """How many drafts."""

    @model_validator(mode="after")
    def _facts_have_names_of_their_own(self) -> Self:
        twice = [name for name, count in Counter(one.id for one in self.facts).items() if count > 1]
        if twice:
            raise PydanticCustomError(
                "facts", "facts: the id {name} is given twice", {"name": repr(twice[0])}
            )
        return self

    @model_validator(mode="after")
    def _link_and_tags_hold_nothing_to_avoid(self) -> Self:
        fixed = " ".join([self.link or "", *(f"#{tag}" for tag in self.tags)])
        for phrase in self.avoid:
            if occurs(phrase, fixed):
                raise PydanticCustomError(
                    "avoid",
                    "avoid: {phrase} stands in the link or the tags, which go into every draft",
                    {"phrase": repr(phrase)},
                )
        return self

    def fact_texts(self, ids: tuple[str, ...]) -> list[str]:
        """The texts of those facts that are named and exist."""
        return [fact.text for fact in self.facts if fact.id in ids]


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that could be posted, and what it rests on."""

    text: str
    fact_ids: tuple[str, ...]
    """The facts it says, in their order in the text."""
    weighted_length: int


class _PlainLoader(yaml.SafeLoader):
    """A safe loader without aliases: a few hundred bytes of them expand to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse `*name`, which `<<: [*name, …]` needs too."""
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "a brief has no aliases (`*name`)", alias.start_mark
            )
        return super().compose_node(parent, index)


def read_brief(path: Path) -> Brief:
    """Read a brief from a YAML file.

    Raises: BriefInvalid, which names each field that is wrong and why.
    """
    data = read_input(path, max_bytes=_MAX_BYTES, error=BriefInvalid)
    return _checked(_parsed(data, path.name), path.name)


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    try:
        found = yaml.load(data.decode("utf-8-sig"), Loader=_PlainLoader)  # noqa: S506
    except UnicodeDecodeError:
        raise BriefInvalid(f"{name} is not UTF-8.", next="Save it as UTF-8.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be understood"
        raise BriefInvalid(
            f"{name}{where} is not YAML: {problem}.",
            next="Put texts that hold `: ` or begin with a sign into quotes.",
        ) from None
    if not isinstance(found, dict):
        raise BriefInvalid(
            f"{name} holds no fields.", next="Begin with `account:`, `topic:` and `facts:`."
        )
    return found


def _checked(fields: dict[str, Any], name: str) -> Brief:
    try:
        return Brief.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        # A list with a wrong item is also told to be too short: that is no help.
        within = {one["loc"][:depth] for one in found for depth in range(1, len(one["loc"]))}
        wrong = [
            (".".join(map(str, one["loc"])), _SIMPLER.get(one["type"], one["msg"]))
            for one in found
            if one["loc"] not in within
        ]
        told = "; ".join(f"{where}: {why}" if where else why for where, why in wrong)
        raise BriefInvalid(
            f"{name}: {told}.",
            next="Correct these fields; a text that looks like a number or yes/no needs quotes.",
            fields=[where or why.partition(":")[0] for where, why in wrong],
        ) from None
