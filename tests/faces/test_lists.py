"""The lists of posts and drafts: their content, their order, and the number of rows read."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from fix_publishing import Publisher
from fix_web import get
from roost import store
from roost.models import DraftState, IntegrationId, PostState
from roost.publishing.decisions import needs_attention
from roost.publishing.selection import EVERY_POST, ListGroup, Selection, fold_case
from roost.services import queries
from roost.store.database import Transaction

NOON = "2026-11-28 12:00Z"
#: The number of posts or drafts in the database: more than one list shows.
MANY = 3000
ADD_MANY = f"""
    WITH added AS (
        INSERT INTO posts (tenant_id, integration_id, state, due_at)
        SELECT %(tenant)s, %(account)s,
               CASE WHEN number %% 3 = 0 THEN 'published' ELSE 'scheduled' END,
               '{NOON}'::timestamptz + number * interval '1 minute'
        FROM generate_series(1, {MANY}) AS number RETURNING id, tenant_id, integration_id)
    INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state, sent_as, sent_at)
    SELECT a.tenant_id, a.id, a.integration_id, 1, 'Number ' || a.id || ' of many', 'pending',
           NULL, NULL
    FROM added a
"""
ADD_DRAFTS = f"""
    WITH added AS (
        INSERT INTO drafts (tenant_id, integration_id, state, revision)
        SELECT %(tenant)s, %(account)s,
               CASE WHEN number %% 2 = 0 THEN 'discarded' ELSE 'draft' END, 1
        FROM generate_series(1, {MANY}) AS number RETURNING id, tenant_id)
    INSERT INTO draft_revisions
        (tenant_id, draft_id, number, instruction, brief, brief_hash, brief_version, parts, media,
         evidence, verdicts, provenance, origin, content_hash, created_at, created_by)
    SELECT tenant_id, id, 1, '', '{{}}', '', 1, ARRAY['Hello'], '[]', '[]', '[]', '{{}}',
           'composer', 'x', now(), 'worker x'
    FROM added
"""


@dataclass
class CountingTransaction(Transaction):
    """A transaction that counts the rows that each statement returns."""

    raw: Any
    rows: dict[str, int] = field(default_factory=dict)

    async def run(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a named statement, and add the number of returned rows to the statement's count."""
        rows = await super().run(name, **values)
        self.rows[name] = self.rows.get(name, 0) + len(rows)
        return rows


async def execute(publisher: Publisher, statement: str) -> None:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            statement.encode(), {"tenant": publisher.tenant.id, "account": publisher.account.id}
        )


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(limit=20), 20),
        (Selection(states=[PostState.PUBLISHED], limit=7), 7),
        (Selection(search="NUMBER 12 of"), 1),
        (Selection(limit_per_group=5), 10),
    ],
)
async def test_list_of_many_posts_reads_only_the_posts_that_it_contains(
    publisher: Publisher, selection: Selection, expected: int
) -> None:
    await execute(publisher, ADD_MANY)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        counting = CountingTransaction(transaction.raw)
        selected = await store.post_lists.select(counting, selection)
    assert len(selected) == expected
    assert counting.rows == {
        "select_posts": expected,
        "list_media_assets": 0,
        "list_parts": expected,
    }


async def test_list_of_a_period_reads_only_the_posts_of_the_period(publisher: Publisher) -> None:
    await execute(publisher, ADD_MANY)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        since = (await store.post_lists.select(transaction, Selection(limit=1)))[0].post.due_at
        assert since is not None
        counting = CountingTransaction(transaction.raw)
        await store.post_lists.select(
            counting, Selection(since=since, until=since + timedelta(minutes=9))
        )
    assert counting.rows["select_posts"] == 9


async def test_list_of_many_drafts_reads_only_the_drafts_that_it_contains(
    publisher: Publisher,
) -> None:
    await execute(publisher, ADD_DRAFTS)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        counting = CountingTransaction(transaction.raw)
        await store.drafts.list_all(counting, [DraftState.DRAFT], limit=20)
        assert counting.rows == {"list_drafts": 20}
        assert await store.drafts.count(transaction, [DraftState.DRAFT]) == MANY // 2


async def test_page_of_many_posts_shows_a_hundred_of_each_group(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession
) -> None:
    await execute(publisher, ADD_MANY)
    _, page = await get(browser, f"{web}/posts")
    assert page.count('class="when"') == 200
    assert "Show all 1000 posts" in page
    assert "Show all 2000 posts" in page
    _, everything = await get(browser, f"{web}/posts?show=all")
    assert (everything.count('class="when"'), "Show all" in everything) == (MANY, False)


