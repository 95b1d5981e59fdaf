"""Prints the drafts of a brief, and the progress while they are written."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from roost.agents.doubts import describe_doubt
from roost.cli.output import print_note, print_result
from roost.cli.schemas.drafts import DraftListOutput
from roost.escaping import indented, one_line
from roost.text import weigh

if TYPE_CHECKING:  # `roost draft` prints drafts without a database
    from roost.agents.brief import Brief
    from roost.agents.openai_model import OpenAIModel
    from roost.agents.written import CitedSentence, ModelCall, Writing, WrittenDraft
    from roost.services.drafts import Draft, DraftsWritten


class DraftProgress:
    """Prints a line on standard error for each draft that arrives, if a model writes them."""

    def __init__(self, brief: "Brief", model: "OpenAIModel | None") -> None:
        self._wanted = brief.n
        self._arrived = 0
        self._is_shown = model is not None
        if model is not None:
            print_note(f"Asking {model.name} …")
            if model.price() is None:
                print_note(
                    f"The price of {model.name} is not known: only the cap of tokens applies."
                )

    def report(self, draft: "WrittenDraft") -> None:
        """Report a draft that every validator accepts."""
        self._arrived += 1
        if self._is_shown:
            print_note(f"Draft {self._arrived} of {self._wanted} ({draft.origin})")


def print_drafts(brief: "Brief", writing: "Writing | DraftsWritten", *, as_json: bool) -> None:
    """Print the drafts of a brief, and notes about failed calls and missing drafts."""
    result = DraftListOutput.model_validate(
        {
            "drafts": [draft_fields(each) for each in writing.drafts],
            "refused": writing.refused,
            "calls": writing.calls,
        }
    )
    doubts = [each.doubts for each in writing.drafts]
    text = "\n\n".join(
        ("" if each.id is None else f"Draft {each.id}\n")
        + f"{indented(each.text, '  ')}\n"
        + f"  ({each.weighted_length} of at most {brief.limit - 1}, {each.origin})"
        + "".join(f"\n  ? {one_line(describe_doubt(doubt))}" for doubt in found)
        for each, found in zip(result.drafts, doubts, strict=True)
    )
    print_result(result, text, as_json=as_json)
    note_failed_calls(writing.calls)
    if writing.has_useless_replies:
        print_note("No draft of the model was valid; `--json` says why. The composer wrote all.")
    if len(writing.drafts) < brief.n:
        print_note(
            f"The facts give {len(writing.drafts)} different drafts; the brief asks for {brief.n}."
        )


def note_failed_calls(calls: "Sequence[ModelCall]") -> None:
    """Print a note for each call in which the model wrote nothing."""
    for call in calls:
        if call.error:
            print_note(f"{call.error}: {call.reason}")


def draft_fields(draft: "WrittenDraft | Draft") -> dict[str, Any]:
    """Return the fields of a `DraftOutput`, with the whole text and the facts that it cites."""
    return {
        "id": getattr(draft, "id", None),
        "text": "\n\n".join(draft.parts),
        "parts": draft.parts,
        "weighted_length": max(weigh(part).weighted_length for part in draft.parts),
        "fact_ids": cited_facts(draft.sentences),
        "sentences": draft.sentences,
        "origin": str(draft.origin),
        "verdicts": draft.verdicts,
        "doubts": draft.doubts,
        "provenance": draft.provenance,
    }


def cited_facts(sentences: "Sequence[CitedSentence]") -> list[str]:
    """Return the ids of the facts that sentences cite, each once."""
    return list(dict.fromkeys(each for sentence in sentences for each in sentence.fact_ids))
