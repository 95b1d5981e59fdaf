"""Plan files: which rows become posts, and the codes with which others are refused."""

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
from roost.planfile.table import read_table
from roost.planfile.times import get_time_zone
from roost.publishing import validation
from roost.publishing.part_input import MediaInput

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HEADER = "account,at,text,media,alt,thread\n"


def read(folder: Path, rows: str | bytes, *, header: str = HEADER, now: datetime = NOW) -> Plan:
    path = folder / "plan.csv"
    path.write_bytes(rows if isinstance(rows, bytes) else (header + rows).encode())
    return read_plan(path, time_zone="Europe/Berlin", now=now)


def refused_codes(plan: Plan) -> list[tuple[int, list[str]]]:
    """Return the line and all codes of every refused row."""
    return [(row.line, [reason.code for reason in row.reasons]) for row in plan.refused]


def test_read_plan_converts_a_row_to_a_post(tmp_path: Path) -> None:
    plan = read(tmp_path, "@Acme,2026-12-01T10:00+01:00,Hello,a.png|b/c.jpg,First|,\n")
    (post,) = plan.posts
    assert (post.line, post.lines, post.account) == (2, (2,), "@Acme")
    assert post.due_at == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    assert post.due_at.tzinfo is UTC
    (part,) = post.parts
    assert part.text == "Hello"
    assert part.media == (
        MediaInput(tmp_path / "a.png", "First"),
        MediaInput(tmp_path / "b/c.jpg"),
    )
    assert plan.refused == ()


def test_plan_hash_is_of_the_file_content(tmp_path: Path) -> None:
    data = HEADER.encode() + b"acme,+1s,Hi,,,\n"
    assert read(tmp_path, data).sha256 == hashlib.sha256(data).hexdigest()


def test_read_plan_accepts_any_column_order_and_a_byte_order_mark(tmp_path: Path) -> None:
    data = "\ufeffText, AT ,account,thread,alt,media\r\nHi,+1s,acme,,,\r\n".encode()
    (post,) = read(tmp_path, data).posts
    assert (post.account, post.parts[0].text) == ("@acme", "Hi")


def test_read_plan_reports_lines_of_the_file__multiline_texts(tmp_path: Path) -> None:
    rows = 'acme,+1s,"one\ntwo\n\nfour",,,\n\nacme,+2s,short,,,\n,,,,,\nacme,nonsense,x,,,\n'
    plan = read(tmp_path, rows)
    assert [post.line for post in plan.posts] == [2, 7]
    assert refused_codes(plan) == [(9, ["time_invalid"])]


def test_read_plan_normalizes_the_line_ends_of_spreadsheets(tmp_path: Path) -> None:
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
def test_parse_due_returns_the_time_in_utc(at: str, due_at: datetime) -> None:
    assert parse_due(at, time_zone="Europe/Berlin", now=NOW) == due_at


@pytest.mark.parametrize(
    "at",
    ["", "tomorrow", "2026-12-24", "24.12.2026 18:00", "2026-02-30T10:00", "2026-12-24T25:00",
     "+5", "+5w", "-5m", "+999999999d", "9999-12-31T23:59-12:00", "٢٠٢٦-12-24T18:00", "18:00"],
)  # fmt: skip
def test_parse_due_refuses_an_invalid_time(at: str) -> None:
    with pytest.raises(TimeInvalid) as caught:
        parse_due(at, time_zone="Europe/Berlin", now=NOW)
    assert caught.value.code == "time_invalid"


def test_parse_due_offers_both_times__ambiguous() -> None:
    with pytest.raises(TimeAmbiguous, match="2026-10-25 02:30 occurs twice in Europe/Berlin") as it:
        parse_due("2026-10-25T02:30", time_zone="Europe/Berlin", now=NOW)
    assert "2026-10-25T02:30:00+02:00 for the first" in it.value.next
    assert "2026-10-25T02:30:00+01:00 for the second" in it.value.next


def test_parse_due_offers_the_next_time__skipped() -> None:
    with pytest.raises(TimeSkipped, match="2026-03-29 02:30 does not exist in Europe/Berlin") as it:
        parse_due("2026-03-29T02:30", time_zone="Europe/Berlin", now=NOW)
    assert "2026-03-29T03:30:00+02:00" in it.value.next


