"""Describes alerts in sentences, and says what to do about each alert. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from roost.formats import format_time
from roost.models import Alert, AlertKind, PostId, SubjectType
from roost.next_actions import ActionCode, NextAction
from roost.publishing.history import describe_reason

#: What happened to a post, by the kind of the alert about it. An alert about a decision contains
#: its own reason.
_POST_OUTCOMES: Final = {
    AlertKind.MISSED: "was missed",
    AlertKind.FAILED: "is not on X",
    AlertKind.POSSIBLE_DUPLICATE: "may be on X twice",
}


def describe_alert(alert: Alert) -> str:
    """Describe an alert in one or two sentences."""
    detail = alert.detail
    reason = "" if alert.reason is None else describe_reason(alert.reason)
    match alert.kind:
        case (
            AlertKind.DECISION | AlertKind.MISSED | AlertKind.FAILED | AlertKind.POSSIBLE_DUPLICATE
        ):
            outcome = _POST_OUTCOMES.get(alert.kind, "needs a decision")
            if detail.get("is_partly_published"):
                outcome = "is only partly on X"
            return f"Post {alert.subject_id} of @{detail['username']} {outcome}: {reason}."
        case AlertKind.RECONNECT:
            return f"X no longer accepts the token of @{detail['username']}; its posts wait."
        case AlertKind.CREDITS | AlertKind.APP | AlertKind.LIMIT:
            return f"{reason}. All posts of this X app wait."
        case AlertKind.LATE:
            due_at = format_time(datetime.fromisoformat(detail["due_at"]), "UTC")
            return f"A post due on {due_at} is not published."
        case AlertKind.RESTORED | AlertKind.COPIED:
            return f"Nothing is published: {reason}."
        case AlertKind.CLOCK_SKEW:
            skew = describe_skew(detail["skew_seconds"], detail["reference"])
            return f"On {alert.subject_id} {skew}, so its worker sends nothing."


def describe_skew(seconds: float, reference: str) -> str:
    """Describe how far a machine's clock is ahead of another clock (`database` or `x`)."""
    direction = "ahead" if seconds > 0 else "behind"
    owner = {"database": "the database's", "x": "X's"}[reference]
    return f"this machine's clock is {abs(round(seconds))} s {direction} of {owner}"


_ACTIONS: Final[Mapping[AlertKind, ActionCode]] = {
    AlertKind.DECISION: ActionCode.DECIDE_UNKNOWN,
    AlertKind.MISSED: ActionCode.DECIDE_MISSED,
    AlertKind.FAILED: ActionCode.DECIDE_FAILED,
    AlertKind.POSSIBLE_DUPLICATE: ActionCode.CHECK_DUPLICATE,
    AlertKind.RECONNECT: ActionCode.RECONNECT_ACCOUNT,
    AlertKind.CREDITS: ActionCode.BUY_CREDITS,
    AlertKind.APP: ActionCode.CHECK_APP,
    AlertKind.LIMIT: ActionCode.WAIT_FOR_LIMIT,
    AlertKind.LATE: ActionCode.CHECK_WORKER,
    AlertKind.RESTORED: ActionCode.REPEAT_CHANGES,
    AlertKind.COPIED: ActionCode.ACCEPT_COPY,
    AlertKind.CLOCK_SKEW: ActionCode.SET_CLOCK,
}


def action_for(alert: Alert) -> NextAction:
    """Return what an operator can do about an alert."""
    code = _ACTIONS[alert.kind]
    if alert.detail.get("is_partly_published"):
        code = ActionCode.DECIDE_PARTLY_PUBLISHED
    post_id = find_post_id(alert)
    return NextAction(code, {} if post_id is None else {"post_id": post_id})


def find_post_id(alert: Alert) -> PostId | None:
    """Return the post that an alert is about; None if it is about no post."""
    is_about_post = alert.subject_type is SubjectType.POST
    return PostId(int(alert.subject_id)) if is_about_post else None


def alert_as_json(alert: Alert, *, next_text: str) -> dict[str, Any]:
    """Return an alert as JSON data: its facts, its sentence, and what to do next."""
    return {
        "kind": alert.kind,
        "subject_type": alert.subject_type,
        "subject_id": alert.subject_id,
        "raised_at": alert.raised_at,
        "ended_at": alert.ended_at,
        "detail": alert.detail,
        "message": describe_alert(alert),
        "next": next_text,
        "next_action": action_for(alert).to_json(),
    }
