"""Reads the form of a brief, and finds the form's field for each problem of the brief."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Final, Self

from roost.agents.brief import Brief, make_brief, parse_brief
from roost.agents.brief_lint import lint_brief
from roost.errors import BriefInvalid
from roost.models import Integration, IntegrationStatus

#: The name of a fact before its text: `hours: We open at 7.` Capitals are no name, so that a text
#: such as `Note: we are closed` stays whole.
_NAMED_FACT: Final = re.compile(r"([a-z][a-z0-9_-]{0,39}):\s+(.*)")
#: White space and commas, also those of CJK keyboards.
_TAG_SEPARATOR: Final = re.compile(r"[\s,、，]+")
#: What a message calls each field of the form.
_NAMES: Final[Mapping[str, str]] = {
    "account": "The account",
    "topic": "The topic",
    "facts": "The list of facts",
    "link": "The link",
    "link_use": "The use of the link",
    "tags": "The list of hashtags",
    "language": "The language",
    "tone": "The tone",
    "n": "The number of drafts",
    "form": "The form",
}
_ITEMS: Final[Mapping[str, str]] = {"facts": "Fact", "tags": "Hashtag"}


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """A problem of the brief, at a field of the form."""

    message: str
    is_error: bool
    """Whether no draft can be written; otherwise the finding is a warning."""


@dataclass(frozen=True, slots=True)
class BriefForm:
    """The texts of the form's fields, as a person has typed them."""

    account: str = ""
    topic: str = ""
    facts: str = ""
    """A fact in each line, with or without a name: `hours: We open at 7.`"""
    link: str = ""
    link_use: str = "required"
    tags: str = ""
    language: str = "en"
    tone: str = "plain"
    n: str = "3"
    form: str = "post"
    brief: str = ""
    """A whole brief in YAML or JSON, from the other form of the page."""

    @classmethod
    def of(cls, submitted: Mapping[str, Any]) -> Self:
        """Return the form that a browser has submitted; fields of other names are ignored."""
        names = [each.name for each in fields(cls)]
        texts = {name: submitted[name] for name in names if isinstance(submitted.get(name), str)}
        # A browser sends line ends as CRLF.
        return cls(**{name: text.replace("\r\n", "\n") for name, text in texts.items()})

    @property
    def is_pasted(self) -> bool:
        """Whether the brief is given as one text."""
        return bool(self.brief.strip())

    def read(self) -> Brief:
        """Return the brief. Raises: BriefInvalid."""
        if self.is_pasted:
            return parse_brief(self.brief.encode(), "The brief")
        link = self.link.strip()
        given = {
            "account": self.account,
            "topic": self.topic,
            "facts": list(_split_facts(self.facts)),
            "link": link or None,
            # Without a link, the choice between its uses has no meaning.
            "link_use": self.link_use if link else None,
            "tags": [tag for tag in _TAG_SEPARATOR.split(self.tags) if tag],
            "language": self.language.strip() or None,
            "tone": self.tone.strip() or None,
            "n": self.n.strip(),
            "form": self.form,
        }
        return make_brief(
            {name: value for name, value in given.items() if value is not None}, "The brief"
        )


def _split_facts(text: str) -> Iterator[dict[str, str]]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [_NAMED_FACT.fullmatch(line) for line in lines]
    taken = {match[1] for match in named if match}
    free = (name for number in range(1, 1000) if (name := f"fact-{number}") not in taken)
    for line, match in zip(lines, named, strict=True):
        yield {"id": match[1], "text": match[2]} if match else {"id": next(free), "text": line}


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """A form with its brief, and what is wrong with the brief."""

    form: BriefForm
    brief: Brief | None = None
    """None if the brief cannot be read."""
    findings: Mapping[str, Sequence[FieldFinding]] = field(default_factory=dict)
    """The findings by the field of the form; `""` has those of no field, or of a pasted brief."""

    @property
    def is_valid(self) -> bool:
        """Whether drafts can be written."""
        return self.brief is not None and not any(
            finding.is_error for findings in self.findings.values() for finding in findings
        )

    @property
    def warnings(self) -> list[str]:
        """The warnings of all fields."""
        return [each.message for found in self.findings.values() for each in found]


def check_form(form: BriefForm, accounts: Sequence[Integration], *, today: date) -> CheckedForm:
    """Read the brief of a form and lint it. Pure."""
    try:
        brief = form.read()
    except BriefInvalid as error:
        if not error.facts.get("fields"):  # The text is not YAML.
            found = [("", f"{error.message} {error.next}")]
        else:
            problems = zip(error.facts["fields"], error.facts["reasons"], strict=True)
            found = [_describe_problem(*problem) for problem in problems]
        return CheckedForm(form, None, _by_field(form, [(at, m, True) for at, m in found]))
    lint = [(each.field, each.message, each.is_error) for each in lint_brief(brief, today=today)]
    if find_account(accounts, brief.account) is None:
        lint.insert(0, ("account", f"@{brief.account.lstrip('@')} is not connected.", True))
    return CheckedForm(form, brief, _by_field(form, lint))


def find_account(accounts: Sequence[Integration], username: str) -> Integration | None:
    """Return the connected account with a username; case and a leading `@` do not matter."""
    wanted = username.lstrip("@").casefold()
    connected = [each for each in accounts if each.status is not IntegrationStatus.DISCONNECTED]
    return next((each for each in connected if each.username.casefold() == wanted), None)


def _describe_problem(path: str, reason: str) -> tuple[str, str]:
    """Return the field of the form, and a sentence, for an invalid field of a brief."""
    name, _, rest = path.partition(".")
    number, _, inner = rest.partition(".")
    if name in _ITEMS and number.isdecimal():
        subject = f"{_ITEMS[name]} {int(number) + 1}"
        if inner == "id":
            subject = f"The name of {subject.lower()}"
    elif name in _NAMES and not rest:
        subject = _NAMES[name]
    else:
        return name, f"`{path}`: {reason}."
    is_sentence = not reason.startswith(("is ", "must ", "has "))
    return name, f"{subject}: {reason}." if is_sentence else f"{subject} {reason}."


def _by_field(
    form: BriefForm, found: Sequence[tuple[str, str, bool]]
) -> dict[str, list[FieldFinding]]:
    by_field: dict[str, list[FieldFinding]] = {}
    for name, message, is_error in found:
        shown_at = name if name in _NAMES and not form.is_pasted else ""
        by_field.setdefault(shown_at, []).append(FieldFinding(message, is_error))
    return by_field
