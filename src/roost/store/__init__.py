"""Database access: queries, schema, account locks, and the vault that encrypts secrets.

A module is loaded when it is first used, because a command needs only a few of the modules.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roost.store import (
        alerts,
        anomalies,
        drafts,
        installation,
        integrations,
        kept_reports,
        ledger,
        locks,
        model_calls,
        oauth_flows,
        post_lists,
        posts,
        publishing,
        report_schedules,
        reports,
        snapshots,
        tenants,
        uploads,
    )

__all__ = [
    "alerts",
    "anomalies",
    "drafts",
    "installation",
    "integrations",
    "kept_reports",
    "ledger",
    "locks",
    "model_calls",
    "oauth_flows",
    "post_lists",
    "posts",
    "publishing",
    "report_schedules",
    "reports",
    "snapshots",
    "tenants",
    "uploads",
]


def __getattr__(name: str) -> object:
    """Import a module of this package when it is first used (PEP 562)."""
    if name in __all__:
        return import_module(f"roost.store.{name}")
    raise AttributeError(f"module 'roost.store' has no attribute {name!r}")
