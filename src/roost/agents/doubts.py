"""Words the doubts of a draft for the person who decides."""

from collections.abc import Iterable
from typing import assert_never

from roost.agents.written import Doubt, DoubtCode


def describe_doubt(doubt: Doubt) -> str:
    """Return what code cannot decide about a sentence, in words."""
    value, fact = doubt.value, doubt.fact_id
    match doubt.code:
        case DoubtCode.WORDS_IN_NO_FACT:
            return f"No fact says: {value}."
        case DoubtCode.NO_FACT_CITED:
            return f"The sentence cites no fact, and none says: {value}."
        case DoubtCode.QUALIFIER_LEFT_OUT:
            return f"The fact {fact} also says: {value}."
        case DoubtCode.ROLE_IN_NO_FACT:
            return f"No cited fact says this of the person: {value}."
        case DoubtCode.NUMBER_MOVED:
            return f"The facts have this number beside other words: {value}."
        case DoubtCode.NUMBER_COMPUTED:
            return f"No fact has the number {value}, which follows from the fact {fact}."
        case DoubtCode.OTHER_FACT_USED:
            source = f"the fact {fact}" if fact else "another fact"
            return f"The sentence does not cite {source}, which says: {value}."
        case DoubtCode.NEGATION_UNCLEAR:
            return "The sentence may contradict what the facts say with a negation."
    assert_never(doubt.code)


def doubts_of_sentence(doubts: Iterable[Doubt], index: int) -> tuple[Doubt, ...]:
    """Return the doubts about the sentence with an index."""
    return tuple(each for each in doubts if each.sentence == index)
