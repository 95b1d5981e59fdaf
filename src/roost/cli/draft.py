"""`roost draft`: drafts posts from a brief."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from roost.agents.brief import read_brief
from roost.agents.composer import compose_drafts
from roost.cli.arguments import Json
from roost.cli.command import run_async
from roost.cli.output import print_result
from roost.cli.schemas.checks import DraftListOutput
from roost.escaping import indented


def draft(
    *,
    brief: Annotated[Path, Parameter(help="A YAML file with account, topic, facts, link, tags …")],
    as_json: Json = False,
) -> int:
    """Draft posts from the facts of a brief, each under 240 weighted characters."""

    async def work() -> None:
        drafts = compose_drafts(read_brief(brief))
        text = "\n\n".join(
            f"{indented(one.text, '  ')}\n  ({one.weighted_length} of 240)" for one in drafts
        )
        result = DraftListOutput.model_validate({"drafts": drafts})
        print_result(result, text, as_json=as_json)

    return run_async(work)
