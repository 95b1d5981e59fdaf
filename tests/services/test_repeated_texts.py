"""Findings about repeated texts: within a plan, and among the stored posts of an account."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from fix_publishing import Publisher
from fix_runtime import connect_account
from roost.models import NO_OPTIONS, PartOptions, PostFinding, TweetId
from roost.publishing.part_input import MediaInput
from roost.services.schedule import (
    Imported,
    PartInput,
    cancel_post,
    edit_post,
    import_plan,
    schedule_post,
    validate_for_account,
)

HEADER = "account,at,text,media,alt,thread\n"


async def import_rows(
    publisher: Publisher, folder: Path, rows: str, *, dry_run: bool = False
) -> Imported:
    path = folder / "plan.csv"
    path.write_text(HEADER + rows, "utf-8")
    return await import_plan(publisher.runtime, publisher.scope, path, dry_run=dry_run)


def shown(imported: Imported) -> list[tuple[int, str]]:
    return [(row.line, row.finding.code) for row in imported.findings]


async def findings(
    publisher: Publisher,
    text: str,
    *,
    after_s: float = 0,
    options: PartOptions = NO_OPTIONS,
    media: Path | None = None,
) -> list[PostFinding]:
    """Validate a post with this text, and return its findings."""
    carried = (MediaInput(media),) if media else ()
    result = await validate_for_account(
        publisher.runtime,
        publisher.scope,
        publisher.account,
        [PartInput(text, carried, options)],
        due_at=publisher.runtime.clock.now() + timedelta(seconds=after_s),
    )
    return [one for one in result.findings if one.code == "text_repeated"]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_import_plan_finds_a_repeated_text_at_the_later_line(
    publisher: Publisher, teal: Path, tmp_path: Path, dry_run: bool
) -> None:
    await connect_account(publisher.runtime, publisher.tenant, publisher.emulator, "tidewatcher")
    rows = (
        "@larkbooks,+1h,Same text,,,\n"  # line 2
        "@larkbooks,+90h,Same  text ,,,\n"  # line 3: reported, because it is in the same plan
        "@tidewatcher,+1h,Same text,,,\n"  # line 4: not reported, because it is for another account
        f"@larkbooks,+2h,Same text,{teal.name},,\n"  # line 5: not reported, because of its picture
        "@larkbooks,+3h,Begin,,,t\n"  # line 6
        ",,Same text,,,t\n"  # line 7: reported, because parts of threads count too
        f"@larkbooks,+4h,Same text,{teal.name},,\n"  # line 8: reported, because it equals line 5
    )
    imported = await import_rows(publisher, tmp_path, rows, dry_run=dry_run)
    assert imported.posts == 6
    assert shown(imported) == [
        (3, "text_twice_in_plan"),
        (7, "text_twice_in_plan"),
        (8, "text_twice_in_plan"),
    ]
    assert "Line 2 has the same content" in imported.findings[0].finding.message
    assert "Line 5 has the same content" in imported.findings[2].finding.message


async def test_import_plan_finds_the_text_of_a_published_post(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publisher.schedule("Hello")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(seconds=300)
    imported = await import_rows(
        publisher, tmp_path, "@larkbooks,+1s,Hello,,,\n@larkbooks,+13h,Hello,,,\n"
    )
    assert shown(imported) == [(2, "text_repeated"), (3, "text_twice_in_plan")]
    message = imported.findings[0].finding.message
    assert f"Post {post_id} of this account has the same content and was published 5 min" in message


async def test_import_plan_finds_the_text_of_an_earlier_import(
    publisher: Publisher, tmp_path: Path
) -> None:
    first = "@larkbooks,+1h,Hello,,,\n"
    await import_rows(publisher, tmp_path, first)
    assert shown(await import_rows(publisher, tmp_path, first)) == []
    grown = await import_rows(publisher, tmp_path, first + "@larkbooks,+2h,Hello,,,\n")
    assert (grown.posts, grown.already_imported) == (1, 1)
    assert shown(grown) == [(3, "text_repeated")]


async def test_schedule_post_reports_a_repeated_text_and_stores_the_post(
    publisher: Publisher,
) -> None:
    await publisher.schedule("Hello")
    await publisher.run_due_jobs()
    reported: list[PostFinding] = []

    def keep(found: Sequence[PostFinding]) -> None:
        reported.extend(found)

    later = publisher.runtime.clock.now() + timedelta(hours=1)
    post = await schedule_post(
        publisher.runtime, publisher.scope, publisher.account, [PartInput("Hello")],
        due_at=later, on_findings=keep,
    )  # fmt: skip
    assert [one.code for one in reported] == ["text_repeated"]
    reported.clear()
    # An edited post does not count as a repeat of itself, but still repeats the published post.
    await edit_post(
        publisher.runtime, publisher.scope, post.id,
        parts=[PartInput("Hello")], due_at=None, on_findings=keep,
    )  # fmt: skip
    assert [one.code for one in reported] == ["text_repeated"]
    reported.clear()
    await edit_post(
        publisher.runtime, publisher.scope, post.id,
        parts=[PartInput("Good evening")], due_at=None, on_findings=keep,
    )  # fmt: skip
    assert reported == []
    await edit_post(
        publisher.runtime, publisher.scope, post.id,
        parts=[PartInput("Good evening")], due_at=None, on_findings=keep,
    )  # fmt: skip
    assert reported == []


async def test_text_repeated_a_day_later_is_no_finding(publisher: Publisher, teal: Path) -> None:
    planned = await publisher.schedule("Hello", after_s=3600)
    assert len(await findings(publisher, "Hello")) == 1
    assert len(await findings(publisher, "Hello", after_s=12 * 3600)) == 1
    assert await findings(publisher, "Hello", after_s=14 * 3600) == []
    assert await findings(publisher, "hello!") == []
    assert await findings(publisher, "Hello", media=teal) == []
    assert await findings(publisher, "Hello", options=PartOptions(reply_to=TweetId("1"))) == []
    await cancel_post(publisher.runtime, publisher.scope, planned)
    assert await findings(publisher, "Hello") == []


async def test_equal_pictures_without_text_are_no_finding(publisher: Publisher, teal: Path) -> None:
    await publisher.schedule("", media=teal)
    await publisher.run_due_jobs()
    assert await findings(publisher, "", media=teal) == []


async def test_equal_picture_with_equal_text_is_a_finding(publisher: Publisher, teal: Path) -> None:
    await publisher.schedule("Teal", media=teal)
    await publisher.run_due_jobs()
    assert len(await findings(publisher, "Teal", media=teal)) == 1


async def test_posts_of_other_accounts_are_no_finding(publisher: Publisher) -> None:
    other = await connect_account(
        publisher.runtime, publisher.tenant, publisher.emulator, "tidewatcher"
    )
    await publisher.schedule("Hello", account=other)
    await publisher.run_due_jobs()
    assert await findings(publisher, "Hello") == []
