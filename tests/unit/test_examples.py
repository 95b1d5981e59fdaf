"""The examples have every kind of post, and all are valid except the invalid example."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roost import mediafile, planfile
from roost.agents.brief import read_brief
from roost.agents.composer import compose_drafts
from roost.cli.demo.month import DAYS, find_month_start
from roost.models import MediaKind, Violation
from roost.publishing import validation
from roost.publishing.part_input import PartInput
from roost.text import extract_entities, lint_text

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PLANS = ("plan.csv", "plan-lune.csv")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def read(name: str) -> planfile.Plan:
    return planfile.read_plan(EXAMPLES / name, time_zone="UTC", now=NOW)


def drafted(post: planfile.PlannedPost) -> list[PartInput]:
    return [
        PartInput(
            part.text,
            tuple(
                replace(file, file=mediafile.probe_media(Path(str(file.source))))
                for file in part.media
            ),
        )
        for part in post.parts
    ]


def judged(post: planfile.PlannedPost) -> list[Violation]:
    return validation.validate_post(drafted(post), subscription_type=None)


@pytest.mark.parametrize("name", PLANS)
def test_every_row_of_an_example_plan_is_read(name: str) -> None:
    plan = read(name)
    assert plan.refused == ()
    assert len(plan.posts) == {"plan.csv": 17, "plan-lune.csv": 12}[name]
    assert len({post.account for post in plan.posts}) == 1


def test_one_post_of_300_characters_is_refused_and_all_others_are_valid() -> None:
    refused = [(post, judged(post)) for name in PLANS for post in read(name).posts if judged(post)]
    ((post, violations),) = refused
    assert [(one.code, one.found) for one in violations] == [("text_too_long", 300)]
    (row,) = planfile.refuse_post(post, violations)
    assert (row.line, row.code) == (7, "text_too_long")


def test_the_plan_shows_every_kind_of_post() -> None:
    posts = read("plan.csv").posts
    media = [[file.probed.kind for file in part.media] for post in posts for part in drafted(post)]
    assert [MediaKind.IMAGE, MediaKind.IMAGE] in media
    assert [MediaKind.GIF] in media
    assert [MediaKind.VIDEO] in media
    assert [len(post.parts) for post in posts if len(post.parts) > 1] == [4]
    texts = [part.text for post in posts for part in post.parts]
    assert any(extract_entities(text).urls for text in texts)
    assert any("語" in text and "👩🏽‍🔧" in text for text in texts)


def test_every_file_has_an_alt_text_and_is_used() -> None:
    files = [
        file for name in PLANS for post in read(name).posts for part in post.parts
        for file in part.media
    ]  # fmt: skip
    assert all(file.alt_text for file in files)
    assert {Path(str(file.source)).name for file in files} == {
        path.name for path in (EXAMPLES / "media").iterdir()
    }


def test_the_video_is_what_x_takes() -> None:
    video = mediafile.probe_media(EXAMPLES / "media" / "boiler-pressure.mp4")
    assert (video.video_codec, video.pixel_format) == ("h264", "yuv420p")
    assert (video.audio_codec, video.audio_profile) == ("aac", "LC")
    assert video.duration is not None
    assert video.duration.total_seconds() == pytest.approx(4.0, abs=0.1)


def test_the_texts_hold_nothing_that_a_careful_writer_would_change() -> None:
    texts = [part.text for name in PLANS for post in read(name).posts for part in post.parts]
    assert [finding for text in texts for finding in lint_text(text)] == []


@pytest.mark.parametrize(("name", "closed_on"), [("plan.csv", {5, 6}), ("plan-lune.csv", {6})])
def test_the_times_cover_four_weeks_from_a_monday(name: str, closed_on: set[int]) -> None:
    monday = find_month_start(NOW)
    days = [(post.due_at - NOW) // timedelta(days=1) for post in read(name).posts]
    assert len(set(days)) == len(days)
    assert {day // 7 for day in days} >= {0, 1, 2, 3}
    assert max(days) < DAYS
    weekdays = {(monday + timedelta(days=day)).weekday() for day in days}
    assert weekdays & closed_on == set()
    assert min(post.due_at - NOW for post in read(name).posts) < timedelta(seconds=15)


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (datetime(2026, 11, 28, 10, tzinfo=UTC), datetime(2026, 11, 30, 8, tzinfo=UTC)),
        (datetime(2026, 11, 30, 7, 59, tzinfo=UTC), datetime(2026, 11, 30, 8, tzinfo=UTC)),
        (datetime(2026, 11, 30, 8, tzinfo=UTC), datetime(2026, 12, 7, 8, tzinfo=UTC)),
    ],
)
def test_the_month_of_the_demo_starts_on_the_next_monday(now: datetime, start: datetime) -> None:
    assert find_month_start(now) == start


def test_the_media_are_small() -> None:
    assert sum(path.stat().st_size for path in (EXAMPLES / "media").iterdir()) < 400_000


def test_the_example_brief_gives_its_drafts() -> None:
    brief = read_brief(EXAMPLES / "brief.yaml")
    drafts = compose_drafts(brief)
    assert len({draft.text for draft in drafts}) == brief.n == 6
    for draft in drafts:
        assert draft.weighted_length < 240
        assert "https://acmeplumbing.example.com/winter\n#FrozenPipes" in draft.text
