"""Plan files: what goes in, what is refused, and with which words."""

import doctest
import hashlib
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roost import post_options
from roost.errors import PlanInvalid
from roost.models import NO_OPTIONS, PartOptions, Poll, ReplySettings, TweetId, Violation
from roost.planfile import (
    Plan,
    TimeAmbiguous,
    TimeInvalid,
    TimeSkipped,
    TimeZoneUnknown,
    parse_due,
    read_plan,
    refuse_post,
    times,
)
from roost.planfile.options import read_options
from roost.planfile.times import read_zone
from roost.publishing import validation

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HEADER = "account,at,text,media,alt,thread\n"


def read(folder: Path, rows: str | bytes, *, header: str = HEADER, now: datetime = NOW) -> Plan:
    path = folder / "plan.csv"
    path.write_bytes(rows if isinstance(rows, bytes) else (header + rows).encode())
    return read_plan(path, time_zone="Europe/Berlin", now=now)


def told(plan: Plan) -> list[tuple[int, list[str]]]:
    """Every refused row: its line and all its codes."""
    return [(row.line, [reason.code for reason in row.reasons]) for row in plan.refused]


def test_a_row_becomes_a_post(tmp_path: Path) -> None:
    plan = read(tmp_path, "@Acme,2026-12-01T10:00+01:00,Hello,a.png|b/c.jpg,First|,\n")
    (post,) = plan.posts
    assert (post.line, post.lines, post.account) == (2, (2,), "@Acme")
    assert post.due_at == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    assert post.due_at.tzinfo is UTC
    (part,) = post.parts
    assert part.text == "Hello"
    assert part.media == ((tmp_path / "a.png", "First"), (tmp_path / "b/c.jpg", None))
    assert plan.refused == ()


def test_the_hash_is_of_the_files_bytes(tmp_path: Path) -> None:
    data = HEADER.encode() + b"acme,+1s,Hi,,,\n"
    assert read(tmp_path, data).sha256 == hashlib.sha256(data).hexdigest()


def test_columns_may_come_in_any_order_and_with_a_byte_order_mark(tmp_path: Path) -> None:
    data = "\ufeffText, AT ,account,thread,alt,media\r\nHi,+1s,acme,,,\r\n".encode()
    (post,) = read(tmp_path, data).posts
    assert (post.account, post.parts[0].text) == ("@acme", "Hi")


def test_lines_are_those_of_the_file__after_texts_of_several_lines(tmp_path: Path) -> None:
    rows = 'acme,+1s,"one\ntwo\n\nfour",,,\n\nacme,+2s,short,,,\n,,,,,\nacme,nonsense,x,,,\n'
    plan = read(tmp_path, rows)
    assert [post.line for post in plan.posts] == [2, 7]
    assert told(plan) == [(9, ["time_invalid"])]


def test_a_spreadsheets_line_ends_count_once(tmp_path: Path) -> None:
    rows = b'account,at,text,media,alt,thread\r\nacme,+1s,"one\r\ntwo",,,\r\nacme,never,x,,,\r\n'
    plan = read(tmp_path, rows)
    assert plan.posts[0].parts[0].text == "one\ntwo"
    assert plan.refused[0].line == 4