def test_parse_due_names_an_unknown_time_zone() -> None:
    with pytest.raises(TimeZoneUnknown, match="Europe/Atlantis"):
        parse_due("+1s", time_zone="Europe/Atlantis", now=NOW)


INVALID_ZONES = (
    *("Factory", "localtime", "posixrules", "right/UTC", "right/Europe/Berlin", "posix/UTC"),
    *("posix/Europe/Berlin", "europe/berlin", "Europe", "zone.tab", "tzdata.zi", "leapseconds"),
    *("", " UTC", "UTC ", "/etc/localtime", "../zoneinfo/UTC", "Europe/../UTC", "UTC\0", "\ud800"),
)


@pytest.mark.parametrize("name", INVALID_ZONES)
def test_time_zone_must_be_an_iana_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(TimeZoneUnknown):
        parse_due("+1s", time_zone=name, now=NOW)
    path = tmp_path / "plan.csv"
    path.write_text(HEADER, "utf-8")
    with pytest.raises(TimeZoneUnknown):
        read_plan(path, time_zone=name, now=NOW)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Europe/Kyiv", "US/Eastern", "Etc/GMT+3"])
def test_parse_due_accepts_iana_names(name: str) -> None:
    assert parse_due("2026-12-01T10:00", time_zone=name, now=NOW).tzinfo is UTC


def test_get_time_zone_reads_every_listed_zone() -> None:
    names = times._list_zones()
    assert len(names) > 500
    assert {get_time_zone(name).key for name in names} == names


def test_read_plan_refuses_an_invalid_row_with_every_reason(tmp_path: Path) -> None:
    rows = (
        "acme,+1s,good,,,\nnot an account,soon,bad,/etc/passwd|../x.png|,a|b|c|d,\nacme,+2s,ok,,,\n"
    )
    plan = read(tmp_path, rows)
    assert [post.line for post in plan.posts] == [2, 4]
    codes = ["account_invalid", "time_invalid", "alt_text_without_media"]
    codes += ["media_path_outside", "media_path_outside", "media_path_missing"]
    assert refused_codes(plan) == [(3, codes)]
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
def test_read_plan_refuses_media_outside_the_plans_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "plan"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    assert refused_codes(read(folder, f"acme,+1s,x,{name},,\n")) == [(2, ["media_path_outside"])]


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
def test_read_plan_refuses_urls_and_windows_paths_as_media(
    tmp_path: Path, name: str, code: str
) -> None:
    plan = read(tmp_path, f"acme,+1s,x,{name},,\n")
    assert refused_codes(plan) == [(2, [code])]
    assert plan.refused[0].reasons[0].next
    assert f"'{name}'" in plan.refused[0].reasons[0].message


