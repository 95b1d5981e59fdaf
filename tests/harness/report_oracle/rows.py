"""Writes the rows of a planned world into PostgreSQL, as a worker would have stored them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import psycopg

from harness.report_oracle.worlds import PlannedAccount, PlannedPost, PlannedWorld
from roost.insights.read_plan import has_private_metrics, plan_reads
from roost.models import PartId
from x_emulator.rules.metrics import follower_count, non_public_metrics, post_counts
from x_emulator.state import Post, World

_OPERATIONS: Final = (
    ("create_post", "0.015"),
    ("create_post", "0.2"),
    ("delete_post", "0.01"),
    ("read_posts", "0.005"),
    ("read_timeline", "0.125"),
    ("read_post_analytics", "0.03"),
    ("read_media_analytics", "0"),
    ("read_user", "0.01"),
    ("media_upload", "0.000001"),
    ("media_metadata", "0.003"),
    ("read_usage", "0.007"),
    ("token", "0"),
)
_PUBLIC: Final = {
    "impressions": "impression_count",
    "likes": "like_count",
    "replies": "reply_count",
    "reposts": "retweet_count",
    "quotes": "quote_count",
    "bookmarks": "bookmark_count",
}
_PRIVATE: Final = {
    "engagements": "engagements",
    "link_clicks": "url_link_clicks",
    "profile_clicks": "user_profile_clicks",
}
METRICS: Final = (*_PUBLIC, *_PRIVATE)


@dataclass(frozen=True)
class StoredWorld:
    """The ids of a world's rows."""

    tenant: int
    accounts: tuple[int, ...]


def store_world(admin: psycopg.Connection[Any], planned: PlannedWorld) -> StoredWorld:
    """Store a world and return its ids. `admin` is a superuser's session without autocommit."""
    chance = np.random.default_rng([18, planned.seed])
    name = f"world-{planned.seed}"
    tenant = _insert(
        admin, "INSERT INTO tenants (name, time_zone) VALUES (%s, %s)", name, planned.zone.key
    )
    since = min(each.read_since for each in planned.accounts)
    month = since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= planned.now:
        admin.execute("SELECT ensure_snapshot_partitions(%s)", [month])
        month += timedelta(days=28)
    admin.execute("SELECT ensure_snapshot_partitions(%s)", [planned.now])
    accounts = []
    for account in planned.accounts:
        integration = _store_integration(admin, tenant, account, planned.now)
        parts = _store_posts(admin, chance, tenant, integration, account.posts)
        _store_snapshots(admin, chance, planned, (tenant, integration), account, parts)
        accounts.append(integration)
    _store_ledger(admin, chance, planned, tenant, accounts)
    admin.commit()
    return StoredWorld(tenant, tuple(accounts))


def _insert(admin: psycopg.Connection[Any], statement: str, *values: object) -> int:
    row = admin.execute(f"{statement} RETURNING id".encode(), values).fetchone()
    assert row is not None
    return int(row[0])


def _store_integration(
    admin: psycopg.Connection[Any], tenant: int, account: PlannedAccount, now: datetime
) -> int:
    metadata = {
        "userId": f"{tenant}{account.user.index:03}",
        "username": account.user.username,
        "name": account.user.name,
        "accessToken": "",
        "tokenExpiresAt": now.isoformat(),
    }
    return _insert(
        admin,
        "INSERT INTO integrations (tenant_id, api_key, metadata, environment, client_id, scopes,"
        " status, connected_at, collect_due_at) VALUES (%s, '', %s, 'live', 'app', '{}',"
        " 'connected', %s, %s)",
        tenant,
        json.dumps(metadata),
        account.read_since,
        now + timedelta(hours=1),
    )