@pytest.mark.parametrize(
    ("at", "due_at"),
    [
        ("2026-12-24T18:00+01:00", datetime(2026, 12, 24, 17, 0, tzinfo=UTC)),
        ("2026-12-24T18:00Z", datetime(2026, 12, 24, 18, 0, tzinfo=UTC)),
        ("2026-12-24T18:00", datetime(2026, 12, 24, 17, 0, tzinfo=UTC)),
        ("2026-07-01 18:00:30", datetime(2026, 7, 1, 16, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T03:00", datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
        ("2026-03-29T03:00", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("+20s", NOW + timedelta(seconds=20)),
        ("+5m", NOW + timedelta(minutes=5)),
        ("+2h", NOW + timedelta(hours=2)),
        (" +1d ", NOW + timedelta(hours=24)),
    ],
)
def test_a_time_is_understood(at: str, due_at: datetime) -> None:
    assert parse_due(at, time_zone="Europe/Berlin", now=NOW) == due_at


@pytest.mark.parametrize(
    "at",
    ["", "tomorrow", "2026-12-24", "24.12.2026 18:00", "2026-02-30T10:00", "2026-12-24T25:00",
     "+5", "+5w", "-5m", "+999999999d", "9999-12-31T23:59-12:00", "٢٠٢٦-12-24T18:00", "18:00"],
)  # fmt: skip
def test_what_is_no_time_is_refused(at: str) -> None:
    with pytest.raises(TimeInvalid) as caught:
        parse_due(at, time_zone="Europe/Berlin", now=NOW)
    assert caught.value.code == "time_invalid"


def test_an_hour_that_comes_twice_is_refused_and_both_are_offered() -> None:
    with pytest.raises(TimeAmbiguous, match="2026-10-25 02:30 comes twice in Europe/Berlin") as it:
        parse_due("2026-10-25T02:30", time_zone="Europe/Berlin", now=NOW)
    assert "2026-10-25T02:30:00+02:00 for the first" in it.value.next
    assert "2026-10-25T02:30:00+01:00 for the second" in it.value.next


def test_an_hour_that_is_skipped_is_refused_and_the_next_is_offered() -> None:
    with pytest.raises(TimeSkipped, match="2026-03-29 02:30 does not exist in Europe/Berlin") as it:
        parse_due("2026-03-29T02:30", time_zone="Europe/Berlin", now=NOW)
    assert "2026-03-29T03:30:00+02:00" in it.value.next


def test_an_unknown_time_zone_is_named() -> None:
    with pytest.raises(TimeZoneUnknown, match="Europe/Atlantis"):
        parse_due("+1s", time_zone="Europe/Atlantis", now=NOW)


NO_ZONES = (
    *("Factory", "localtime", "posixrules", "right/UTC", "right/Europe/Berlin", "posix/UTC"),
    *("posix/Europe/Berlin", "europe/berlin", "Europe", "zone.tab", "tzdata.zi", "leapseconds"),
    *("", " UTC", "UTC ", "/etc/localtime", "../zoneinfo/UTC", "Europe/../UTC", "UTC\0", "\ud800"),
)


@pytest.mark.parametrize("name", NO_ZONES)
def test_a_file_beside_the_zones_is_no_zone(tmp_path: Path, name: str) -> None:
    with pytest.raises(TimeZoneUnknown):
        parse_due("+1s", time_zone=name, now=NOW)
    path = tmp_path / "plan.csv"
    path.write_text(HEADER, "utf-8")
    with pytest.raises(TimeZoneUnknown):
        read_plan(path, time_zone=name, now=NOW)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Europe/Kyiv", "US/Eastern", "Etc/GMT+3"])
def test_a_name_of_the_iana_database_is_a_zone(name: str) -> None:
    assert parse_due("2026-12-01T10:00", time_zone=name, now=NOW).tzinfo is UTC


def test_every_zone_that_is_listed_can_be_read() -> None:
    names = times._list_zones()
    assert len(names) > 500
    assert {read_zone(name).key for name in names} == names


def test_one_wrong_row_is_refused_alone_with_every_reason(tmp_path: Path) -> None:
    rows = (
        "acme,+1s,good,,,\nnot an account,soon,bad,/etc/passwd|../x.png|,a|b|c|d,\nacme,+2s,ok,,,\n"
    )
    plan = read(tmp_path, rows)
    assert [post.line for post in plan.posts] == [2, 4]
    codes = ["account_invalid", "time_invalid", "alt_text_without_media"]
    codes += ["media_path_outside", "media_path_outside", "media_path_missing"]
    assert told(plan) == [(3, codes)]
    (row,) = plan.refused
    assert row.code == "account_invalid"
    for words in (
        "'not an account'",
        "'soon'",
        "4 alt texts for 3",
        "'/etc/passwd' is an absolute",
    ):
        assert words in row.message


@pytest.mark.parametrize("name", ["../a.png", "x/../../a.png", "C:/a.png", "link/a.png", "/a.png"])
def test_media_outside_the_plans_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "plan"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    assert told(read(folder, f"acme,+1s,x,{name},,\n")) == [(2, ["media_path_outside"])]


@pytest.mark.parametrize(
    ("name", "code"),
    [("https://example.com/photo.jpg", "media_path_address"),
     ("HTTP://example.com/photo.jpg", "media_path_address"),
     ("file:///photo.jpg", "media_path_address"),
     ("www.example.com/photo.jpg", "media_path_address"),
     ("media\\photo.jpg", "media_path_backslash"),
     (".\\photo.jpg", "media_path_backslash"),
     ("..\\photo.jpg", "media_path_backslash"),
     ("C:\\photo.jpg", "media_path_outside")],
)  # fmt: skip
def test_what_is_no_path_from_the_plans_folder_is_named(
    tmp_path: Path, name: str, code: str
) -> None:
    plan = read(tmp_path, f"acme,+1s,x,{name},,\n")
    assert told(plan) == [(2, [code])]
    assert plan.refused[0].reasons[0].next


def test_media_in_a_folder_beside_the_plan_goes_in__links_in_a_circle_too(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    plan = read(tmp_path, "acme,+1s,x,sub/../a.png|round,,\n")
    assert [path.name for path, _ in plan.posts[0].parts[0].media] == ["a.png", "round"]


def test_media_have_absolute_paths__a_worker_stands_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (post,) = read(Path(), "acme,+1s,x,a.png,,\n").posts
    assert post.parts[0].media == ((tmp_path / "a.png", None),)


def test_an_unquoted_comma_is_told_as_such(tmp_path: Path) -> None:
    plan = read(tmp_path, "acme,+1s,Hello, world,,,\nacme,+1s\n")
    assert told(plan) == [(2, ["columns_miscounted"]), (3, ["columns_miscounted"])]
    assert "7 columns" in plan.refused[0].message
    assert "quotes" in plan.refused[0].reasons[0].next


def test_rows_of_one_thread_are_the_parts_of_one_post(tmp_path: Path) -> None:
    rows = "acme,+1s,one,,,t\nacme,+9s,alone,,,\n,,two,b.png,,t\n@ACME,+1s,three,,, t \n"
    thread, alone = read(tmp_path, rows).posts
    assert [part.text for part in thread.parts] == ["one", "two", "three"]
    assert (thread.line, thread.lines, thread.account) == (2, (2, 4, 5), "@acme")
    assert thread.due_at == NOW + timedelta(seconds=1)
    assert alone.lines == (3,)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Launch", "launch"), ("launch day", "Launch  day"), ("É", "e\u0301"), ("Straße", "STRASSE"),
     ("\uff34", "T")],
)  # fmt: skip
def test_threads_whose_names_look_alike_are_refused(tmp_path: Path, one: str, other: str) -> None:
    rows = f"acme,+1s,a,,,{one}\nacme,+1s,b,,,{other}\nacme,+1s,c,,,{one}\nacme,+1s,d,,,x\n"
    plan = read(tmp_path, rows)
    assert told(plan) == [
        (2, ["thread_refused"]),
        (3, ["thread_name_differs"]),
        (4, ["thread_refused"]),
    ]
    assert [post.line for post in plan.posts] == [5]
    assert repr(one) in plan.refused[1].message
    assert repr(other) in plan.refused[1].message


def test_a_row_with_lost_columns_refuses_its_thread_in_another_case(tmp_path: Path) -> None:
    plan = read(tmp_path, "acme,+1s,one,,,T\nacme,+1s,two, too,,,t\n")
    assert told(plan) == [(2, ["thread_refused"]), (3, ["columns_miscounted"])]


def test_a_bad_part_refuses_its_whole_thread(tmp_path: Path) -> None:
    rows = "acme,+1s,one,,,t\nacme,+2s,two,,,t\nother,,three,,,t\nacme,+1s,alone,,,\n"
    plan = read(tmp_path, rows)
    assert [post.line for post in plan.posts] == [5]
    assert told(plan) == [
        (2, ["thread_refused"]),
        (3, ["thread_at_differs"]),
        (4, ["thread_account_differs"]),
    ]
    assert "Line 3 of its thread is refused" in plan.refused[0].message


def test_a_row_with_lost_columns_refuses_the_thread_it_may_belong_to(tmp_path: Path) -> None:
    plan = read(tmp_path, "acme,+1s,one,,,t\nacme,+1s,two, too,,,t\nacme,+1s,three,,,t\n")
    assert plan.posts == ()
    assert told(plan) == [
        (2, ["thread_refused"]),
        (3, ["columns_miscounted"]),
        (4, ["thread_refused"]),
    ]


def test_a_plan_read_again_later_has_the_same_keys(tmp_path: Path) -> None:
    rows = "acme,+20s,Hi,a.png,,\nacme,+20s,Hi,a.png,,\nacme,+1s,1,,,t\n,,2,,,t\n"
    first = [post.key for post in read(tmp_path, rows).posts]
    later = read(tmp_path, rows, now=NOW + timedelta(days=3))
    assert [post.key for post in later.posts] == first
    assert len(set(first)) == 3


def test_the_same_row_twice_is_two_posts__and_a_third_does_not_rename_them(tmp_path: Path) -> None:
    row = "acme,+20s,Hi,,,\n"
    two = [post.key for post in read(tmp_path, row * 2).posts]
    three = [post.key for post in read(tmp_path, row * 3).posts]
    assert len(set(three)) == 3
    assert three[:2] == two


@pytest.mark.parametrize(
    "other",
    ["bcme,+20s,Hi,a.png,,", "acme,+21s,Hi,a.png,,", "acme,+20s,Ho,a.png,,",
     "acme,+20s,Hi,b.png,,", "acme,+20s,Hi,a.png,,t"],
    ids=["account", "time", "text", "media", "thread"],
)  # fmt: skip
def test_another_post_has_another_key(tmp_path: Path, other: str) -> None:
    one, two = read(tmp_path, f"acme,+20s,Hi,a.png,,\n{other}\n").posts
    assert one.key != two.key


OPTIONS = "reply_to,quote,poll,poll_duration,reply_settings"


def test_a_row_says_what_it_answers_and_asks(tmp_path: Path) -> None:
    header = HEADER.rstrip() + f",{OPTIONS}\n"
    plan = read(
        tmp_path,
        "acme,+1s,Six,,,,https://x.com/a/status/7?s=20,,,,Verified\n"
        "acme,+1s,Look,,,,,8,,,everyone\n"
        "acme,+1s,Tea?,,,,,,Yes | No,12h,\n"
        "acme,+1s,Coffee?,,,,,,Yes|No,,\n"
        "acme,+1s,Plain,,,,,,,,\n",
        header=header,
    )
    assert plan.refused == ()
    assert [post.parts[0].options for post in plan.posts] == [
        PartOptions(reply_to=TweetId("7"), reply_settings=ReplySettings.VERIFIED),
        PartOptions(quote_of=TweetId("8")),
        PartOptions(poll=Poll(("Yes", "No"), timedelta(hours=12))),
        PartOptions(poll=Poll(("Yes", "No"), timedelta(days=1))),
        NO_OPTIONS,
    ]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("soon,,,,", "post_address_invalid"),
        (",https://example.com/a/status/7,,,", "post_address_invalid"),
        (",,Yes|No,soon,", "span_invalid"),
        (",,,1d,", "poll_missing"),
        (",,,,friends", "reply_settings_invalid"),
    ],
)
def test_an_option_that_cannot_be_understood_refuses_its_row(
    tmp_path: Path, cells: str, code: str
) -> None:
    header = HEADER.rstrip() + f",{OPTIONS}\n"
    plan = read(tmp_path, f"acme,+1s,Six,,,,{cells}\nacme,+1s,Fine,,,,,,,,\n", header=header)
    assert told(plan) == [(2, [code])]
    assert [post.parts[0].text for post in plan.posts] == ["Fine"]


