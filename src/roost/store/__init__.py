"""The database hand: every statement that Roost runs, and the vault that seals secrets."""

from roost.store import (
    accounts,
    alarms,
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
    "alarms",
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
