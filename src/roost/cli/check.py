"""`roost check`: validates a text and its media and shows the price; sends nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich import text as rich_text

from roost.cli.arguments import Json, command_settings
from roost.cli.command import run_async
from roost.cli.output import describe_finding, describe_price, make_console, print_result
from roost.cli.part_arguments import NO_FLAGS, OptionFlags, Text
from roost.cli.text_input import read_text
from roost.escaping import indented, one_line
from roost.part_validation import Validation, validate_parts
from roost.post_options import describe_options
from roost.publishing.part_input import MediaInput, PartInput
from roost.text import LIMIT, LONG_LIMIT, Weight, extract_entities, weigh

if TYPE_CHECKING:
    from roost.cli.schemas.checks import CheckOutput


def check(
    text: Text,
    /,
    *,
    media: Annotated[
        list[Path] | None, Parameter(name="--media", negative="", help="A file; may be repeated.")
    ] = None,
    options: OptionFlags = NO_FLAGS,
    premium: Annotated[
        bool, Parameter(negative="", help="Apply Premium's limit of 25,000 characters.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Check a text, its media and its options by X's rules, and show the price; send nothing.

    X accepts a reply to another user's post only if this user has mentioned or quoted the account.
    The command cannot check this rule.
    """

    text = read_text(text)

    async def work() -> int:
        part = PartInput(text, tuple(MediaInput(path) for path in media or []), options.read())
        subscription = "Premium" if premium else None
        judged = await validate_parts(
            [part], subscription_type=subscription, may_quote=command_settings().may_quote
        )
        weight = weigh(text, LONG_LIMIT if premium else LIMIT)
        if as_json:
            print_result(_as_json(part, weight, judged), as_json=True)
        else:
            _print(part, weight, judged)
        return 2 if judged.violations else 0

    return run_async(work)


def _as_json(part: PartInput, weight: Weight, judged: Validation) -> "CheckOutput":
    from roost.cli.schemas.checks import CheckOutput

    return CheckOutput.model_validate(
        {
            "weighted_length": weight.weighted_length,
            "limit": weight.limit,
            "valid": not judged.violations,
            "entities": extract_entities(part.text),
            "options": part.options,
            "violations": judged.violations,
            "findings": judged.findings,
            "price": judged.price,
        }
    )


def _print(part: PartInput, weight: Weight, judged: Validation) -> None:
    # With `soft_wrap`, long lines are not broken, not even if the output goes into a pipe.
    make_console().print(_underline_entities(part.text, weight.text), soft_wrap=True)
    lines = [
        f"{weight.weighted_length} of {weight.limit} weighted characters",
        *map(one_line, describe_options(part.options)),
        *(one_line(f"✗ {one.code}: {one.message} {one.next}") for one in judged.violations),
        *map(describe_finding, judged.findings),
        one_line(f"X charges {describe_price(judged.price)}."),
    ]
    print_result(None, "\n".join(lines), as_json=False)


def _underline_entities(text: str, normalized: str) -> rich_text.Text:
    """Return a text with its links, mentions, hashtags and cashtags underlined.

    `normalized` is the NFC form of `text`, and is the text that is returned.
    """
    found = extract_entities(text)
    entity_spans = (
        (entity.start, entity.end)
        for entity in (*found.urls, *found.mentions, *found.hashtags, *found.cashtags)
    )
    underlined, position = rich_text.Text(), 0
    for start, end in sorted(entity_spans):
        underlined.append(indented(normalized[position:start], "  "))
        underlined.append(indented(normalized[start:end], "  "), "underline")
        position = end
    return underlined.append(indented(normalized[position:], "  "))