ADD_POST = """
    WITH added AS (
        INSERT INTO posts (tenant_id, integration_id, state, due_at)
        VALUES (%(tenant)s, %(account)s, %(state)s,
                '2026-11-28 12:00Z'::timestamptz + %(hours)s * interval '1 hour')
        RETURNING id, tenant_id, integration_id)
    INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state)
    SELECT a.tenant_id, a.id, a.integration_id, position, text, 'pending'
    FROM added a, unnest(%(texts)s::text[]) WITH ORDINALITY AS part(text, position)
"""
POSTS: list[tuple[PostState, float | None, list[str]]] = [
    (PostState.PUBLISHED, -48, ["Straße and README.md"]),
    (PostState.MISSED, -24, ["Two"]),
    (PostState.PUBLISHED, -12, ["Three, ΜΈΛΙΣΣΑΣ"]),
    (PostState.NEEDS_DECISION, -6, ["Four"]),
    (PostState.PUBLISHING, -1, ["Five"]),
    (PostState.SCHEDULED, 24, ["Six", "of a thread about README.md"]),
    (PostState.SCHEDULED, 2, ["Seven, a ﬁle"]),
    (PostState.DRAFT, None, ["Eight % _"]),
    (PostState.CANCELLED, 3, ["Nine"]),
]


async def add_posts(publisher: Publisher) -> None:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        for state, hours, texts in POSTS:
            values = {"tenant": publisher.tenant.id, "account": publisher.account.id}
            await transaction.raw.execute(
                ADD_POST.encode(), values | {"state": state, "hours": hours, "texts": texts}
            )


def due(hours: float) -> datetime:
    return datetime(2026, 11, 28, 12, tzinfo=UTC) + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (EVERY_POST, [5, 7, 6, 4, 2, 8, 9, 3, 1]),
        (Selection(states=[PostState.PUBLISHED]), [3, 1]),
        (Selection(states=[PostState.DRAFT, PostState.SCHEDULED]), [7, 6, 8]),
        (Selection(since=due(0)), [7, 6, 9]),
        (Selection(until=due(0)), [5, 4, 2, 3, 1]),
        (Selection(since=due(-24), until=due(0)), [5, 4, 2, 3]),
        (Selection(search="readme.MD"), [6, 1]),
        (Selection(search="STRASSE"), [1]),
        (Selection(search="straẞe"), [1]),
        (Selection(search="μέλισσας"), [3]),
        (Selection(search="FILE"), [7]),
        (Selection(search="% _"), [8]),
        (Selection(limit=2), [5, 7]),
        (Selection(states=[PostState.PUBLISHED], search="three", limit=9), [3]),
        (Selection(search="nothing of this"), []),
    ],
)
async def test_selection(publisher: Publisher, selection: Selection, expected: list[int]) -> None:
    await add_posts(publisher)
    groups = await queries.list_post_groups(publisher.runtime, publisher.scope, selection)
    first = min(one.id for one in await queries.list_posts(publisher.runtime, publisher.scope))
    assert [one.post.id - first + 1 for group in groups for one in group.posts] == expected


async def test_selection_of_another_account_is_empty(publisher: Publisher) -> None:
    await add_posts(publisher)
    other = IntegrationId(publisher.account.id + 1)
    assert (
        await queries.list_post_groups(publisher.runtime, publisher.scope, EVERY_POST, other) == []
    )


async def test_groups_of_a_list_agree_with_needs_attention(publisher: Publisher) -> None:
    await add_posts(publisher)
    await execute(publisher, "UPDATE posts SET acknowledged_at = due_at WHERE state = 'missed'")
    groups = await queries.list_post_groups(publisher.runtime, publisher.scope)
    assert [group.group for group in groups] == list(ListGroup)
    for group in groups:
        for one in group.posts:
            assert needs_attention(one.post) == (group.group is ListGroup.NEEDS_ATTENTION)


@pytest.mark.parametrize(("text", "folded"), [("ÄΣẞ", "äσss"), ("ﬁ", "fi"), ("ǰ", "ǰ"), ("İ", "İ")])
def test_fold_case(text: str, folded: str) -> None:
    assert fold_case(text) == folded
