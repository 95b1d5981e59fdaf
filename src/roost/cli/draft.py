"""`roost write` and `roost check`: drafting from a brief, and judging a text before it is sent."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from roost.agents.brief import read_brief
from roost.agents.composer import compose_drafts
from roost.cli.command_settings import command_settings
from roost.cli.output import Json, complete, describe_finding, make_console, say, show_price
from roost.cli.part_options import OptionFlags, tell_options
from roost.escaping import indented, one_line
from roost.publishing.part_input import MediaInput
from roost.services import schedule
from roost.services.schedule import PartInput
from roost.text import LIMIT, LONG_LIMIT, Weight, extract_entities, weigh

_NO_FLAGS = OptionFlags()


def write(
    *,
    brief: Annotated[Path, Parameter(help="A YAML file: account, topic, facts, link, tags …")],
    as_json: Json = False,
) -> int:
    """Draft posts from a brief, only from its facts, under 240 weighted characters."""

    async def work() -> None:
        drafts = compose_drafts(read_brief(brief))
        told = "\n\n".join(
            f"{indented(d.text, '  ')}\n  ({d.weighted_length} of 240)" for d in drafts
        )
        say({"drafts": drafts}, told, as_json=as_json)

    return complete(work)


def check(
    text: str,
    /,
    *,
    media: Annotated[
        list[Path] | None, Parameter(name="--media", negative="", help="A file; may be repeated.")
    ] = None,
    options: OptionFlags = _NO_FLAGS,
    premium: Annotated[
        bool, Parameter(negative="", help="Judge by Premium's 25,000 characters.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Weigh a text, judge it with its media and options by X's rules, and price it; sends nothing.

    X takes a reply only where the author of that post has mentioned or quoted the account, or is
    the account itself: that shows when it is sent.
    """

    async def work() -> int:
        part = PartInput(text, tuple(MediaInput(path) for path in media or []), options.read())
        subscription = "Premium" if premium else None
        judged = await schedule.validate_parts(
            [part], subscription_type=subscription, may_quote=command_settings().may_quote
        )
        weight = weigh(text, LONG_LIMIT if premium else LIMIT)
        answer = {
            "weighted_length": weight.weighted_length,
            "limit": weight.limit,
            "valid": not judged.violations,
            "entities": extract_entities(text),
            "options": part.options,
            "violations": judged.violations,
            "findings": judged.findings,
            "price": judged.price,
        }
        if as_json:
            say(answer, as_json=True)
        else:
            _print(part, weight, judged)
        return 2 if judged.violations else 0

    return complete(work)


def _print(part: PartInput, weight: Weight, judged: schedule.Validation) -> None:
    console = make_console()
    console.print(_underlined(part.text, weight.text))
    console.print(f"{weight.weighted_length} of {weight.limit} weighted characters")
    for line in tell_options(part.options):
        console.print(Text(line))
    for violation in judged.violations:
        told = one_line(f"{violation.code}: {violation.message} {violation.next}")
        console.print(Text.assemble(("✗ ", "red"), told))
    for finding in judged.findings:
        console.print(Text(describe_finding(finding)))
    console.print(one_line(f"X charges {show_price(judged.price)}"))


def _underlined(text: str, normal: str) -> Text:
    """A text (as written, and in NFC) with what X makes links of underlined."""
    found = extract_entities(text)
    shown, position = Text(), 0
    entity_spans = (
        (entity.start, entity.end)
        for entity in (*found.urls, *found.mentions, *found.hashtags, *found.cashtags)
    )
    for start, end in sorted(entity_spans):
        shown.append(indented(normal[position:start], "  "))
        shown.append(indented(normal[start:end], "  "), "underline")
        position = end
    return shown.append(indented(normal[position:], "  "))
