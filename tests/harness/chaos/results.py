"""The result of each phase, and the thresholds and counts over all phases."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.chaos.config import ChaosConfig
from harness.chaos.incidents import IncidentRun
from harness.chaos.plan import CalendarPost
from harness.checker import CLOCK_TOLERANCE, Evidence, Finding, FindingKind, check_posts
from harness.post_rows import describe_post, parse_x_posts
from harness.records import PlannedPost
from harness.report import Threshold
from harness.scenario import Scenario
from harness.workers import find_faketime

#: The wall seconds by which the clock of one worker is ahead. Because of this large error, the
#: worker must not send anything.
WRONG_CLOCK_S = 100.0


@dataclass
class PhaseRecord:
    """The interruptions of workers and the changes to accounts during a phase."""

    kills: int = 0
    stops: int = 0
    ended_by_themselves: int = 0
    """The number of workers that ended although they were not killed."""
    reconnected: int = 0
    deleted_manually: int = 0
    recoveries: list[float] = field(default_factory=list)
    """The wall seconds that each account had to wait after its worker was killed."""
    seconds: float = 0.0
    """The duration of the phase in wall seconds."""


@dataclass(frozen=True)
class PhaseResult:
    """The result of a phase, computed from the ground truth and the database rows."""

    record: PhaseRecord
    incidents: IncidentRun
    posts: int
    parts: int
    findings: list[Finding]
    histories: dict[int, str]
    """The rows and ground truth of each post that violates the delivery guarantee, by post id."""
    states: Counter[str]
    untouched: int
    """The number of posts that have no identical post and were not deleted by a person."""
    decision_histories: dict[int, str]
    """The rows and ground truth of each untouched post that needs a decision, by post id."""
    skewed_workers: int
    """The number of workers with a skewed clock that began an attempt."""
    sent_by_wrong_clock: int
    """The number of workers that began an attempt although their clock was too wrong to send."""
    shared_accounts: int
    """The number of accounts that have posts of two tenants."""
    lost_responses: int
    reconciled: int
    requests: int
    faults: Counter[str]


async def check_phase(
    scenario: Scenario,
    config: ChaosConfig,
    calendar: Sequence[tuple[CalendarPost, PlannedPost]],
    others: Sequence[PlannedPost],
    record: PhaseRecord,
    incidents: IncidentRun,
) -> PhaseResult:
    """Check every post of a phase against the ground truth and the database.

    `calendar` has the posts that were drawn for the phase, and `others` has all other posts.
    """
    rows = await scenario.read_posts()
    ground_truth = await scenario.read_ground_truth("posts", "requests")
    x_posts = parse_x_posts(ground_truth)
    all_posts = [*(planned for _, planned in calendar), *others]
    findings = check_posts(
        Evidence(
            all_posts,
            rows,
            x_posts,
            clock_tolerance=CLOCK_TOLERANCE + 2 * config.skew,
            now=scenario.runtime.clock.now(),
            restored_at=incidents.restored_at,
        )
    )
    faults = await scenario.list_applied_faults()
    calendar_rows = [rows[planned.post_id] for _, planned in calendar]
    sender_pids = await scenario.list_sender_pids()
    senders = [each for each in scenario.all_workers if each.skew_s and each.pid in sender_pids]
    owners = {(planned.user_id, post.for_second_tenant) for post, planned in calendar}
    untouched = [
        planned.post_id
        for post, planned in calendar
        if not post.has_identical and not post.deleted_manually
    ]

    def describe(post_id: int) -> str:
        """Describe the posts with the id `post_id`.

        After a restore, two posts can have the same id.
        """
        return "\n".join(
            describe_post(
                rows[post_id],
                [x for x in x_posts if x.user_id == planned.user_id and x.text in planned.texts],
            )
            for planned in all_posts
            if planned.post_id == post_id
        )

    return PhaseResult(
        record,
        incidents,
        posts=len(calendar),
        parts=sum(len(planned.texts) for _, planned in calendar),
        findings=findings,
        histories={each.post_id: describe(each.post_id) for each in findings if each.post_id},
        states=Counter(row.state for row in calendar_rows),
        untouched=len(untouched),
        decision_histories={
            post_id: describe(post_id)
            for post_id in untouched
            if rows[post_id].state == "needs_decision"
        },
        skewed_workers=sum(abs(each.skew_s) < WRONG_CLOCK_S for each in senders),
        sent_by_wrong_clock=sum(abs(each.skew_s) >= WRONG_CLOCK_S for each in senders),
        shared_accounts=sum((user, True) in owners for user, second in owners if not second),
        lost_responses=sum(
            each["operation"] == "create_post" and each["when"] == "after" for each in faults
        ),
        reconciled=sum(
            event.from_state == "unknown" and event.to_state in ("sent", "sending")
            for row in calendar_rows
            for event in row.events
        ),
        requests=len(ground_truth["requests"]),
        faults=Counter(f"{each['when']} {each['kind']}" for each in faults),
    )


def thresholds(results: Sequence[PhaseResult]) -> list[Threshold]:
    """Return the measured values that have a limit, over all phases, with their limits."""
    kinds = Counter(finding.kind for result in results for finding in result.findings)
    recoveries = sorted(seconds for result in results for seconds in result.record.recoveries)
    needs_decision = sum(len(each.decision_histories) for each in results)
    needs_decision_share = needs_decision / sum(each.untouched for each in results)
    ended_by_themselves = sum(each.record.ended_by_themselves for each in results)
    return [
        Threshold("duplicates", kinds[FindingKind.DUPLICATE], "==", 0),
        Threshold("lost", kinds[FindingKind.LOST], "==", 0),
        Threshold("out_of_order", kinds[FindingKind.OUT_OF_ORDER], "==", 0),
        Threshold("unexplained", kinds[FindingKind.UNEXPLAINED], "==", 0),
        Threshold("needs_decision_share", needs_decision_share, "<=", 0.02),
        Threshold("p99_recovery_s", _p99(recoveries), "<=", 30),
        Threshold("recoveries", len(recoveries), ">=", 10),
        Threshold("ended_by_themselves", ended_by_themselves, "==", 0),
        Threshold("kills", sum(each.record.kills for each in results), ">=", 20),
        Threshold("stops", sum(each.record.stops for each in results), ">=", 10),
        Threshold("lost_responses", sum(each.lost_responses for each in results), ">=", 100),
        Threshold("reconciled", sum(each.reconciled for each in results), ">=", 100),
        Threshold("db_restarts", sum(each.incidents.restarts for each in results), "==", 2),
        Threshold(
            "read_only_phases", sum(each.incidents.read_only_phases for each in results), "==", 1
        ),
        Threshold("restores", sum(each.incidents.restores for each in results), "==", 1),
        Threshold("shared_accounts", sum(each.shared_accounts for each in results), ">=", 1),
        *_clock_thresholds(results),
    ]


def _clock_thresholds(results: Sequence[PhaseResult]) -> list[Threshold]:
    """Return the thresholds for skewed clocks; none if libfaketime is missing."""
    if find_faketime() is None:
        return []
    sent_by_wrong_clock = sum(each.sent_by_wrong_clock for each in results)
    return [
        Threshold("skewed_workers", sum(each.skewed_workers for each in results), ">=", 1),
        Threshold("sent_by_wrong_clock", sent_by_wrong_clock, "==", 0),
    ]


def _p99(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


def figures(phases: Sequence[str], results: Sequence[PhaseResult]) -> dict[str, float | int | str]:
    """Return the measured values that have no threshold, by name.

    `phases` has the name of each result's phase.
    """
    found: dict[str, float | int | str] = {}
    if find_faketime() is None:
        found["skewed_workers"] = 0
        found["skewed_workers_skipped"] = "libfaketime is not installed"
    for name, result in zip(phases, results, strict=True):
        found |= {
            f"{name}_posts": result.posts,
            f"{name}_parts": result.parts,
            f"{name}_requests": result.requests,
            f"{name}_faulty_share": round(result.faults.total() / result.requests, 3),
            f"{name}_deleted_manually": result.record.deleted_manually,
            f"{name}_reconnected": result.record.reconnected,
            f"{name}_seconds": round(result.record.seconds, 1),
            **{f"{name}_{state}": count for state, count in sorted(result.states.items())},
        }
    for incidents in (each.incidents for each in results if each.incidents.restores):
        found |= {
            "alert_after_restore_s": round(incidents.alert_after_s, 2),
            "resume_attempts": incidents.resume_attempts,
            "adopted_by_resume": len(incidents.resumed.adopted),
            "asked_by_resume": len(incidents.resumed.needs_decision),
            "looked_for_by_resume": len(incidents.resumed.searched_again),
            "paused_by_resume": len(incidents.resumed.paused_accounts),
            "posts_undone_by_restore": len(incidents.undone_by_restore),
        }
    recoveries = [seconds for result in results for seconds in result.record.recoveries]
    if recoveries:
        found["median_recovery_s"] = round(statistics.median(recoveries), 2)
        found["longest_recovery_s"] = round(max(recoveries), 2)
    return found