def test_read_plan_accepts_media_below_the_plans_folder__circular_link(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    plan = read(tmp_path, "acme,+1s,x,sub/../a.png|round,,\n")
    assert [Path(str(file.source)).name for file in plan.posts[0].parts[0].media] == [
        "a.png",
        "round",
    ]


def test_read_plan_returns_absolute_media_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (post,) = read(Path(), "acme,+1s,x,a.png,,\n").posts
    assert post.parts[0].media == (MediaInput(tmp_path / "a.png"),)


def test_read_plan_reports_miscounted_columns__unquoted_comma(tmp_path: Path) -> None:
    plan = read(tmp_path, "acme,+1s,Hello, world,,,\nacme,+1s\n")
    assert refused_codes(plan) == [(2, ["columns_miscounted"]), (3, ["columns_miscounted"])]
    assert "7 columns" in plan.refused[0].message
    assert "quotes" in plan.refused[0].reasons[0].next


def test_read_plan_groups_the_rows_of_a_thread(tmp_path: Path) -> None:
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
def test_read_plan_refuses_similar_thread_names(tmp_path: Path, one: str, other: str) -> None:
    rows = f"acme,+1s,a,,,{one}\nacme,+1s,b,,,{other}\nacme,+1s,c,,,{one}\nacme,+1s,d,,,x\n"
    plan = read(tmp_path, rows)
    assert refused_codes(plan) == [
        (2, ["thread_refused"]),
        (3, ["thread_name_differs"]),
        (4, ["thread_refused"]),
    ]
    assert [post.line for post in plan.posts] == [5]
    assert repr(one) in plan.refused[1].message
    assert repr(other) in plan.refused[1].message


def test_miscounted_row_refuses_its_thread__different_case(tmp_path: Path) -> None:
    plan = read(tmp_path, "acme,+1s,one,,,T\nacme,+1s,two, too,,,t\n")
    assert refused_codes(plan) == [(2, ["thread_refused"]), (3, ["columns_miscounted"])]


def test_invalid_part_refuses_its_whole_thread(tmp_path: Path) -> None:
    rows = "acme,+1s,one,,,t\nacme,+2s,two,,,t\nother,,three,,,t\nacme,+1s,alone,,,\n"
    plan = read(tmp_path, rows)
    assert [post.line for post in plan.posts] == [5]
    assert refused_codes(plan) == [
        (2, ["thread_refused"]),
        (3, ["thread_at_differs"]),
        (4, ["thread_account_differs"]),
    ]
    assert "Line 3, in the same thread, is refused" in plan.refused[0].message


def test_miscounted_row_refuses_its_thread(tmp_path: Path) -> None:
    plan = read(tmp_path, "acme,+1s,one,,,t\nacme,+1s,two, too,,,t\nacme,+1s,three,,,t\n")
    assert plan.posts == ()
    assert refused_codes(plan) == [
        (2, ["thread_refused"]),
        (3, ["columns_miscounted"]),
        (4, ["thread_refused"]),
    ]


def test_post_keys_are_equal_when_a_plan_is_read_again(tmp_path: Path) -> None:
    rows = "acme,+20s,Hi,a.png,,\nacme,+20s,Hi,a.png,,\nacme,+1s,1,,,t\n,,2,,,t\n"
    first = [post.key for post in read(tmp_path, rows).posts]
    later = read(tmp_path, rows, now=NOW + timedelta(days=3))
    assert [post.key for post in later.posts] == first
    assert len(set(first)) == 3


def test_post_keys_of_equal_rows_differ_and_are_stable(tmp_path: Path) -> None:
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
def test_post_keys_of_different_rows_differ(tmp_path: Path, other: str) -> None:
    one, two = read(tmp_path, f"acme,+20s,Hi,a.png,,\n{other}\n").posts
    assert one.key != two.key


OPTIONS = "reply_to,quote,poll,poll_duration,reply_settings"


def test_read_plan_reads_options(tmp_path: Path) -> None:
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
def test_invalid_option_refuses_its_row(tmp_path: Path, cells: str, code: str) -> None:
    header = HEADER.rstrip() + f",{OPTIONS}\n"
    plan = read(tmp_path, f"acme,+1s,Six,,,,{cells}\nacme,+1s,Fine,,,,,,,,\n", header=header)
    assert refused_codes(plan) == [(2, [code])]
    assert [post.parts[0].text for post in plan.posts] == ["Fine"]


def test_option_columns_are_independent_and_unique(tmp_path: Path) -> None:
    for column in OPTIONS.split(","):
        (post,) = read(tmp_path, "acme,+1s,Six,,,,\n", header=f"{HEADER.rstrip()},{column}\n").posts
        assert post.parts[0].options == NO_OPTIONS
        with pytest.raises(PlanInvalid):
            read(tmp_path, "acme,+1s,Six,,,,,\n", header=f"{HEADER.rstrip()},{column},{column}\n")


def test_post_keys_stay_equal_when_option_columns_are_added(tmp_path: Path) -> None:
    (before,) = read(tmp_path, "acme,+1s,Six,,,\n").posts
    header = HEADER.rstrip() + f",{OPTIONS}\n"
    (same,) = read(tmp_path, "acme,+1s,Six,,,,,,,,\n", header=header).posts
    (reply,) = read(tmp_path, "acme,+1s,Six,,,,7,,,,\n", header=header).posts
    (other,) = read(tmp_path, "acme,+1s,Six,,,,8,,,,\n", header=header).posts
    assert same.key == before.key
    assert len({before.key, reply.key, other.key}) == 3


def test_post_key_ignores_the_spelling_of_the_account(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "acme,+20s,Hi,,,\n").posts
    (two,) = read(tmp_path, "@ACME,+20s,Hi,,,\n").posts
    assert one.key == two.key


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"account;at;text;media;alt;thread\n", "separated by semicolons"),
        (b"account,at,text,medai,alt,thread\n", "media missing"),
        (b"account,at,text,media,alt,thread,x\n", "has 7 columns"),
        (HEADER.encode() + b"acme,+1s,caf\xe9,,,\n", "line 2 contains invalid bytes"),
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
def test_read_plan_refuses_an_invalid_file(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(PlanInvalid, match=words) as caught:
        read(tmp_path, data)
    assert caught.value.next


def test_plan_invalid_does_not_quote_the_first_line(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid) as caught:
        read(tmp_path, b"TWITTER_CLIENT_SECRET=hunter2\n")
    assert "hunter2" not in str(caught.value.as_dict())


def test_read_plan_refuses_what_is_not_a_regular_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for path in (tmp_path, tmp_path / "missing.csv", Path("/dev/zero"), pipe):
        with pytest.raises(PlanInvalid, match=r"There is no file|is not a regular file"):
            read_plan(path, time_zone="UTC", now=NOW)


def test_read_plan_refuses_a_file_above_the_size_limit(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match="larger than 16384 KiB"):
        read(tmp_path, b"x" * ((16 << 20) + 1))


def count_calls(work: Callable[[], object]) -> int:
    """Count the calls of Python and C functions, which do not depend on the machine's load."""
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
    ids=[
        "miscounted rows",
        "miscounted rows of a thread",
        "one thread",
        "different times",
        "equal rows",
        "no names",
        "outside",
    ],
)
def test_read_plan_runs_in_linear_time(tmp_path: Path, shape: Callable[[int], str]) -> None:
    small, large = (
        count_calls(lambda: read(tmp_path, shape(n)))  # noqa: B023
        for n in (200, 800)
    )
    assert large < 5 * small