def _store_posts(
    admin: psycopg.Connection[Any],
    chance: np.random.Generator,
    tenant: int,
    integration: int,
    posts: Sequence[PlannedPost],
) -> dict[int, Post]:
    """Store posts, parts and media; return the emulator's post of each sent part."""
    sent: dict[int, Post] = {}
    media: list[tuple[object, ...]] = []
    for planned in posts:
        post_id = _insert(
            admin,
            "INSERT INTO posts (tenant_id, integration_id, state, due_at, late_from)"
            " VALUES (%s, %s, %s, %s, %s)",
            *(tenant, integration, planned.state, planned.due_at, planned.late_from),
        )
        for position, part in enumerate(planned.parts, 1):
            part_id = _insert(
                admin,
                "INSERT INTO parts (tenant_id, post_id, integration_id, position, text, state,"
                " sent_as, sent_at, reply_to, quote_of, poll_options, poll_minutes)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                *(tenant, post_id, integration, position, part.text, part.state),
                f"{integration}{part.post.id[-12:]}" if part.post else None,
                part.sent_at,
                part.reply_to,
                part.quote_of,
                ["Yes", "No"] if part.has_poll else None,
                60 if part.has_poll else None,
            )
            if part.post is not None:
                sent[part_id] = part.post
            media += [
                (tenant, part_id, number, "file", "0" * 64, kind, "image/png", 1)
                for number, kind in enumerate(part.media)
            ]
    _copy(
        admin,
        "media_assets (tenant_id, part_id, position, path, sha256, kind, mime_type, size_bytes)",
        media,
    )
    return sent


def _store_snapshots(
    admin: psycopg.Connection[Any],
    chance: np.random.Generator,
    planned: PlannedWorld,
    ids: tuple[int, int],
    account: PlannedAccount,
    parts: dict[int, Post],
) -> None:
    """Store what a worker has read: the account each time, and posts by the read plan.

    X leaves out the private metrics of some posts, now and then a whole post, and corrects some
    counts downward.
    """
    accounts: list[tuple[object, ...]] = []
    posts: list[tuple[object, ...]] = []
    last_read: dict[int, datetime] = {}
    always_hidden = {part for part in parts if chance.uniform() < 0.02}
    for at in account.read_at:
        if chance.uniform() > 0.01:
            followers = follower_count(planned.world, account.user, at)
            accounts.append((*ids, at, followers, 100, 50))
        waiting = [
            (PartId(part), post.created_at, last_read.get(part))
            for part, post in parts.items()
            if post.created_at < at and at - post.created_at < timedelta(days=100)
        ]
        for part in plan_reads(waiting, at).due:
            if chance.uniform() < 0.01:
                continue
            last_read[part] = at
            hides = part in always_hidden or bool(chance.uniform() < 0.004)
            values = read_values(planned.world, parts[part], at, hides_private=hides)
            if chance.uniform() < 0.01 and values["impressions"]:
                values["impressions"] -= int(chance.integers(1, 4))
            posts.append((*ids, part, at, *(values[name] for name in METRICS)))
    _copy(
        admin,
        "account_snapshots (tenant_id, integration_id, at, followers, following, posts)",
        accounts,
    )
    columns = ", ".join(METRICS)
    _copy(admin, f"post_snapshots (tenant_id, integration_id, part_id, at, {columns})", posts)
    with admin.cursor() as cursor:
        cursor.executemany(
            "UPDATE parts SET read_at = %s WHERE id = %s",
            [(at, part) for part, at in last_read.items()],
        )


def read_values(
    world: World, post: Post, at: datetime, *, hides_private: bool = False
) -> dict[str, int | None]:
    """Return the metrics of a post at an instant, as Roost stores them."""
    counts = post_counts(world, post, at)
    values: dict[str, int | None] = {name: counts[each] for name, each in _PUBLIC.items()}
    private = non_public_metrics(counts)
    is_visible = has_private_metrics(post.created_at, at) and not hides_private
    return values | {name: private[each] if is_visible else None for name, each in _PRIVATE.items()}


def _store_ledger(
    admin: psycopg.Connection[Any],
    chance: np.random.Generator,
    planned: PlannedWorld,
    tenant: int,
    accounts: Sequence[int],
) -> None:
    since = min(each.read_since for each in planned.accounts)
    rows = []
    for _ in range(int(chance.choice([0, 30, 300]))):
        operation, usd = _OPERATIONS[int(chance.integers(len(_OPERATIONS)))]
        at = since + (planned.now - since) * float(chance.uniform())
        integration = (
            None if chance.uniform() < 0.1 else accounts[int(chance.integers(len(accounts)))]
        )
        rows.append((tenant, integration, at, operation, 200, Decimal(usd), ""))
    _copy(admin, "ledger (tenant_id, integration_id, at, operation, status, usd, reason)", rows)


def _copy(admin: psycopg.Connection[Any], target: str, rows: Iterable[tuple[object, ...]]) -> None:
    with admin.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)
