"""Database access: queries, schema, account locks, and the vault that encrypts secrets."""

from roost.store import (
    alerts,
    anomalies,
    installation,
    integrations,
    ledger,
    locks,
    oauth_flows,
    posts,
    publishing,
    snapshots,
    tenants,
    uploads,
)

__all__ = [
    "alerts",
    "anomalies",
    "installation",
    "integrations",
    "ledger",
    "locks",
    "oauth_flows",
    "posts",
    "publishing",
    "snapshots",
    "tenants",
    "uploads",
]