def test_each_column_of_an_option_may_stand_by_itself_and_none_twice(tmp_path: Path) -> None:
    for column in OPTIONS.split(","):
        (post,) = read(tmp_path, "acme,+1s,Six,,,,\n", header=f"{HEADER.rstrip()},{column}\n").posts
        assert post.parts[0].options == NO_OPTIONS
        with pytest.raises(PlanInvalid):
            read(tmp_path, "acme,+1s,Six,,,,,\n", header=f"{HEADER.rstrip()},{column},{column}\n")


def test_a_plan_keeps_its_keys_when_it_gets_the_columns_of_options(tmp_path: Path) -> None:
    (before,) = read(tmp_path, "acme,+1s,Six,,,\n").posts
    header = HEADER.rstrip() + f",{OPTIONS}\n"
    (same,) = read(tmp_path, "acme,+1s,Six,,,,,,,,\n", header=header).posts
    (reply,) = read(tmp_path, "acme,+1s,Six,,,,7,,,,\n", header=header).posts
    (other,) = read(tmp_path, "acme,+1s,Six,,,,8,,,,\n", header=header).posts
    assert same.key == before.key
    assert len({before.key, reply.key, other.key}) == 3


def test_the_spelling_of_an_account_is_not_part_of_the_key(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "acme,+20s,Hi,,,\n").posts
    (two,) = read(tmp_path, "@ACME,+20s,Hi,,,\n").posts
    assert one.key == two.key


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "account, at, text, media, alt, thread missing"),
        (b"account;at;text;media;alt;thread\n", "missing"),
        (b"account,at,text,medai,alt,thread\n", "media missing"),
        (b"account,at,text,media,alt,thread,x\n", "there are 7"),
        (HEADER.encode() + b"acme,+1s,caf\xe9,,,\n", "line 2 holds other bytes"),
        (HEADER.encode("utf-16"), "not UTF-8"),
        (HEADER.encode() + b"acme,+1s,\0,,,\n", "not a text file"),
        (HEADER.encode() + b'a,+1s,"x\ny",,,\na,+1s,"open\nb,+1s,c,,,\n', "begins on line 4"),
        (HEADER.encode() + b'a,+1s,"x"y,,,\n', "begins on line 2"),
    ],
    ids=[
        "empty",
        "semicolons",
        "misspelt",
        "too many",
        "latin-1",
        "utf-16",
        "nul",
        "open",
        "quote",
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_whole(
    tmp_path: Path, data: bytes, words: str
) -> None:
    with pytest.raises(PlanInvalid, match=words) as caught:
        read(tmp_path, data)
    assert caught.value.next


def test_a_first_line_that_is_no_header_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid) as caught:
        read(tmp_path, b"TWITTER_CLIENT_SECRET=hunter2\n")
    assert "hunter2" not in str(caught.value.as_dict())


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for path in (tmp_path, tmp_path / "missing.csv", Path("/dev/zero"), pipe):
        with pytest.raises(PlanInvalid, match=r"There is no file|is not a regular file"):
            read_plan(path, time_zone="UTC", now=NOW)


