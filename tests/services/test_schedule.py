"""Posts can be scheduled, edited, cancelled and imported."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fix_emulator import Emulator
from fix_publishing import Publisher, wait_for_lock_conflict
from fix_runtime import make_tenant, scope_of
from roost import store
from roost.errors import PostNotEditable, PostNotFound, PostRefused
from roost.models import Post, PostId, PostState
from roost.publishing.part_input import MediaInput
from roost.services import dispatch
from roost.services.schedule import (
    Imported,
    PartInput,
    cancel_post,
    edit_post,
    import_plan,
    schedule_post,
)

HEADER = "account,at,text,media,alt,thread\n"


async def posts_of(publisher: Publisher) -> list[Post]:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return await store.posts.list_all(transaction)


async def import_rows(
    publisher: Publisher, folder: Path, rows: str, *, dry_run: bool = False
) -> Imported:
    """Import a plan file with these rows."""
    path = folder / "plan.csv"
    path.write_text(HEADER + rows, "utf-8")
    return await import_plan(publisher.runtime, publisher.scope, path, dry_run=dry_run)


async def test_schedule_post_lists_every_violation_and_stores_nothing(publisher: Publisher) -> None:
    parts = [PartInput("x" * 281), PartInput("$AAA $BBB"), PartInput("")]
    with pytest.raises(PostRefused) as refused:
        await schedule_post(
            publisher.runtime, publisher.scope, publisher.account, parts, due_at=None
        )
    violations = [(one["code"], one["part"]) for one in refused.value.facts["violations"]]
    assert violations == [("text_too_long", 1), ("too_many_cashtags", 2), ("text_blank", 3)]
    assert refused.value.code == "text_too_long"
    assert await posts_of(publisher) == []


async def test_schedule_post_lists_a_missing_file_as_a_violation(
    publisher: Publisher, tmp_path: Path
) -> None:
    part = PartInput("x" * 281, (MediaInput(tmp_path / "none.png"),))
    with pytest.raises(PostRefused) as refused:
        await schedule_post(
            publisher.runtime, publisher.scope, publisher.account, [part], due_at=None
        )
    codes = {one["code"] for one in refused.value.facts["violations"]}
    assert codes == {"media_unreadable", "text_too_long"}


async def test_post_without_a_due_time_stays_a_draft(publisher: Publisher) -> None:
    post = await schedule_post(
        publisher.runtime, publisher.scope, publisher.account, [PartInput("Some day")], due_at=None
    )
    await publisher.emulator.jump(days=30)
    await publisher.run_due_jobs()
    assert (await publisher.get_post(post.id)).state is PostState.DRAFT
    assert await publisher.published_texts() == []


async def test_edit_post_changes_text_and_due_time(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Old", after_s=60)
    later = publisher.runtime.clock.now() + timedelta(hours=1)
    await edit_post(
        publisher.runtime,
        publisher.scope,
        post_id,
        parts=[PartInput("New"), PartInput("More")],
        due_at=later,
    )
    await publisher.emulator.jump(seconds=120)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["New", "More"]


async def test_edit_post_to_an_earlier_time_dispatches_it(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Soon", after_s=3600)
    now = publisher.runtime.clock.now()
    await edit_post(publisher.runtime, publisher.scope, post_id, parts=None, due_at=now)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Soon"]


async def test_refused_edit_changes_nothing(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Old", after_s=60)
    before = await publisher.get_post(post_id)
    with pytest.raises(PostRefused):
        await edit_post(
            publisher.runtime,
            publisher.scope,
            post_id,
            parts=[PartInput("x" * 281)],
            due_at=publisher.runtime.clock.now(),
        )
    assert await publisher.get_post(post_id) == before


async def test_cancelled_post_is_not_published(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Never", after_s=60)
    cancelled = await cancel_post(publisher.runtime, publisher.scope, post_id)
    assert cancelled.state is PostState.CANCELLED
    await publisher.emulator.jump(hours=1)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    with pytest.raises(PostNotEditable):
        await edit_post(
            publisher.runtime, publisher.scope, post_id, parts=[PartInput("Now")], due_at=None
        )


async def test_published_post_cannot_be_edited_or_cancelled(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Out")
    await publisher.run_due_jobs()
    with pytest.raises(PostNotEditable):
        await edit_post(
            publisher.runtime, publisher.scope, post_id, parts=[PartInput("Back")], due_at=None
        )
    with pytest.raises(PostNotEditable):
        await cancel_post(publisher.runtime, publisher.scope, post_id)


async def test_dispatcher_skips_a_post_that_is_being_edited(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Due")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.posts.lock_state(transaction, post_id)
        assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
        later = publisher.runtime.clock.now() + timedelta(hours=1)
        await store.posts.reschedule(transaction, post_id, later, upload_lead=timedelta(), at=later)
    assert (await dispatch.dispatch_due(publisher.runtime)).queued == 0
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED


@pytest.mark.timing
async def test_cancel_post_waits_for_the_dispatcher(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Due")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        moved = (PostState.SCHEDULED, PostState.PUBLISHING)
        assert await store.posts.move(
            transaction, post_id, *moved, at=publisher.runtime.clock.now()
        )
        cancelling = asyncio.create_task(cancel_post(publisher.runtime, publisher.scope, post_id))
        await wait_for_lock_conflict(publisher.runtime)
    assert (await cancelling).state is PostState.CANCELLED
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []


async def test_post_of_another_tenant_is_not_found(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Mine", after_s=60)
    neighbour = scope_of(await make_tenant(publisher.runtime, "neighbour"))
    with pytest.raises(PostNotFound):
        await cancel_post(publisher.runtime, neighbour, post_id)
    with pytest.raises(PostNotFound):
        await edit_post(
            publisher.runtime, neighbour, post_id, parts=[PartInput("Theirs")], due_at=None
        )
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED


async def test_unknown_post_is_not_found(publisher: Publisher) -> None:
    with pytest.raises(PostNotFound):
        await cancel_post(publisher.runtime, publisher.scope, PostId(404))


async def test_import_plan_twice_changes_nothing(publisher: Publisher, tmp_path: Path) -> None:
    rows = "@larkbooks,+60s,One,,,\n@larkbooks,+60s,Two,,,t\n,,Two more,,,t\n"
    first = await import_rows(publisher, tmp_path, rows)
    before = await posts_of(publisher)
    await publisher.emulator.jump(seconds=30)
    again = await import_rows(publisher, tmp_path, rows)
    assert (first.posts, first.already_imported, first.refused) == (2, 0, ())
    assert (again.posts, again.already_imported, again.refused) == (0, 2, ())
    assert await posts_of(publisher) == before


async def test_import_plan_after_publishing_sends_nothing_again(
    publisher: Publisher, tmp_path: Path
) -> None:
    rows = "@larkbooks,+1s,One,,,\n"
    await import_rows(publisher, tmp_path, rows)
    await publisher.run_to_completion()
    assert (await import_rows(publisher, tmp_path, rows)).already_imported == 1
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One"]


async def test_import_plan_schedules_only_new_rows(publisher: Publisher, tmp_path: Path) -> None:
    await import_rows(publisher, tmp_path, "@larkbooks,+60s,One,,,\n")
    grown = await import_rows(
        publisher,
        tmp_path,
        "@larkbooks,+60s,Zero,,,\n@larkbooks,+60s,One,,,\n@larkbooks,+60s,One,,,\n",
    )
    assert (grown.posts, grown.already_imported) == (2, 1)


async def test_import_plan_refuses_invalid_rows_with_their_lines(
    publisher: Publisher, tmp_path: Path
) -> None:
    long = "x" * 300
    imported = await import_rows(
        publisher,
        tmp_path,
        '@larkbooks,+1s,"Two\nlines",,,\n'  # lines 2 and 3
        f"@larkbooks,+1s,{long},,,\n"  # line 4
        f'@larkbooks,+1s,"a\n\nb {long} $AAA $BBB",,,\n'  # lines 5 to 7
        "\n"  # line 8
        "@no_one,+1s,Hello,,,\n"  # line 9
        "@larkbooks,soon,Hello,gone.png,,\n"  # line 10
        "@larkbooks,+2s,Good,,,\n",  # line 11
    )
    assert imported.posts == 2
    assert [(row.line, row.code) for row in imported.refused] == [
        (4, "text_too_long"),
        (5, "text_too_long"),
        (9, "account_not_found"),
        (10, "time_invalid"),
    ]
    reasons = [one.code for one in imported.refused[1].reasons]
    assert reasons == ["text_too_long", "too_many_cashtags"]


async def test_import_plan_refuses_the_thread_of_an_invalid_part(
    publisher: Publisher, tmp_path: Path
) -> None:
    imported = await import_rows(
        publisher,
        tmp_path,
        f"@larkbooks,+1s,One,,,t\n@larkbooks,+1s,Alone,,,\n@larkbooks,+1s,{'x' * 300},,,t\n",
    )
    assert [(row.line, row.code) for row in imported.refused] == [
        (2, "thread_refused"),
        (4, "text_too_long"),
    ]
    assert imported.posts == 1


async def test_import_plan_dry_run_stores_nothing(publisher: Publisher, tmp_path: Path) -> None:
    rows = f"@larkbooks,+1s,One,,,\n@larkbooks,+1s,{'x' * 300},,,\n"
    dry = await import_rows(publisher, tmp_path, rows, dry_run=True)
    assert await posts_of(publisher) == []
    real = await import_rows(publisher, tmp_path, rows)
    assert [row.post_id for row in dry.scheduled] == [None]
    assert replace(dry, scheduled=()) == replace(real, scheduled=())
    assert [(row.line, row.due_at) for row in dry.scheduled] == [
        (row.line, row.due_at) for row in real.scheduled
    ]
    assert len(await posts_of(publisher)) == 1


async def test_import_plan_returns_the_price(publisher: Publisher, tmp_path: Path) -> None:
    rows = "@larkbooks,+1s,Plain,,,\n@larkbooks,+1s,See example.com,,,\n"
    imported = await import_rows(publisher, tmp_path, rows)
    assert (imported.price.low, imported.price.high) == (Decimal("0.215"), Decimal("0.215"))


async def test_imported_media_are_published_with_alt_texts(
    publisher: Publisher, emulator: Emulator, teal: Path, tmp_path: Path
) -> None:
    imported = await import_rows(
        publisher, tmp_path, f"@larkbooks,+1s,Two squares,{teal.name}|{teal.name},One|Two,\n"
    )
    assert imported.refused == ()
    await publisher.run_to_completion()
    (on_x,) = (await emulator.ground_truth())["posts"]
    assert [each["alt_text"] for each in on_x["media"]] == ["One", "Two"]


@pytest.mark.timing
async def test_concurrent_imports_schedule_each_post_once(
    publisher: Publisher, tmp_path: Path
) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(HEADER + "".join(f"@larkbooks,+9s,Post {n},,,\n" for n in range(20)), "utf-8")
    both = await asyncio.gather(
        *(import_plan(publisher.runtime, publisher.scope, path) for _ in range(2))
    )
    assert sorted([both[0].posts, both[1].posts]) == [0, 20]
    assert len(await posts_of(publisher)) == 20


async def test_import_plan_again_needs_no_media_files(
    publisher: Publisher, teal: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(teal.read_bytes())
    rows = "@larkbooks,+1s,Out,picture.png,,\n@larkbooks,+9h,Ahead,picture.png,,\n"
    await import_rows(publisher, tmp_path, rows)
    await publisher.emulator.jump(seconds=2)
    await publisher.run_due_jobs()
    before = await posts_of(publisher)
    assert [post.state for post in before] == [PostState.PUBLISHED, PostState.SCHEDULED]
    picture.unlink()
    for dry_run in (True, False):
        again = await import_rows(publisher, tmp_path, rows, dry_run=dry_run)
        assert (again.posts, again.already_imported, again.refused) == (0, 2, ())
    grown = await import_rows(publisher, tmp_path, rows + "@larkbooks,+1h,New,picture.png,,\n")
    assert (grown.posts, grown.already_imported) == (0, 2)
    assert [(row.line, row.code) for row in grown.refused] == [(4, "media_unreadable")]
    assert await posts_of(publisher) == before
