"""The pages on which reports are made, read, downloaded and scheduled."""

import io
import json
import re
import zipfile
from pathlib import Path

import aiohttp
import pytest

from fix_model import ModelServer
from fix_publishing import Publisher, run_roost
from fix_web import get, serving
from roost.models import ReportBrand
from roost.services import collect, report
from roost.services.tenant import set_report_brand


async def post(
    browser: aiohttp.ClientSession, url: str, path: str, **fields: str
) -> tuple[aiohttp.ClientResponse, str]:
    """Send a form of Roost's own page."""
    headers = {"origin": url, "sec-fetch-site": "same-origin"}
    async with browser.post(
        url + path, data=fields, headers=headers, allow_redirects=False
    ) as answer:
        return answer, await answer.text()


async def test_report_is_made_listed_and_read(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    made, _ = await post(browser, web, "/reports", period="week", with_costs="on")
    assert (made.status, made.headers["location"]) == (303, "/reports/1?tenant=default")
    _, listed = await get(browser, f"{web}/reports")
    link = '<a href="/reports/1?tenant=default">Report 1</a>'
    # The reader comes for a report more often than for a new one.
    assert 0 < listed.index(link) < listed.index("Make the report")
    _, page = await get(browser, f"{web}/reports/1")
    assert 'href="/reports/1/read?tenant=default"' in page
    answer, body = await get(browser, f"{web}/reports/1/read")
    assert "@larkbooks" in body
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts allow-popups;")
    assert "allow-same-origin" not in policy


@pytest.mark.parametrize(
    ("form", "start"), [("html", b"<!doctype html>"), ("json", b'{\n "format": 1,')]
)
async def test_report_is_downloaded_as_a_file(
    form: str, start: bytes, publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await post(browser, web, "/reports")
    async with browser.get(f"{web}/reports/1/files/{form}") as answer:
        body = await answer.read()
    assert answer.headers["content-disposition"] == f'attachment; filename="report-1.{form}"'
    assert body.lower().startswith(start)


async def test_report_with_several_files_is_downloaded_as_an_archive(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await publisher.schedule("Good morning")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=30)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(hours=1)
    await post(browser, web, "/reports")
    async with browser.get(f"{web}/reports/1/files/png") as answer:
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert answer.headers["content-disposition"] == 'attachment; filename="report-1-png.zip"'
    assert archive.namelist()
    assert all(archive.read(name).startswith(b"\x89PNG") for name in archive.namelist())


async def test_form_with_an_error_is_shown_again_and_nothing_is_made(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    answer, body = await post(
        browser, web, "/reports", period="days", since="2031-01-01", until="2030-01-01"
    )
    assert answer.status == 422
    assert "The first day, 2031-01-01, is after the last day, 2030-01-01." in body
    assert 'name="since" type="date" value="2031-01-01"' in body
    assert await report.list_reports(publisher.runtime, publisher.scope) == []


async def test_schedule_is_added_and_removed(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    fields = {"cadence": "weekly", "weekday": "Tue", "time": "07:30", "with_costs": "on"}
    added, _ = await post(browser, web, "/reports/schedules", **fields)
    assert added.headers["location"] == "/reports?tenant=default"
    _, body = await get(browser, f"{web}/reports")
    assert "Schedule 1: weekly, Tue 07:30." in body
    await post(browser, web, "/reports/schedules/1/remove")
    assert await report.list_schedules(publisher.runtime, publisher.scope) == []


async def test_page_shows_how_reports_look(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    brand = ReportBrand(title="Lark <Books>", accent="#0F766E")
    await set_report_brand(publisher.runtime, publisher.scope, brand)
    _, body = await get(browser, f"{web}/reports")
    assert "Title: Lark &lt;Books&gt;." in body
    assert "Colour: #0f766e." in body


async def test_page_says_who_has_written_the_narrative(
    publisher: Publisher, model_server: ModelServer, browser: aiohttp.ClientSession
) -> None:
    await publisher.schedule("Good morning")
    await publisher.run_due_jobs()
    model_server.answers = [json.dumps({"paragraphs": ["{account} published {posts}."]})]
    changed = publisher.with_settings(model="<small>", model_url=model_server.url)
    async with serving(changed.runtime) as url:
        await post(browser, url, "/reports")
        model_server.answers = [500]
        await post(browser, url, "/reports")
        _, written = await get(browser, f"{url}/reports/1")
        _, failed = await get(browser, f"{url}/reports/2")
    assert "The model &lt;small&gt; has written the narrative." in written
    assert "not those of the model &lt;small&gt; (model_unavailable)" in failed


async def test_report_of_another_tenant_is_not_found(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, tmp_path: Path
) -> None:
    settings = publisher.runtime.settings
    await post(browser, web, "/reports")
    other = await run_roost("init", "--tenant", "acme", settings=settings, folder=tmp_path)
    assert other.code == 0, other.err
    for path in ("/reports/1", "/reports/1/read", "/reports/1/files/html"):
        answer, body = await get(browser, web + path, tenant="acme")
        assert answer.status == 404
        assert re.search("There is no report 1", body)
