"""The tables that SQLAlchemy statements use, as the migrations made them (a test compares)."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="roost")


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


integrations = Table(
    "integrations",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", BigInteger, nullable=False),
    Column("provider", Text, nullable=False, server_default="twitter"),
    Column("api_key", Text, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("environment", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("status", Text, nullable=False),
    Column("subscription_type", Text),
    Column("health", Text),
    _instant("connected_at"),
    _instant("collect_due_at", nullable=True),
    Column("paused", Boolean, nullable=False, server_default="false"),
    _instant("backoff_until", nullable=True),
    Column("backoff_reason", Text),
    Column("consecutive_refusals", Integer, nullable=False, server_default="0"),
    Column("backoff_counts_as_late", Boolean, nullable=False, server_default="false"),
)

parts = Table(
    "parts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", BigInteger, nullable=False),
    Column("post_id", BigInteger, nullable=False),
    Column("integration_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sent_as", Text),
    _instant("sent_at", nullable=True),
    _instant("read_at", nullable=True),
    _instant("deleted_at", nullable=True),
    Column("reply_to", Text),
    Column("quote_of", Text),
    Column("poll_options", ARRAY(Text)),
    Column("poll_minutes", Integer),
    Column("reply_settings", Text),
)

account_snapshots = Table(
    "account_snapshots",
    metadata,
    Column("tenant_id", BigInteger, nullable=False),
    Column("integration_id", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("followers", BigInteger),
    Column("following", BigInteger),
    Column("posts", BigInteger),
)

post_snapshots = Table(
    "post_snapshots",
    metadata,
    Column("tenant_id", BigInteger, nullable=False),
    Column("integration_id", BigInteger, nullable=False),
    Column("part_id", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("impressions", BigInteger),
    Column("engagements", BigInteger),
    Column("likes", BigInteger),
    Column("replies", BigInteger),
    Column("reposts", BigInteger),
    Column("quotes", BigInteger),
    Column("bookmarks", BigInteger),
    Column("link_clicks", BigInteger),
    Column("profile_clicks", BigInteger),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", BigInteger, nullable=False),
    Column("integration_id", BigInteger),
    _instant("at"),
    Column("operation", Text, nullable=False),
    Column("status", Integer),
    Column("usd", Numeric(12, 6), nullable=False),
    Column("reason", Text, nullable=False),
)

billed_reads = Table(
    "billed_reads",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("resource_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
)

anomalies = Table(
    "anomalies",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant_id", BigInteger, nullable=False),
    Column("integration_id", BigInteger, nullable=False),
    Column("metric", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("score", Double, nullable=False),
    Column("observed", Double, nullable=False),
    Column("expected", Double, nullable=False),
    Column("message", Text, nullable=False),
    _instant("raised_at"),
)
