"""Tables that list states of a post, each with the next step that Roost must take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from roost.models import (
    AttemptId,
    Environment,
    Integration,
    IntegrationId,
    IntegrationStatus,
    MediaAsset,
    MediaAssetId,
    MediaKind,
    Part,
    PartId,
    PartState,
    Post,
    PostId,
    PostState,
    Reason,
    ReasonCode,
    TenantId,
    Wait,
    XMediaId,
    XUserId,
)
from roost.models import TweetId as T
from roost.publishing.next_step import (
    AwaitDeadline,
    DeferUntil,
    ExpireAttempt,
    Finish,
    PublishPolicy,
    ReadTimeline,
    RequestDecision,
    SearchBeforeSend,
    Send,
    Step,
    UploadMedia,
    decide_step,
)
from roost.publishing.state import (
    Attempt,
    Backoff,
    Outcome,
    PartProgress,
    PublishState,
    Recheck,
    Upload,
)
from roost.rate_limits import Family, Window

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIMITED = Reason("rate_limited", {"message": "X's rate limit is reached."})
NO_CREDITS = Reason("out_of_credits", {"message": "The app has no credits left."})
POLICY = PublishPolicy(
    timeline_lag=timedelta(seconds=15),
    resend_window=timedelta(minutes=10),
    tolerance=timedelta(hours=1),
)
PICTURE = MediaAsset(MediaAssetId(5), "/a.png", "aa", MediaKind.IMAGE, "image/png", 10, None)
ACCOUNT = Integration(
    id=IntegrationId(1),
    tenant_id=TenantId(1),
    environment=Environment.EMULATOR,
    x_user_id=XUserId("7"),
    username="larkbooks",
    name="Lark Books",
    client_id="app",
    scopes=(),
    status=IntegrationStatus.CONNECTED,
    subscription_type=None,
    token_expires_at=NOW + timedelta(hours=2),
    connected_at=NOW,
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def part(state: PartState, *media: MediaAsset, position: int = 1) -> Part:
    sent_as = T("11") if state is PartState.SENT else None
    return Part(PartId(position), PostId(1), position, "Hello", state, sent_as, None, media)


def attempt(
    seconds_ago: float = 0,
    *,
    number: int = 1,
    left: float = -1,
    empty: int = 0,
    read_ago: float | None = None,
    outcome: Outcome | None = Outcome.UNKNOWN,
    absent: bool = False,
    carried: str | None = None,
) -> Attempt:
    return Attempt(
        AttemptId(number),
        number,
        ago(seconds_ago),
        timedelta(seconds=left),
        outcome,
        empty,
        None if read_ago is None else ago(read_ago),
        absent,
        (XMediaId(carried),) if carried else (),
        (f"3_{carried}",) if carried else (),
    )


def upload(expires_in: timedelta, media_id: str = "8") -> dict[MediaAssetId, Upload]:
    usable = Upload(PICTURE.id, XMediaId(media_id), f"3_{media_id}", NOW + expires_in)
    return {PICTURE.id: usable}


def post(
    *parts: PartProgress,
    due_ago: float = 0,
    account: Integration = ACCOUNT,
    windows: tuple[Window, ...] = (),
    app_backoff: Backoff | None = None,
) -> PublishState:
    whole = Post(
        PostId(1), TenantId(1), IntegrationId(1), PostState.PUBLISHING, ago(due_ago), None,
        tuple(one.part for one in parts),
    )  # fmt: skip
    return PublishState(whole, account, parts, ago(due_ago), windows, app_backoff)


def decided(state: PublishState, policy: PublishPolicy = POLICY) -> Step:
    return decide_step(state, now=NOW, policy=policy)


def reconciled(*attempts: Attempt, media: tuple[MediaAsset, ...] = ()) -> tuple[Step, PartProgress]:
    one = PartProgress(part(PartState.UNKNOWN, *media), attempts)
    return decided(post(one)), one


def test_pending_part_is_sent() -> None:
    one = PartProgress(part(PartState.PENDING))
    assert decided(post(one)) == Send(one, again=False)


def test_post_waits__not_due_by_this_clock() -> None:
    step = decided(post(PartProgress(part(PartState.PENDING)), due_ago=-3))
    assert isinstance(step, DeferUntil)
    assert step.instant == ago(-3)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({}, "upload"),
        (upload(timedelta(minutes=9)), "upload"),
        (upload(timedelta(hours=1)), "send"),
    ],
    ids=["not uploaded", "expires soon", "uploaded"],
)
def test_part_is_sent_after_its_files_are_uploaded(
    held: dict[MediaAssetId, Upload], expected: str
) -> None:
    one = PartProgress(part(PartState.PENDING, PICTURE), (), held)
    step = UploadMedia() if expected == "upload" else Send(one, again=False)
    assert decided(post(one)) == step


def test_thread_waits_for_the_files_of_its_last_part() -> None:
    first = PartProgress(part(PartState.PENDING))
    last = PartProgress(part(PartState.PENDING, PICTURE, position=2))
    assert decided(post(first, last)) == UploadMedia()


def test_thread_waits_until_its_rate_window_allows_every_part() -> None:
    parts = [PartProgress(part(PartState.PENDING, position=n)) for n in (1, 2, 3)]
    resets = NOW + timedelta(minutes=5)
    window = Window(Family.FIFTEEN_MINUTES, 100, 2, resets)
    step = decided(post(*parts, windows=(window,)))
    assert isinstance(step, DeferUntil)
    assert step.instant == resets + timedelta(seconds=1)
    assert decided(post(parts[0], windows=(window,))) == Send(parts[0], again=False)


def test_thread_larger_than_its_rate_window_fails() -> None:
    parts = [PartProgress(part(PartState.PENDING, position=n)) for n in (1, 2, 3)]
    window = Window(Family.USER_DAY, 2, 2, NOW + timedelta(hours=3))
    step = decided(post(*parts, windows=(window,)))
    assert isinstance(step, Finish)
    assert step.state is PostState.FAILED
    assert step.reason == Reason("thread_larger_than_window", {"parts": 3, "limit": 2})


def test_thread_continues__late_but_partly_sent() -> None:
    first = PartProgress(part(PartState.SENT), (attempt(outcome=Outcome.SENT),))
    second = PartProgress(part(PartState.PENDING, position=2))
    assert decided(post(first, second, due_ago=9_999)) == Send(second, again=False)


def test_missed_post_says_what_it_waited_for() -> None:
    state = post(PartProgress(part(PartState.PENDING)), due_ago=3_601)
    uploading = Reason(ReasonCode.UPLOADING)
    waiting = replace(state, post=replace(state.post, wait=Wait(uploading, NOW)))
    facts = {"tolerance_seconds": 3600.0, "wait": uploading.to_json()}
    assert decided(waiting) == Finish(PostState.MISSED, Reason(ReasonCode.LATE, facts))


@pytest.mark.parametrize(("late", "missed"), [(3_600, False), (3_601, True)])
def test_post_later_than_its_tolerance_is_missed(late: int, missed: bool) -> None:
    step = decided(post(PartProgress(part(PartState.PENDING)), due_ago=late))
    if missed:
        assert step == Finish(
            PostState.MISSED, Reason(ReasonCode.LATE, {"tolerance_seconds": 3600.0})
        )
    else:
        assert isinstance(step, Send)


@pytest.mark.parametrize(
    ("late", "late_by_database", "missed"),
    [(3_601, 3_601, True), (3_601, 3_600, False), (7_200, 5, False), (5, 7_200, False)],
)
def test_post_is_missed_when_both_clocks_say_so(
    late: int, late_by_database: int, missed: bool
) -> None:
    pending = post(PartProgress(part(PartState.PENDING)), due_ago=late)
    database_now = NOW - timedelta(seconds=late - late_by_database)
    step = decide_step(pending, now=NOW, policy=POLICY, database_now=database_now)
    assert isinstance(step, Finish) is missed


def test_late_post_is_sent__publish_late() -> None:
    policy = PublishPolicy(
        POLICY.timeline_lag, POLICY.resend_window, POLICY.tolerance, publish_late=True
    )
    assert isinstance(
        decided(post(PartProgress(part(PartState.PENDING)), due_ago=9_999), policy), Send
    )


def test_account_in_backoff_sends_nothing_but_reads() -> None:
    until = NOW + timedelta(minutes=3)
    refused = Integration(**{
        name: getattr(ACCOUNT, name) for name in ACCOUNT.__slots__
    } | {"backoff_until": until, "backoff_reason": LIMITED})  # fmt: skip
    pending = PartProgress(part(PartState.PENDING))
    assert decided(post(pending, account=refused)) == DeferUntil(until, LIMITED)
    unknown = PartProgress(part(PartState.UNKNOWN), (attempt(5),))
    assert decided(post(unknown, account=refused)) == ReadTimeline(unknown, counts=False)


def test_app_in_backoff_excuses_lateness() -> None:
    backoff = Backoff(NOW + timedelta(minutes=5), NO_CREDITS)
    step = decided(post(PartProgress(part(PartState.PENDING)), due_ago=9_999, app_backoff=backoff))
    assert step == DeferUntil(backoff.until, NO_CREDITS, excused=True)


@pytest.mark.parametrize("left", [4.0, -0.1])
def test_attempt_in_progress_is_awaited_and_then_expired(left: float) -> None:
    one = PartProgress(part(PartState.SENDING), (attempt(5, left=left, outcome=None),))
    expected = AwaitDeadline(timedelta(seconds=left)) if left > 0 else ExpireAttempt(one)
    assert decided(post(one)) == expected


@pytest.mark.parametrize(
    ("last", "counts"),
    [(attempt(5), False), (attempt(15), True), (attempt(31, empty=1, read_ago=16), True)],
    ids=["at once", "after the timeline lag", "fifteen seconds after the first empty read"],
)
def test_unknown_part_is_searched_for(last: Attempt, counts: bool) -> None:
    step, one = reconciled(last)
    assert step == ReadTimeline(one, counts)


@pytest.mark.parametrize(
    ("last", "until_ago"),
    [(attempt(5, read_ago=4), -10), (attempt(20, empty=1, read_ago=5), -10)],
    ids=["within the timeline lag", "between two reads"],
)
def test_timeline_reads_keep_their_distance(last: Attempt, until_ago: float) -> None:
    step, _ = reconciled(last)
    assert isinstance(step, DeferUntil)
    assert step.instant == ago(until_ago)


def test_absent_part_is_resent__no_delivery_possible() -> None:
    step, one = reconciled(attempt(121, empty=3, read_ago=1))
    assert step == Send(one, again=True)


def test_absent_part_waits_120_seconds() -> None:
    step, _ = reconciled(attempt(40, empty=2, read_ago=1))
    assert isinstance(step, DeferUntil)
    assert step.instant == ago(-80)


@pytest.mark.parametrize(("empty", "read_ago"), [(2, 2), (3, 16)], ids=["before 120 s", "old"])
def test_resend_needs_a_fresh_empty_read(empty: int, read_ago: float) -> None:
    step, one = reconciled(attempt(121, empty=empty, read_ago=read_ago))
    assert step == ReadTimeline(one, counts=True)


def test_reads_before_a_refused_resend_still_count() -> None:
    first = attempt(150, empty=3, read_ago=20)
    refused = attempt(19, number=2, outcome=Outcome.NOT_CREATED)
    step, one = reconciled(first, refused)
    assert step == ReadTimeline(one, counts=True)
    step, one = reconciled(
        first, attempt(19, number=2, outcome=Outcome.NOT_CREATED, empty=1, read_ago=1)
    )
    assert step == Send(one, again=True)


def test_resend_window_excludes_the_backoff_of_the_app() -> None:
    waited = replace(attempt(1_000, empty=3, read_ago=1), app_backoff=timedelta(seconds=401))
    step, one = reconciled(waited)
    assert step == Send(one, again=True)
    step, _ = reconciled(replace(waited, app_backoff=timedelta(seconds=399)))
    assert isinstance(step, RequestDecision)


def test_resend_delay_is_measured_in_the_time_of_x() -> None:
    one = PartProgress(part(PartState.UNKNOWN), (attempt(40, empty=2, read_ago=1),))
    step = decide_step(post(one), now=NOW, x_now=NOW + timedelta(seconds=20), policy=POLICY)
    assert isinstance(step, DeferUntil)
    assert step.instant == ago(-60)


RECHECK = Recheck(since=ago(600), until=ago(60))


@pytest.mark.parametrize(
    ("due_ago", "since_ago"), [(61, 600), (700, 700)], ids=["since the newest event", "since due"]
)
def test_part_is_searched_for_before_sending__recheck(due_ago: float, since_ago: float) -> None:
    one = PartProgress(part(PartState.PENDING))
    state = replace(post(one, due_ago=due_ago), recheck=RECHECK)
    step = decide_step(state, now=NOW, policy=POLICY)
    assert step == SearchBeforeSend(one, ago(since_ago))
    earlier = {(ago(90), one.part.id)}
    assert decide_step(state, now=NOW, policy=POLICY, searched=earlier) == step
    searched = {(RECHECK.until, one.part.id)}
    step = decide_step(state, now=NOW, policy=POLICY, searched=searched)
    assert step == Send(one, again=False)


def test_search_waits_for_requests_from_before_a_restore() -> None:
    one, ahead = PartProgress(part(PartState.PENDING)), replace(RECHECK, until=ago(-90))
    step = decide_step(replace(post(one, due_ago=5), recheck=ahead), now=NOW, policy=POLICY)
    assert isinstance(step, DeferUntil)
    assert step.instant == ago(-90)
    due = replace(post(one, due_ago=95), recheck=ahead)
    step = decide_step(due, now=ago(-90), policy=POLICY)
    assert step == SearchBeforeSend(one, min(ago(95), RECHECK.since))


def test_part_is_sent_without_search__due_after_the_recheck() -> None:
    one = PartProgress(part(PartState.PENDING))
    step = decide_step(replace(post(one, due_ago=59), recheck=RECHECK), now=NOW, policy=POLICY)
    assert step == Send(one, again=False)


def test_part_needs_a_decision__resend_window_over() -> None:
    long_ago = attempt(601)
    again = attempt(130, number=2, empty=3, read_ago=1)
    step, one = reconciled(long_ago, again)
    assert isinstance(step, RequestDecision)
    assert step.part == one
    assert step.reason.code == "too_late_to_resend"


def test_decision_is_requested_after_a_fresh_empty_read() -> None:
    step, one = reconciled(attempt(601, empty=2, read_ago=560))
    assert step == ReadTimeline(one, counts=True)
    step, _ = reconciled(attempt(601, empty=3, read_ago=1))
    assert isinstance(step, RequestDecision)


def test_part_needs_a_decision__duplicate_but_not_on_timeline() -> None:
    duplicate = attempt(40, number=2, empty=2, read_ago=1, outcome=Outcome.DUPLICATE)
    step, _ = reconciled(attempt(60), duplicate)
    assert isinstance(step, RequestDecision)
    assert step.reason.code == "duplicate_not_found"


@pytest.mark.parametrize(
    ("held", "again"),
    [(upload(timedelta(hours=1)), True), (upload(-timedelta(1)), False),
     (upload(timedelta(hours=1), "9"), False)],
    ids=["still usable", "expired", "uploaded again"],
)  # fmt: skip
def test_resend_needs_the_same_uploads(held: dict[MediaAssetId, Upload], again: bool) -> None:
    last = attempt(130, empty=3, read_ago=1, carried="8")
    one = PartProgress(part(PartState.UNKNOWN, PICTURE), (last,), held)
    step = decided(post(one))
    assert step == Send(one, again=True) if again else isinstance(step, RequestDecision)


def test_confirmed_absent_part_is_resent__any_age() -> None:
    step, one = reconciled(attempt(9_999, absent=True))
    assert step == Send(one, again=True)


def test_confirmed_absent_attempt_no_longer_counts() -> None:
    again = attempt(130, number=2, empty=3, read_ago=1)
    step, one = reconciled(attempt(9_999, absent=True), again)
    assert step == Send(one, again=True)
    assert one.unresolved_since == ago(130)


def test_confirmed_absent_part_is_resent__refused_since() -> None:
    refused = attempt(5, number=2, outcome=Outcome.NOT_CREATED)
    step, one = reconciled(attempt(9_999, absent=True), refused)
    assert step == Send(one, again=True)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([PartState.SENT, PartState.SENT], PostState.PUBLISHED),
        ([PartState.SENT, PartState.FAILED, PartState.PENDING], PostState.PARTLY_PUBLISHED),
        ([PartState.FAILED, PartState.PENDING], PostState.FAILED),
    ],
    ids=["all sent", "refused half-way", "refused at once"],
)
def test_post_is_finished(states: list[PartState], expected: PostState) -> None:
    parts = [PartProgress(part(state, position=n)) for n, state in enumerate(states, start=1)]
    step = decided(post(*parts))
    assert isinstance(step, Finish)
    assert step.state is expected
