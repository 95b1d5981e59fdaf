"""Drafts posts from a brief, by the writer's deterministic composer."""

from pathlib import Path

from roost.agents import writer


async def draft(path: Path) -> list[writer.Draft]:
    """The drafts of a brief, each valid by the writer's own validators. Raises: BriefInvalid."""
    return writer.compose(writer.read_brief(path))
