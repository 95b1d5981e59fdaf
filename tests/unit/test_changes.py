"""The changes of an edit are stored as facts of an event, and described in words."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from roost.models import (
    NO_OPTIONS,
    IntegrationId,
    MediaAsset,
    MediaAssetId,
    MediaKind,
    Part,
    PartId,
    PartOptions,
    PartState,
    Poll,
    Post,
    PostId,
    PostState,
    ReplySettings,
    TenantId,
    TweetId,
)
from roost.publishing.changes import describe_changes, list_changes

DUE = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
POLL = PartOptions(poll=Poll(("Yes", "No"), timedelta(days=1)))
REPLY = PartOptions(reply_to=TweetId("17"), reply_settings=ReplySettings.FOLLOWING)


def file(name: str, sha256: str, alt_text: str | None = None) -> MediaAsset:
    path = f"/home/rita/{name}"
    return MediaAsset(MediaAssetId(1), path, sha256, MediaKind.IMAGE, "image/png", 9, alt_text)


def part(
    text: str, *media: MediaAsset, options: PartOptions = NO_OPTIONS, position: int = 1
) -> Part:
    return Part(
        PartId(position), PostId(1), position, text, PartState.PENDING, None, None, media,
        options=options,
    )  # fmt: skip


def post(*parts: Part, due_at: datetime | None = DUE) -> Post:
    tenant, account = TenantId(1), IntegrationId(1)
    return Post(PostId(1), tenant, account, PostState.SCHEDULED, due_at, None, parts)


BEFORE = post(part("One"))
THREAD = post(part("One"), part("Two", position=2))
PICTURE = post(part("One", file("a.png", "aa", "A")))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (BEFORE, BEFORE, ""),
        (BEFORE, post(part("Two")), 'text "One" → "Two"'),
        (
            BEFORE, post(part("One"), due_at=DUE + timedelta(hours=1)),
            "time Tue 1 Dec 2026, 10:00 (Europe/Berlin) → Tue 1 Dec 2026, 11:00 (Europe/Berlin)",
        ),
        (
            post(part("One"), due_at=None), BEFORE,
            "time none → Tue 1 Dec 2026, 10:00 (Europe/Berlin)",
        ),
        (BEFORE, PICTURE, 'files none → a.png; alt text of a.png none → "A"'),
        (PICTURE, BEFORE, "files a.png → none"),
        (PICTURE, post(part("One", file("b.png", "bb", "A"))),
         'files a.png → b.png; alt text of b.png none → "A"'),
        (PICTURE, post(part("One", file("a.png", "aa", "B"))), 'alt text of a.png "A" → "B"'),
        (post(part("One", file("a.png", "aa"))), post(part("One", file("a.png", "bb"))),
         "new content of a.png"),
        (BEFORE, post(part("One", options=POLL)), "options none → poll, open for 1 d: Yes / No"),
        (post(part("One", options=REPLY)), BEFORE,
         "options replies to 17, who may reply: following → none"),
        (THREAD, post(part("One"), part("Three", position=2)), 'part 2: text "Two" → "Three"'),
        (THREAD, BEFORE, 'part 2: text "Two" → none'),
        (BEFORE, THREAD, 'part 2: text none → "Two"'),
        (BEFORE, post(part("x" * 301)), f'text "One" → "{"x" * 300}…"'),
    ],
)  # fmt: skip
def test_edit_says_the_old_and_the_new_value(before: Post, after: Post, expected: str) -> None:
    stored = json.loads(json.dumps(list_changes(before, after)))
    assert describe_changes(stored, "Europe/Berlin") == expected


def test_facts_of_a_change_have_the_whole_text() -> None:
    (change,) = list_changes(BEFORE, replace(BEFORE, parts=(part("x" * 301),)))
    assert change == {"what": "text", "before": "One", "after": "x" * 301}