def test_a_file_beyond_the_size_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match="larger than 16384 KiB"):
        read(tmp_path, b"x" * ((16 << 20) + 1))


def count_calls(work: Callable[[], object]) -> int:
    """How many functions, also those of C, `work` calls: a measure that no load changes."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    "shape",
    [
        lambda n: "".join(f"acme,+1s,t,,,t{i}\n" for i in range(n)) + "x,y,z\n" * n,
        lambda n: "".join(f"acme,+1s,t,,,t{i}\nt{i},y,z\n" for i in range(n)),
        lambda n: "acme,+1s,a,,,t\n" + ",,b,,,t\n" * n + "t,x,y\n" * n,
        lambda n: "acme,+1s,a,,,t\n" + "acme,+2s,b,,,t\n" * n,
        lambda n: "acme,+1s,a,,,\n" * n,
        lambda n: f"acme,+1s,a,{'|' * n},{'|' * n},\n",
        lambda n: f"acme,+1s,a,{'../x|' * n},,\n",
    ],
    ids=["strays", "named strays", "one thread", "differing", "twice", "no names", "outside"],
)
def test_the_work_grows_with_the_file_and_no_faster(
    tmp_path: Path, shape: Callable[[int], str]
) -> None:
    small, large = (
        count_calls(lambda: read(tmp_path, shape(n)))  # noqa: B023
        for n in (200, 800)
    )
    assert large < 5 * small


def test_a_post_that_breaks_a_rule_is_refused_row_by_row(tmp_path: Path) -> None:
    (post,) = read(tmp_path, "acme,+1s,1,,,t\n,,2,,,t\n,,3,,,t\n").posts
    found = [
        Violation("text_too_long", "Too long.", part=2),
        Violation("too_many_cashtags", "Two cashtags.", part=2),
        Violation("text_blank", "Blank.", part=3),
    ]
    rows = refuse_post(post, found)
    assert [(row.line, row.code) for row in rows] == [
        (2, "thread_refused"),
        (3, "text_too_long"),
        (4, "text_blank"),
    ]
    assert rows[1].message == "Too long. Two cashtags."
    assert "Line 3" in rows[0].message


def test_a_reason_without_a_part_concerns_every_row(tmp_path: Path) -> None:
    (post,) = read(tmp_path, "acme,+1s,1,,,t\n,,2,,,t\n").posts
    rows = refuse_post(post, [Violation("account_not_found", "No such account.")])
    assert [(row.line, row.code) for row in rows] == [
        (2, "account_not_found"),
        (3, "account_not_found"),
    ]


ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "plan-files.md"


def test_examples_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = re.sub(r"(?m)^```.*$", "", PAGE.read_text("utf-8"))
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, PAGE.name, 0)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted == 15
    assert results.failed == 0


def test_the_page_lists_every_code() -> None:
    page = PAGE.read_text("utf-8")
    rooms = (
        read_plan.__code__.co_filename,
        read_options.__code__.co_filename,
        validation.__file__,
        post_options.__file__,
    )
    rules = "".join(Path(room).read_text("utf-8") for room in rooms)
    found = set(re.findall(r'(?:Violation\(\s*|yield )"([a-z_]+)"', rules))
    assert len(found) == 23
    assert [code for code in found if f"`{code}`" not in page] == []
