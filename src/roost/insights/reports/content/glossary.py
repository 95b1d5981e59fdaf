"""The glossary of a document: the definition of every figure that the document prints."""

from collections.abc import Iterator, Sequence
from typing import Any

from roost.insights.reports.document import Column, Paragraph, Printed, Section, Table, Tone
from roost.insights.reports.model import Report
from roost.insights.reports.words import Words


def make_glossary(report: Report, words: Words, sections: Sequence[Section]) -> Section:
    """Return the section `glossary`, with the definitions of the figures in `sections`."""
    used = {each.name for section in sections for each in find_printed(section)}
    definitions = [each for each in report.glossary if each.name in used]
    table = Table(
        "glossary",
        words.say("table.glossary"),
        (Column(words.say("column.term")), Column(words.say("column.definition"), is_wide=True)),
        tuple(
            ((words.title(each.name),), words.text(f"definition.{each.name}.sentence"))
            for each in definitions
        ),
        row_names=tuple(each.name for each in definitions),
    )
    note = Paragraph(words.text("glossary.meaning"), Tone.NOTE)
    return Section("glossary", words.say("section.glossary"), (note, table))


def find_printed(content: Any) -> Iterator[Printed]:
    """Yield every number in a section, block or text, at any depth, in reading order."""
    if isinstance(content, Printed):
        yield content
    elif isinstance(content, tuple):
        for each in content:
            yield from find_printed(each)
    else:
        for name in getattr(type(content), "__dataclass_fields__", ()):
            yield from find_printed(getattr(content, name))
