"""Fills the database with hostile text, and finds unescaped hostile text in outputs."""

import re
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from fix_publishing import Publisher
from roost import store
from roost.models import Actor, ActorKind, DraftId, DraftMedia, DraftOrigin, PostId
from roost.services import collect

#: A text with markup of Rich, HTML and templates, with control characters (OSC 52, BEL, C0, C1), a
#: direction override, and newlines before text that looks like a line of Roost's output.
HOSTILE = (
    '[/x][red]hid[/red]\x1b]52;c;ZQ==\x07\x1b[2J\u202egnp\x9b31m\x01<script>x</script>" onclick="'
    "{{7*7}}\r\nFORGED\n2026-11-28 00:00:00,000 ERROR FORGED "
)
#: A hostile text without control characters, so that the rules for posts accept the text.
HOSTILE_PLAIN = '[/x][red]hid[/red]\u202egnp<script>x</script>" onclick="{{7*7}}\nFORGED '
#: `HOSTILE` as a file name: without slashes, and at most 255 bytes long.
HOSTILE_FILE = HOSTILE.replace("/", "|").strip()

#: Characters with an effect in a terminal, a log or a chart.
ACTIVE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_EDITED = re.compile(r"<textarea.*?</textarea>|<input [^>]*>", re.DOTALL)
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_FORGED = re.compile(r"^(FORGED|2026-11-28 00:00:00,000)", re.MULTILINE)

#: Text columns that the query `_COLUMNS` leaves out, because their text does not come from outside
#: Roost: states, kinds, codes, ids, keys and secrets.
_OURS = (
    *(
        "actor",
        "api_key",
        "code",
        "from_state",
        "to_state",
        "browser_hash",
        "client_id",
        "environment",
        "family",
    ),
    *("approval_hash", "brief_hash", "content_hash", "created_by", "origin"),
    *("import_key", "kind", "media_id", "metric", "mime_type", "operation", "outcome", "provider"),
    *("quote_of", "reply_settings", "reply_to"),
    *("redirect_uri", "resource", "resource_id", "keyring_key_id", "sealed_key", "sealed_verifier"),
    *("sent_as", "sha256", "state", "state_hash", "status", "subscription_type"),
    *("subject_type", "subject_id", "system_identifier", "time_zone", "version_num", "x_user_id"),
)
#: Columns that cannot contain a hostile text, because the database or Roost checks their values.
_CHECKED = {
    ("tenants", each) for each in ("name", "report_accent", "report_language", "report_logo_type")
}
_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name)
    WHERE table_schema = 'roost' AND data_type = 'text' AND table_type = 'BASE TABLE'
        AND column_name <> ALL (%s)
