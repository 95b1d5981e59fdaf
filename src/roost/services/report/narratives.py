"""Asks a model for the narratives of a report. A model that fails never fails the report."""

import asyncio
from typing import Final

from roost import escaping
from roost.agents.errors import ModelUnavailable
from roost.agents.narrator import Narration
from roost.agents.openai_model import OpenAIModel
from roost.errors import RoostError, snake_case
from roost.insights.reports.document import Text
from roost.insights.reports.model import Report
from roost.insights.reports.words import Words
from roost.model_budget import TenantBudget
from roost.models import NarrationVerdict, NarrativeSource, TenantId
from roost.report_narratives import write_narrative
from roost.services.report.child import ModelAccess
from roost.store.database import Database

#: Limit in wall time for all narratives of a report, which is made while a person waits.
_TIMEOUT_S: Final = 120
#: A model can cause any number of findings, of any length.
_MOST_FINDINGS: Final = 20
_LONGEST_FINDING: Final = 200


async def ask_for_narratives(
    report: Report, words: Words, access: ModelAccess, database: Database, tenant_id: TenantId
) -> tuple[dict[str, tuple[Text, ...]], tuple[NarrativeSource, ...]]:
    """Ask a model for the narratives of the summarized subjects, one after the other.

    Returns the narratives that the model has written, by the keys of their subjects, and the source
    of every narrative. A subject without an entry gets Roost's own sentences; so do all subjects
    that are left after two minutes.
    """
    budget = TenantBudget(
        database, tenant_id, access.name, max_tokens=access.max_tokens, max_usd=access.max_usd
    )
    subjects = report.summarized_subjects
    paragraphs: dict[str, tuple[Text, ...]] = {}
    sources: list[NarrativeSource] = []
    error = ""
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            OpenAIModel(access.name, access.url, access.key, access.timeout_s) as model,
        ):
            for subject in subjects:
                written = await write_narrative(subject, words, model, budget)
                assert written.narration is not None
                source = _describe_source(subject.subject.key, written.narration)
                if source.is_by_model:
                    paragraphs[subject.subject.key] = written.paragraphs
                sources.append(source)
    except TimeoutError:
        error = snake_case(ModelUnavailable.__name__)
    except RoostError as failure:
        error = failure.code
    except Exception as failure:
        # The client of a provider may raise anything. The report has Roost's own sentences then.
        error = snake_case(type(failure).__name__)
    rest = (each.subject.key for each in subjects[len(sources) :])
    sources += [NarrativeSource(key, escaping.one_line(access.name), error=error) for key in rest]
    return paragraphs, tuple(sources)


def _describe_source(key: str, narration: Narration) -> NarrativeSource:
    return NarrativeSource(
        key,
        escaping.one_line(narration.model),
        narration.prompt_hash,
        tuple(
            NarrationVerdict(
                attempt.verdict.ok,
                attempt.prompt_hash,
                tuple(
                    escaping.one_line(each)[:_LONGEST_FINDING]
                    for each in attempt.verdict.findings[:_MOST_FINDINGS]
                ),
            )
            for attempt in narration.attempts
        ),
        narration.calls[-1].error if narration.calls else "",
    )
