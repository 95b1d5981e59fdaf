"""The structure of the word lists for narrations, and the slots that fit each topic.

A narration is a model's text about a report. In the text, slots such as `{impressions}` stand for
the figures of the report.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class NarrationWords:
    """The words of a language that a narration may contain; every other word is refused.

    None of the words is a number, a comparison, a direction, a judgement, a date or a claim of
    cause, either alone or together with other words of the list. All words are in lower case.
    """

    allowed: frozenset[str]
    topics: Mapping[str, frozenset[str]]
    """The words of each topic of `TOPIC_SLOTS`. A clause with such a word and a figure must have a
    slot of the topic, so that no figure gets another meaning."""
    receiving: frozenset[str]
    """Verbs such as `gained`, which do not fit the number of posts or of followers."""
    publishing: frozenset[str]
    """Verbs such as `published`, which fit only the number of posts."""
    sources: frozenset[str]
    """Prepositions such as `from`. Before the number of posts, they would say that just these posts
    earned the gains, which posts of any age earned."""
    limits: frozenset[str]
    """Words such as `over`, which before a number would say that there are more."""
    phrases: frozenset[tuple[str, str]]
    """Pairs of words that are allowed only together, such as `period before`."""
    ranges: frozenset[str]
    """Words such as `from`, which before the first of two numbers would describe a change."""
    heights: frozenset[str]
    """Words such as `over`, which before the usual value would be a comparison."""
    times: frozenset[str]
    """Words such as `day`, which after a number would make a rate: `a day`."""
    single: frozenset[str]
    """Words for a single post, which the figures of the account do not describe."""
    starts: frozenset[str]
    """Words for the beginning of the period, at which no number of followers is stated."""
    origins: frozenset[str]
    """Prepositions that would make the best post a cause."""
    causal: frozenset[tuple[str, str]]
    """Pairs of allowed words that claim a cause, such as `on account` of."""
    spans: frozenset[str]
    """Words such as `day`, in which posts could seem to have gained a figure of the period."""
    causes: frozenset[str]
    """Words such as `cause`. A sentence may only deny that a cause is known."""
    joints: frozenset[str]
    """Words such as `and`, which separate clauses as a comma does."""
    negations: frozenset[str]
    """Words that would deny a figure in their clause."""
    accounts: frozenset[str]
    """Words for the whole account, which the figures of one post do not describe."""
    content: frozenset[str]
    """Words for what was published, which would be the cause of a change of followers."""


_GAINS: Final = frozenset({"impressions", "impressions_change"})
_BEST: Final = frozenset({"best_impressions", "best_factor", "best_reason"})
_FOLLOWERS: Final = frozenset({"followers", "follower_balance", "anomaly"})
_OUTPUT: Final = frozenset({"posts", "posts_per_week", "posts_change"})
_COMPARED: Final = frozenset(
    {
        "impressions_change",
        "posts_change",
        "follower_balance",
        "anomaly",
        "effect",
        "best_factor",
        "best_reason",
    }
)
#: By topic, slots for figures. If a clause has a figure and a word of the topic, the clause must
#: have one of these slots.
TOPIC_SLOTS: Final[Mapping[str, frozenset[str]]] = {
    "impressions": _GAINS | _BEST | {"median_impressions", "effect"},
    "engagements": _BEST | {"engagements"},
    "followers": _FOLLOWERS,
    "audience": _FOLLOWERS | _BEST | {"engagements", "posts"},
    "balance": frozenset({"follower_balance"}),
    "output": _OUTPUT | {"median_impressions"},
    "frequency": _OUTPUT,
    "typical": _BEST | {"median_impressions", "anomaly"},
    "mean": frozenset({"posts_per_week"}),
    "comparison": _COMPARED,
    "unusual": frozenset({"anomaly"}),
    "finding": frozenset({"effect", "anomaly"}),
    "kinds": frozenset({"best_reason"}),
}
#: The slots that fit verbs such as `gained`. `PUBLISHED_SLOTS` fit verbs such as `published`.
RECEIVED_SLOTS: Final = _GAINS | _BEST | {"engagements", "median_impressions", "follower_balance"}
PUBLISHED_SLOTS: Final = _OUTPUT | {"median_impressions"}
BEST_SLOTS: Final = _BEST
SINGLE_SLOTS: Final = _BEST | {"median_impressions", "effect"}
GAINED_SLOTS: Final = _GAINS | {"engagements"}


def split_words(text: str) -> frozenset[str]:
    """Split a text at white space, and return the set of its words."""
    return frozenset(text.split())


def split_pairs(text: str) -> frozenset[tuple[str, str]]:
    """Split a text at commas, and return the set of its pairs of words."""
    pairs = (pair.split() for pair in text.split(","))
    return frozenset((first, second) for first, second in pairs)


def inflect(stems: str, endings: Iterable[str]) -> frozenset[str]:
    """Return each stem with each ending; an empty ending gives the stem itself.

    White space separates the stems.
    """
    return frozenset(stem + ending for stem in stems.split() for ending in endings)
