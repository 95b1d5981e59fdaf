"""Right or wrong, for one post behind a bad network or by a wrong clock. Pure.

Stricter than `_judge`: X refuses nothing here, so a post that ends as failed or missed, or does not
end, is lost even where its history gives a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from _judge import FINAL, OnX, Planned, PostRow
from _rows import tell

#: States that say that X does not have the post, or not all of it.
_ABSENT = frozenset({"failed", "missed", "partly_published", "cancelled"})
#: Words of a history that say that X may have a post twice.
_NOTICES = ("perhaps twice", "several posts", "more than once", "twice on X")


@dataclass(frozen=True, slots=True)
class Played:
    """One schedule after it was played, as the rows and X have it."""

    name: str
    planned: Planned
    row: PostRow
    on_x: Sequence[OnX]
    """Every post of the account that X has or had."""
    attempts: int
    adopted: int
    """Parts whose post was found on the timeline."""
    has_alert: bool
    """An alert about this post is open."""
    proxy_doubles: bool = False
    shows_trace: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a schedule ended in; all counts are of this one post."""

    name: str
    state: str
    duplicates: int
    """Posts on X beyond one for each part, which Roost sent."""
    shows_trace: bool
    """Whether Roost had a reason to look for what the proxy doubled."""
    proxy_duplicates: int
    """Those that the proxy made."""
    unnoticed: int
    """Of the proxy's, those that neither rows nor alerts show although Roost had a reason to
    look."""
    failed_though_on_x: bool
    lost: bool
    early_s: float
    """How much too early X got the earliest part; 0: none was early."""
    asked: bool
    asked_though_on_x: bool
    adopted: int
    resends: int
    story: str
    """Rows and truth, where something is wrong or a person was asked."""

    @property
    def wrong(self) -> list[str]:
        """Each broken threshold, in a word."""
        found = {
            "duplicates": self.duplicates > 0,
            "unnoticed": self.unnoticed > 0,
            "failed_though_on_x": self.failed_though_on_x,
            "lost": self.lost,
            "early": self.early_s > EARLY_S,
        }
        return [name for name, is_wrong in found.items() if is_wrong]


#: A post may be on X this much before its due time, in seconds.
EARLY_S = 2.0


def judge(played: Played) -> Verdict:
    """Hold one post against X's truth."""
    planned, row = played.planned, played.row
    copies = [
        [post for post in played.on_x if post.text == text and post.deleted_at is None]
        for text in planned.texts
    ]
    extra = sum(max(0, len(each) - 1) for each in copies)
    # The proxy made one more of the first create; anything beyond is Roost's.
    by_proxy = min(1, max(0, len(copies[0]) - 1)) if played.proxy_doubles else 0
    not_sent = {part.position for part in row.parts if part.state != "sent"}
    present = {position for position, each in enumerate(copies, start=1) if each}
    absent = len(copies) - len(present)
    early = [
        (row.due_at - post.created_at).total_seconds()
        for each in copies
        for post in each
        if row.due_at is not None
    ]
    asked = row.state == "needs_decision"
    unseen = by_proxy and played.shows_trace and not _is_noticed(played)
    verdict = Verdict(
        name=played.name,
        state=row.state,
        duplicates=extra - by_proxy,
        shows_trace=played.shows_trace,
        proxy_duplicates=by_proxy,
        unnoticed=by_proxy if unseen else 0,
        failed_though_on_x=row.state in _ABSENT and bool(not_sent & present),
        lost=row.state not in FINAL or (absent > 0 and not asked),
        early_s=max(0.0, *early) if early else 0.0,
        asked=asked,
        asked_though_on_x=asked and not absent,
        adopted=played.adopted,
        resends=played.attempts - len({part.position for part in row.parts} - _untried(row)),
        story="",
    )
    if not (verdict.wrong or asked):
        return verdict
    told = tell(row, [post for post in played.on_x if post.text in planned.texts])
    return replace(verdict, story=told)


def _untried(row: PostRow) -> set[int]:
    tried = {event.position for event in row.events if event.after == "sending"}
    return {part.position for part in row.parts} - tried


def _is_noticed(played: Played) -> bool:
    if played.has_alert or played.row.state == "needs_decision":
        return True
    return any(words in event.why for event in played.row.events for words in _NOTICES)
