"""The database hand: every statement that Roost runs, and the vault that seals secrets."""

from roost.store import (
    accounts,
    alerts,
    connections,
    findings,
    installation,
    journal,
    ledger,
    locks,
    posts,
    snapshots,
    tenants,
    uploads,
)

__all__ = [
    "accounts",
    "alerts",
    "connections",
    "findings",
    "installation",
    "journal",
    "ledger",
    "locks",
    "posts",
    "snapshots",
    "tenants",
    "uploads",
]