"""


_JSON_COLUMNS = _COLUMNS.replace("data_type = 'text'", "data_type = 'jsonb'")
#: JSON columns that the query `_JSON_COLUMNS` leaves out: `metadata` and the columns of drafts are
#: filled separately, and the others contain no text from outside Roost.
_OUR_JSON = (
    *("metadata", "progress", "args"),
    *("brief", "evidence", "media", "provenance", "verdicts"),
)
#: Keys in JSON values whose texts do not come from outside Roost: codes, times and ids.
_OUR_FACTS = frozenset(
    {"actor", "choice", "code", "complete_until", "due_at", "reference", "tweet_id", "url"}
)
_REFUSAL = {"code": "out_of_credits", "detail": {"message": ""}}


def _make_hostile(value: Any) -> Any:
    """Return a copy of a JSON value in which texts begin with `HOSTILE`.

    Lists, and texts that do not come from outside Roost, stay unchanged.
    """
    if isinstance(value, str):
        return HOSTILE + value
    if isinstance(value, dict):
        return {
            name: each if name in _OUR_FACTS and isinstance(each, str) else _make_hostile(each)
            for name, each in value.items()
        }
    return value


def _spoil_json(connection: psycopg.Connection[Any], table: str, column: str) -> None:
    names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
    rows = connection.execute(
        sql.SQL("SELECT ctid, {column} FROM roost.{table} WHERE {column} IS NOT NULL").format(
            **names
        )
    )
    for ctid, value in rows.fetchall():
        connection.execute(
            sql.SQL("UPDATE roost.{table} SET {column} = %s WHERE ctid = %s").format(**names),
            [Jsonb(_make_hostile(value)), ctid],
        )


@dataclass(frozen=True)
class HostileRows:
    """A publisher after `fill_with_hostile`, with the ids of its posts and of its draft."""

    publisher: Publisher
    published: PostId
    planned: PostId
    partly_published: PostId
    undecided: PostId
    draft: DraftId


async def _add_hostile_draft(publisher: Publisher) -> DraftId:
    """Store a draft whose text, brief, evidence and provenance contain hostile text."""
    brief = {
        "account": "larkbooks",
        "topic": HOSTILE[:90],
        "language": HOSTILE[:90],
        "facts": [{"id": HOSTILE[:90], "text": HOSTILE, "source": HOSTILE}],
    }
    provenance = {
        "brief_hash": HOSTILE, "brief_version": 1, "model": HOSTILE, "prompt_hash": HOSTILE,
        "repairs": 0, "input_tokens": 1, "output_tokens": 1, "usd": None,
    }  # fmt: skip
    revision = store.drafts.NewRevision(
        previous=None,
        instruction="",
        brief=brief,
        brief_hash="",
        brief_version=1,
        parts=(HOSTILE, HOSTILE_PLAIN),
        media=(DraftMedia(0, HOSTILE, "", HOSTILE),),
        evidence=[{"part": 0, "text": HOSTILE, "fact_ids": [" ".join(HOSTILE[:90].split())]}],
        verdicts=[
            {"validator": HOSTILE, "ok": False, "judged": True, "findings": [HOSTILE]},
            {"validator": HOSTILE, "ok": True, "judged": False, "findings": []},
        ],
        provenance=provenance,
        origin=DraftOrigin.MODEL,
        content_hash="",
    )
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return await store.drafts.add(
            transaction, publisher.tenant.id, publisher.account.id, revision,
            now=publisher.runtime.clock.now(), actor=Actor(ActorKind.COMMAND_LINE, HOSTILE),
        )  # fmt: skip


async def fill_with_hostile(publisher: Publisher, admin_url: str, teal: Path) -> HostileRows:
    """Create posts in several states, a draft, metrics and alerts, all with hostile text."""
    await publisher.emulator.fail("create_post", "before", "drop")
    undecided = await publisher.schedule("High tide at noon")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=0.25)
    await publisher.run_to_completion()
    published = await publisher.schedule("Low tide", media=teal)
    partly_published = await publisher.schedule("New", "Low tide", "The end", after_s=1)
    await publisher.run_to_completion()
    await publisher.emulator.jump(hours=30)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await publisher.emulator.jump(hours=1)
    draft = await _add_hostile_draft(publisher)
    planned = await publisher.schedule("To come", after_s=86_400, media=teal)
    now = publisher.runtime.clock.now()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        execute = connection.execute
        execute(
            "INSERT INTO roost.anomalies (tenant_id, integration_id, metric, day, score, observed,"
            " expected, message, raised_at) VALUES (%s, %s, 'followers', %s, 9, 9, 1, '', %s)",
            [publisher.tenant.id, publisher.account.id, now.date(), now],
        )
        execute(
            "INSERT INTO roost.alerts"
            " (tenant_id, kind, subject_type, subject_id, raised_at, detail)"
            " VALUES (NULL, 'credits', 'x_app', 'app', %(at)s, %(credits)s),"
            " (%(own)s, 'reconnect', 'account', '1', %(at)s, '{\"username\": \"\"}')",
            {"at": now, "own": publisher.tenant.id, "credits": Jsonb({"reason": _REFUSAL})},
        )
        execute(
            "INSERT INTO roost.app_backoffs (client_id, environment, until, reason)"
            " VALUES ('another-app', 'emulator', %s, %s)",
            [now + timedelta(days=1), Jsonb(_REFUSAL)],
        )
        execute(
            "UPDATE roost.integrations SET health = '', backoff_reason = %s, backoff_until = %s,"
            " metadata = metadata || jsonb_build_object('name', %s::text, 'username', %s::text)",
            [Jsonb(_REFUSAL), now + timedelta(days=1), HOSTILE, HOSTILE.strip()],
        )
        for table, column in execute(_COLUMNS, [list(_OURS)]).fetchall():
            if (table, column) in _CHECKED:
                continue
            connection.execute(
                sql.SQL("UPDATE roost.{} SET {} = {} || coalesce({}, '')").format(
                    sql.Identifier(table),
                    sql.Identifier(column),
                    HOSTILE,
                    sql.Identifier(column),
                )
            )
        for table, column in execute(_JSON_COLUMNS, [list(_OUR_JSON)]).fetchall():
            _spoil_json(connection, table, column)
        connection.execute("UPDATE roost.events SET actor = 'command_line x' || %s", [HOSTILE])
        connection.execute(
            "UPDATE roost.parts SET poll_options = ARRAY[%s, 'No'], poll_minutes = 5", [HOSTILE]
        )
    return HostileRows(publisher, published, planned, partly_published, undecided, draft)


def acts_on_terminal(output: str) -> list[str]:
    """Return what in an output acts on a terminal; the list is empty if all is escaped.

    The list has the first control character, and the beginning of the first line that imitates
    Roost's output.
    """
    return [repr(found[0]) for found in (ACTIVE.search(output), _FORGED.search(output)) if found]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"<{tag} {name}>" for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip() == "x":
            self.found.append("<script>")


def acts_on_page(body: str) -> list[str]:
    """Return the scripts, event handlers and control characters that a page contains."""
    page = _Page()
    page.feed(body)
    # Direction marks are permitted in the fields of a form. If the page removed them there, a user
    # who submits the form would delete them from the stored text.
    shown = _EDITED.sub(lambda edited: _DIRECTION.sub("", edited[0]), body)
    return page.found + [repr(found) for found in ACTIVE.findall(shown.replace("\r\n", "\n"))]