def test_refuse_post_refuses_every_row(tmp_path: Path) -> None:
    (post,) = read(tmp_path, "acme,+1s,1,,,t\n,,2,,,t\n,,3,,,t\n").posts
    violations = [
        Violation("text_too_long", "Too long.", part=2),
        Violation("too_many_cashtags", "Two cashtags.", part=2),
        Violation("text_blank", "Blank.", part=3),
    ]
    rows = refuse_post(post, violations)
    assert [(row.line, row.code) for row in rows] == [
        (2, "thread_refused"),
        (3, "text_too_long"),
        (4, "text_blank"),
    ]
    assert rows[1].message == "Too long. Two cashtags."
    assert "Line 3" in rows[0].message


def test_refuse_post_applies_a_violation_without_part_to_every_row(tmp_path: Path) -> None:
    (post,) = read(tmp_path, "acme,+1s,1,,,t\n,,2,,,t\n").posts
    rows = refuse_post(post, [Violation("account_not_found", "No such account.")])
    assert [(row.line, row.code) for row in rows] == [
        (2, "account_not_found"),
        (3, "account_not_found"),
    ]


ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "plan-files.md"


def test_examples_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = re.sub(r"(?m)^```.*$", "", PAGE.read_text("utf-8"))
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, PAGE.name, 0)
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted == 16
    assert results.failed == 0


def test_the_page_lists_every_code() -> None:
    page = PAGE.read_text("utf-8")
    modules = (
        read_plan.__code__.co_filename,
        read_options.__code__.co_filename,
        validation.__file__,
        post_options.__file__,
    )
    rules = "".join(Path(module).read_text("utf-8") for module in modules)
    codes = set(re.findall(r'(?:Violation\(\s*|yield )"([a-z_]+)"', rules))
    assert len(codes) == 23
    assert [code for code in codes if f"`{code}`" not in page] == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('a,+1h,"open,,,', "a quotation mark is not closed"),
        ('a,+1h,"a" b,,,', "a quotation mark is followed by other characters than a comma"),
        (f"a,+1h,{'x' * 131_073},,,", "a cell has more than 131,072 characters"),
    ],
)
def test_a_row_that_is_not_csv_is_explained(row: str, reason: str) -> None:
    data = f"account,at,text,media,alt,thread\n{row}\n".encode()
    with pytest.raises(PlanInvalid) as caught:
        read_table(data, "plan.csv")
    assert caught.value.message == (
        f"plan.csv: the row that begins on line 2 is not valid CSV: {reason}."
    )


def test_a_day_lacks_only_the_time_of_day() -> None:
    with pytest.raises(TimeInvalid) as caught:
        parse_due("2026-01-01", time_zone="UTC", now=datetime(2026, 1, 1, tzinfo=UTC))
    assert caught.value.message == "2026-01-01 has no time of day."
    assert caught.value.next == "Write 2026-01-01T18:00, for example."
