"""The database hand: every statement that Roost runs, and the vault that seals secrets."""

from roost.store import accounts, connections, findings, ledger, posts, snapshots, tenants

__all__ = ["accounts", "connections", "findings", "ledger", "posts", "snapshots", "tenants"]
