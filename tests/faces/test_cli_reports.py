"""`roost report`, `roost reports`, and the options of `roost tenant` for reports."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from fix_emulator import Emulator
from fix_model import ModelServer
from fix_publishing import CommandResult, Publisher, run_roost
from fix_runtime import connect_account
from roost.services import report

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50


async def run(publisher: Publisher, folder: Path, *arguments: str) -> CommandResult:
    return await run_roost(*arguments, settings=publisher.runtime.settings, folder=folder)


async def test_report_is_numbered_kept_and_rendered_again_unchanged(
    publisher: Publisher, tmp_path: Path
) -> None:
    made = await run(publisher, tmp_path, "report", "--last", "week", "--json")
    assert made.code == 0, made.err
    first = (tmp_path / "report.html").read_bytes()
    assert made.answer["number"] == 1
    assert made.answer["bytes"] == len(first)
    assert made.answer["files"] == {"report.html": len(first)}
    await publisher.emulator.jump(hours=24 * 40)
    again = await run(publisher, tmp_path, "report", "1", "--output", "again.html", "--json")
    assert again.answer["first_day"] == made.answer["first_day"]
    assert (tmp_path / "again.html").read_bytes() == first
    listed = await run(publisher, tmp_path, "reports", "--json")
    assert [each["number"] for each in listed.answer["reports"]] == [1]
    assert (await run(publisher, tmp_path, "reports")).out.splitlines()[1].startswith("1 ")


async def test_report_has_the_chosen_accounts_groups_and_language(
    publisher: Publisher, emulator: Emulator, tmp_path: Path
) -> None:
    await connect_account(publisher.runtime, publisher.tenant, emulator, "otherbooks")
    made = await run(
        publisher, tmp_path, "report", "--account", "@larkbooks", "--account", "@otherbooks",
        "--group", "shops=@larkbooks,@otherbooks", "--language", "de", "--compare", "none",
        "--without-costs", "--output", "report.json",
    )  # fmt: skip
    assert made.code == 0, made.err
    document = json.loads((tmp_path / "report.json").read_text())["document"]
    assert document["language"] == "de"
    text = (tmp_path / "report.json").read_text()
    assert "group.shops/" in text
    assert "@previous" not in text
    assert "spent." not in text
    (kept,) = await report.list_reports(publisher.runtime, publisher.scope)
    assert not kept.options.with_costs


async def test_report_format_with_several_files_is_an_archive(
    publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.schedule("Good morning")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=30)
    await publisher.run_due_jobs()
    made = await run(
        publisher, tmp_path, "report", "--format", "png", "--output", "c.zip", "--json"
    )
    assert made.code == 0, made.err
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist()}
    assert made.answer["files"] == sizes


async def test_kept_report_is_rendered_in_each_form(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.schedule("Good morning")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=30)
    await publisher.run_due_jobs()
    await run(publisher, tmp_path, "report", "--output", "report.json")
    starts = {
        "pdf": b"%PDF-", "md": b"# ", "xlsx": b"PK", "html": b"<!doctype html>",
        "csv": b"\xef\xbb\xbf", "png": b"\x89PNG", "parquet": b"PAR1",
    }  # fmt: skip
    for form, start in starts.items():
        made = await run(publisher, tmp_path, "report", "1", "--format", form, "--json")
        assert made.code == 0, made.err
        path = tmp_path / made.answer["report"]
        content = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                content = archive.read(archive.namelist()[0])
        assert content.lower().startswith(start.lower()), form


async def test_report_says_who_has_written_its_narrative(
    publisher: Publisher, model_server: ModelServer, tmp_path: Path
) -> None:
    await publisher.schedule("Good morning")
    await publisher.run_due_jobs()
    model_server.answers = [json.dumps({"paragraphs": ["{account} published {posts}."]})]
    key = "sk-secret-of-the-test"
    environment = {
        "ROOST_MODEL": "small", "ROOST_MODEL_URL": model_server.url, "ROOST_MODEL_KEY": key,
    }  # fmt: skip
    settings = publisher.runtime.settings
    made = await run_roost("report", "--json", settings=settings, folder=tmp_path, **environment)
    assert made.code == 0, made.err
    assert [each["subject"] for each in made.answer["narratives"]] == ["account.1"]
    for each in made.answer["narratives"]:
        assert (each["written_by"], each["model"], each["refused"]) == ("model", "small", 0)
        assert len(each["prompt_hash"]) == 64
    assert "@larkbooks published 1 post." in re.sub(
        "<[^>]*>", "", (tmp_path / "report.html").read_text()
    )
    model_server.answers = [401]
    failed = await run_roost("report", settings=settings, folder=tmp_path, **environment)
    assert failed.code == 0, failed.err
    assert "not those of the model small (model_unavailable)" in failed.out
    again = await run(publisher, tmp_path, "report", "1", "--output", "again.md", "--json")
    assert again.answer["narratives"] == made.answer["narratives"]
    assert (await run(publisher, tmp_path, "report", "--json")).answer["narratives"] == []
    shown = made.out + made.err + failed.out + failed.err
    assert key not in shown + "".join(
        each.read_text(errors="replace") for each in tmp_path.rglob("*") if each.is_file()
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--last", "soon"), "period_invalid"),
        (("--last", "7d", "--since", "2026-01-01"), "report_period_unclear"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "period_invalid"),
        (("--account", "@nobody"), "account_not_found"),
        (("--group", "shops"), "report_group_invalid"),
        (("--group", "a=@larkbooks", "--group", "a=@larkbooks"), "report_group_invalid"),
        (("--language", "tlh"), "language_unknown"),
        (("--output", "report.docx"), "form_unknown"),
        (("--output", "report.zip"), "form_unknown"),
        (("--output", "report.csv"), "form_unknown"),
        (("--format", "html", "--output", "report.json"), "form_unknown"),
        (("--output", "nowhere/report.html"), "invalid_input"),
        (("1", "--without-costs"), "report_already_made"),
        (("7",), "report_not_found"),
    ],
)
async def test_invalid_options_of_a_report_change_nothing(
    arguments: tuple[str, ...], code: str, publisher: Publisher, tmp_path: Path
) -> None:
    refused = await run(publisher, tmp_path, "report", *arguments, "--json")
    assert refused.answer["error"]["code"] == code
    assert list(tmp_path.glob("*.*")) == []
    assert await report.list_reports(publisher.runtime, publisher.scope) == []


async def test_schedule_is_added_listed_and_removed(publisher: Publisher, tmp_path: Path) -> None:
    added = await run(
        publisher, tmp_path, "reports", "--schedule", "monthly", "--at", "1 08:00",
        "--without-costs", "--json",
    )  # fmt: skip
    (schedule,) = added.answer["schedules"]
    assert (schedule["local_time"], schedule["with_costs"]) == ("1 08:00", False)
    listed = await run(publisher, tmp_path, "reports")
    assert "Schedule 1: monthly, 1 08:00 (UTC); next report" in listed.out
    removed = await run(publisher, tmp_path, "reports", "--remove", "1", "--json")
    assert removed.answer["schedules"] == []
    again = await run(publisher, tmp_path, "reports", "--remove", "1", "--json")
    assert again.answer["error"]["code"] == "report_schedule_not_found"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--schedule", "weekly"), "schedule_unclear"),
        (("--at", "Mon 08:00"), "schedule_unclear"),
        (("--schedule", "weekly", "--at", "Mon 08:00", "--remove", "1"), "schedule_unclear"),
        (("--without-costs",), "schedule_unclear"),
        (("--schedule", "weekly", "--at", "Someday"), "schedule_invalid"),
        (("--schedule", "monthly", "--at", "31 08:00"), "schedule_invalid"),
    ],
)
async def test_invalid_schedule_is_refused(
    arguments: tuple[str, ...], code: str, publisher: Publisher, tmp_path: Path
) -> None:
    refused = await run(publisher, tmp_path, "reports", *arguments, "--json")
    assert refused.answer["error"]["code"] == code
    assert await report.list_schedules(publisher.runtime, publisher.scope) == []


async def test_brand_of_a_tenant_is_set_and_shown_in_reports(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "logo.png").write_bytes(PNG)
    changed = await run(
        publisher, tmp_path, "tenant", "--report-title", "Lark Books", "--report-logo", "logo.png",
        "--report-accent", "#0F766E", "--report-note", "For Ann.", "--report-language", "de",
        "--json",
    )  # fmt: skip
    assert changed.answer["report"] == {
        "title": "Lark Books", "cover_note": "For Ann.", "accent": "#0f766e", "language": "de",
        "logo_type": "image/png", "logo_bytes": len(PNG),
    }  # fmt: skip
    await run(publisher, tmp_path, "report", "--output", "report.json")
    document = json.loads((tmp_path / "report.json").read_text())["document"]
    assert (document["title"], document["language"]) == ("Lark Books", "de")
    assert document["brand"]["accent"] == "#0f766e"
    removed = await run(
        publisher, tmp_path, "tenant", "--report-logo", "none", "--report-title", "none", "--json"
    )
    assert removed.answer["report"]["title"] == ""
    assert removed.answer["report"]["logo_type"] is None
    assert removed.answer["report"]["cover_note"] == "For Ann."


@pytest.mark.parametrize(
    "arguments",
    [
        ("--report-accent", "teal"),
        ("--report-title", "x" * 201),
        ("--report-logo", "missing.png"),
        ("--report-logo", "text.png"),
        ("--report-logo", "large.png"),
    ],
)
async def test_invalid_brand_changes_nothing(
    arguments: tuple[str, ...], publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "text.png").write_bytes(b"GIF89a")
    (tmp_path / "large.png").write_bytes(PNG + b"\0" * 200_000)
    before = await run(publisher, tmp_path, "tenant", "--json")
    refused = await run(publisher, tmp_path, "tenant", *arguments, "--json")
    assert refused.answer["error"]["code"] == "report_brand_invalid"
    assert (await run(publisher, tmp_path, "tenant", "--json")).answer == before.answer
