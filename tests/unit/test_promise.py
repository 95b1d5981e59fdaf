"""What the promise allows, as truth tables: expected steps are written out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from roost.journal import Attempt, Outcome, PartJournal, PostJournal, Recheck, Rest, Upload
from roost.limits import Family, Window
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
    TenantId,
    XMediaId,
    XUserId,
)
from roost.models import TweetId as T
from roost.promise import (
    AskPerson,
    BringMedia,
    GiveUpWaiting,
    ReadTimeline,
    Rules,
    SearchFirst,
    Send,
    Settle,
    Step,
    WaitUntil,
    WaitWall,
    decide_step,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = Rules(
    read_lag=timedelta(seconds=15),
    resend_within=timedelta(minutes=10),
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
    held = Upload(PICTURE.id, XMediaId(media_id), f"3_{media_id}", NOW + expires_in)
    return {PICTURE.id: held}


def post(
    *parts: PartJournal,
    due_ago: float = 0,
    account: Integration = ACCOUNT,
    windows: tuple[Window, ...] = (),
    app_rest: Rest | None = None,
) -> PostJournal:
    whole = Post(
        PostId(1), TenantId(1), IntegrationId(1), PostState.PUBLISHING, ago(due_ago), None,
        tuple(one.part for one in parts),
    )  # fmt: skip
    return PostJournal(whole, account, parts, ago(due_ago), windows, app_rest)


def decided(journal: PostJournal, rules: Rules = RULES) -> Step:
    return decide_step(journal, now=NOW, rules=rules)


def reconciled(*attempts: Attempt, media: tuple[MediaAsset, ...] = ()) -> tuple[Step, PartJournal]:
    one = PartJournal(part(PartState.UNKNOWN, *media), attempts)
    return decided(post(one)), one


def test_a_pending_part_is_sent() -> None:
    one = PartJournal(part(PartState.PENDING))
    assert decided(post(one)) == Send(one, again=False)


def test_what_is_not_due_by_this_clock_waits() -> None:
    step = decided(post(PartJournal(part(PartState.PENDING)), due_ago=-3))
    assert isinstance(step, WaitUntil)
    assert step.instant == ago(-3)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({}, "bring"),
        (upload(timedelta(minutes=9)), "bring"),
        (upload(timedelta(hours=1)), "send"),
    ],
    ids=["X has no file", "X forgets it soon", "X has it"],
)
def test_a_part_goes_out_once_x_has_its_files(
    held: dict[MediaAssetId, Upload], expected: str
) -> None:
    one = PartJournal(part(PartState.PENDING, PICTURE), (), held)
    wanted = BringMedia() if expected == "bring" else Send(one, again=False)
    assert decided(post(one)) == wanted


def test_a_thread_is_not_begun_before_x_has_the_files_of_its_last_part() -> None:
    first = PartJournal(part(PartState.PENDING))
    last = PartJournal(part(PartState.PENDING, PICTURE, position=2))
    assert decided(post(first, last)) == BringMedia()


def test_a_thread_is_not_begun_without_room_for_all_of_it() -> None:
    parts = [PartJournal(part(PartState.PENDING, position=n)) for n in (1, 2, 3)]
    resets = NOW + timedelta(minutes=5)
    window = Window(Family.FIFTEEN_MINUTES, 100, 2, resets)
    step = decided(post(*parts, windows=(window,)))
    assert isinstance(step, WaitUntil)
    assert step.instant == resets + timedelta(seconds=1)
    assert decided(post(parts[0], windows=(window,))) == Send(parts[0], again=False)


def test_a_thread_that_no_window_can_hold_fails_before_it_begins() -> None:
    parts = [PartJournal(part(PartState.PENDING, position=n)) for n in (1, 2, 3)]
    window = Window(Family.USER_DAY, 2, 2, NOW + timedelta(hours=3))
    step = decided(post(*parts, windows=(window,)))
    assert isinstance(step, Settle)
    assert step.state is PostState.FAILED
    assert step.why.startswith("thread_larger_than_window: ")


def test_a_thread_that_has_begun_goes_on() -> None:
    first = PartJournal(part(PartState.SENT), (attempt(outcome=Outcome.SENT),))
    second = PartJournal(part(PartState.PENDING, position=2))
    assert decided(post(first, second, due_ago=9_999)) == Send(second, again=False)


@pytest.mark.parametrize(("late", "missed"), [(3_600, False), (3_601, True)])
def test_a_post_beyond_its_tolerance_is_missed(late: int, missed: bool) -> None:
    step = decided(post(PartJournal(part(PartState.PENDING)), due_ago=late))
    if missed:
        assert step == Settle(PostState.MISSED, "its time was over by more than 1 h")
    else:
        assert isinstance(step, Send)


@pytest.mark.parametrize(
    ("late", "late_by_database", "missed"),
    [(3_601, 3_601, True), (3_601, 3_600, False), (7_200, 5, False), (5, 7_200, False)],
)
def test_a_post_is_missed_when_both_clocks_say_so(
    late: int, late_by_database: int, missed: bool
) -> None:
    pending = post(PartJournal(part(PartState.PENDING)), due_ago=late)
    database_now = NOW - timedelta(seconds=late - late_by_database)
    step = decide_step(pending, now=NOW, rules=RULES, database_now=database_now)
    assert isinstance(step, Settle) is missed


def test_a_post_beyond_its_tolerance_goes_out_where_the_settings_say_so() -> None:
    rules = Rules(RULES.read_lag, RULES.resend_within, RULES.tolerance, publish_late=True)
    assert isinstance(
        decided(post(PartJournal(part(PartState.PENDING)), due_ago=9_999), rules), Send
    )


def test_an_account_that_rests_sends_nothing_but_still_reads() -> None:
    until = NOW + timedelta(minutes=3)
    resting = Integration(**{
        name: getattr(ACCOUNT, name) for name in ACCOUNT.__slots__
    } | {"rest_until": until, "rest_why": "X's rate limit is reached."})  # fmt: skip
    pending = PartJournal(part(PartState.PENDING))
    assert decided(post(pending, account=resting)) == WaitUntil(until, "X's rate limit is reached.")
    unknown = PartJournal(part(PartState.UNKNOWN), (attempt(5),))
    assert decided(post(unknown, account=resting)) == ReadTimeline(unknown, counts=False)


def test_an_app_without_credits_rests_and_makes_nobody_late() -> None:
    rest = Rest(NOW + timedelta(minutes=5), "no credits")
    step = decided(post(PartJournal(part(PartState.PENDING)), due_ago=9_999, app_rest=rest))
    assert step == WaitUntil(rest.until, "no credits", excused=True)


@pytest.mark.parametrize("left", [4.0, -0.1])
def test_an_attempt_under_way_is_waited_for_and_then_given_up(left: float) -> None:
    one = PartJournal(part(PartState.SENDING), (attempt(5, left=left, outcome=None),))
    expected = WaitWall(timedelta(seconds=left)) if left > 0 else GiveUpWaiting(one)
    assert decided(post(one)) == expected


@pytest.mark.parametrize(
    ("last", "counts"),
    [(attempt(5), False), (attempt(15), True), (attempt(31, empty=1, read_ago=16), True)],
    ids=["at once", "past the read lag", "fifteen seconds after the first empty read"],
)
def test_an_unknown_part_is_looked_for(last: Attempt, counts: bool) -> None:
    step, one = reconciled(last)
    assert step == ReadTimeline(one, counts)


@pytest.mark.parametrize(
    ("last", "until_ago"),
    [(attempt(5, read_ago=4), -10), (attempt(20, empty=1, read_ago=5), -10)],
    ids=["within the read lag", "between two reads"],
)
def test_reads_keep_their_distance(last: Attempt, until_ago: float) -> None:
    step, _ = reconciled(last)
    assert isinstance(step, WaitUntil)
    assert step.instant == ago(until_ago)


def test_what_is_not_there_is_sent_again_when_no_delivery_is_possible_any_more() -> None:
    step, one = reconciled(attempt(121, empty=3, read_ago=1))
    assert step == Send(one, again=True)


def test_two_empty_reads_are_not_enough_before_120_seconds() -> None:
    step, _ = reconciled(attempt(40, empty=2, read_ago=1))
    assert isinstance(step, WaitUntil)
    assert step.instant == ago(-80)


@pytest.mark.parametrize(("empty", "read_ago"), [(2, 2), (3, 16)], ids=["before 120 s", "old"])
def test_a_repetition_follows_an_empty_read_of_that_moment(empty: int, read_ago: float) -> None:
    step, one = reconciled(attempt(121, empty=empty, read_ago=read_ago))
    assert step == ReadTimeline(one, counts=True)


def test_reads_before_a_refused_repetition_still_count() -> None:
    first = attempt(150, empty=3, read_ago=20)
    refused = attempt(19, number=2, outcome=Outcome.NOT_CREATED)
    step, one = reconciled(first, refused)
    assert step == ReadTimeline(one, counts=True)
    step, one = reconciled(
        first, attempt(19, number=2, outcome=Outcome.NOT_CREATED, empty=1, read_ago=1)
    )
    assert step == Send(one, again=True)


def test_the_apps_back_off_does_not_count_towards_the_time_of_a_repetition() -> None:
    waited = replace(attempt(1_000, empty=3, read_ago=1), app_backoff=timedelta(seconds=401))
    step, one = reconciled(waited)
    assert step == Send(one, again=True)
    step, _ = reconciled(replace(waited, app_backoff=timedelta(seconds=399)))
    assert isinstance(step, AskPerson)


def test_attempts_are_judged_by_the_time_of_x() -> None:
    one = PartJournal(part(PartState.UNKNOWN), (attempt(40, empty=2, read_ago=1),))
    step = decide_step(post(one), now=NOW, x_now=NOW + timedelta(seconds=20), rules=RULES)
    assert isinstance(step, WaitUntil)
    assert step.instant == ago(-60)


RECHECK = Recheck(since=ago(600), until=ago(60))


@pytest.mark.parametrize(
    ("due_ago", "since_ago"), [(61, 600), (700, 700)], ids=["since the newest event", "since due"]
)
def test_what_the_database_may_have_forgotten_is_searched_first(
    due_ago: float, since_ago: float
) -> None:
    one = PartJournal(part(PartState.PENDING))
    journal = replace(post(one, due_ago=due_ago), recheck=RECHECK)
    step = decide_step(journal, now=NOW, rules=RULES)
    assert step == SearchFirst(one, ago(since_ago))
    earlier = {(ago(90), one.part.id)}
    assert decide_step(journal, now=NOW, rules=RULES, searched=earlier) == step
    searched = {(RECHECK.until, one.part.id)}
    step = decide_step(journal, now=NOW, rules=RULES, searched=searched)
    assert step == Send(one, again=False)


def test_requests_of_before_a_restore_have_to_arrive_before_the_search() -> None:
    one, ahead = PartJournal(part(PartState.PENDING)), replace(RECHECK, until=ago(-90))
    step = decide_step(replace(post(one, due_ago=5), recheck=ahead), now=NOW, rules=RULES)
    assert isinstance(step, WaitUntil)
    assert step.instant == ago(-90)
    due = replace(post(one, due_ago=95), recheck=ahead)
    step = decide_step(due, now=ago(-90), rules=RULES)
    assert step == SearchFirst(one, min(ago(95), RECHECK.since))


def test_what_came_due_after_the_start_is_not_searched() -> None:
    one = PartJournal(part(PartState.PENDING))
    step = decide_step(replace(post(one, due_ago=59), recheck=RECHECK), now=NOW, rules=RULES)
    assert step == Send(one, again=False)


def test_what_was_begun_too_long_ago_is_not_sent_again() -> None:
    long_ago = attempt(601)
    again = attempt(130, number=2, empty=3, read_ago=1)
    step, one = reconciled(long_ago, again)
    assert isinstance(step, AskPerson)
    assert step.part == one
    assert "too late" in step.why


def test_person_is_asked_directly_after_an_empty_read() -> None:
    step, one = reconciled(attempt(601, empty=2, read_ago=560))
    assert step == ReadTimeline(one, counts=True)
    step, _ = reconciled(attempt(601, empty=3, read_ago=1))
    assert isinstance(step, AskPerson)


def test_x_that_says_duplicate_and_shows_nothing_is_not_believed_either_way() -> None:
    said = attempt(40, number=2, empty=2, read_ago=1, outcome=Outcome.DUPLICATE)
    step, _ = reconciled(attempt(60), said)
    assert isinstance(step, AskPerson)
    assert "twice" in step.why


@pytest.mark.parametrize(
    ("held", "again"),
    [(upload(timedelta(hours=1)), True), (upload(-timedelta(1)), False),
     (upload(timedelta(hours=1), "9"), False)],
    ids=["X has them still", "expired", "uploaded anew"],
)  # fmt: skip
def test_a_repetition_carries_the_same_media_or_is_none(
    held: dict[MediaAssetId, Upload], again: bool
) -> None:
    last = attempt(130, empty=3, read_ago=1, carried="8")
    one = PartJournal(part(PartState.UNKNOWN, PICTURE), (last,), held)
    step = decided(post(one))
    assert step == Send(one, again=True) if again else isinstance(step, AskPerson)


def test_a_person_who_has_looked_has_it_sent_whenever_it_was() -> None:
    step, one = reconciled(attempt(9_999, absent=True))
    assert step == Send(one, again=True)


def test_what_a_person_called_absent_counts_no_more() -> None:
    again = attempt(130, number=2, empty=3, read_ago=1)
    step, one = reconciled(attempt(9_999, absent=True), again)
    assert step == Send(one, again=True)
    assert one.unsettled_since == ago(130)


def test_what_a_person_called_absent_and_x_refused_since_is_sent_at_once() -> None:
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
    ids=["all out", "refused half way", "refused at once"],
)
def test_a_post_comes_to_its_end(states: list[PartState], expected: PostState) -> None:
    parts = [PartJournal(part(state, position=n)) for n, state in enumerate(states, start=1)]
    step = decided(post(*parts))
    assert isinstance(step, Settle)
    assert step.state is expected
