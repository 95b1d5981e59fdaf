"""Puts the drafts of a batch in order: the best first."""

from collections.abc import Sequence

from roost.agents.brief import Brief
from roost.agents.written import WrittenDraft
from roost.text import weigh

#: A draft of this share of the limit says enough, and leaves room for an editor.
_BEST_FILL = 0.7


def rank_drafts(drafts: Sequence[WrittenDraft], brief: Brief) -> list[WrittenDraft]:
    """Return the drafts in order.

    Drafts without a doubt come before drafts with one. Among these, a model's drafts come before
    the composer's, and a draft with facts that no better draft states before one that repeats
    facts. The composer's drafts keep their order, the best of which is first already.
    """
    waiting, ranked = list(drafts), list[WrittenDraft]()
    stated: set[str] = set()
    while waiting:
        best = max(waiting, key=lambda draft: _score(draft, brief, stated))
        waiting.remove(best)
        ranked.append(best)
        stated |= _facts(best)
    return ranked


def _score(
    draft: WrittenDraft, brief: Brief, stated: set[str]
) -> tuple[bool, bool, bool, bool, float]:
    lengths = [weigh(part).weighted_length for part in draft.parts]
    fill = sum(lengths) / len(lengths) / brief.limit
    has_link = brief.link is not None and any(brief.link in part for part in draft.parts)
    is_of_model = draft.origin == "model"
    return (
        not draft.doubts,
        is_of_model,
        bool(_facts(draft) - stated),
        has_link,
        -abs(fill - _BEST_FILL) if is_of_model else 0,
    )


def _facts(draft: WrittenDraft) -> set[str]:
    return {fact_id for sentence in draft.sentences for fact_id in sentence.fact_ids}
