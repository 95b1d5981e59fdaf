"""Adds `--tenant` to the commands in advice, so that a suggested command acts for the same tenant.

The option is omitted if the only tenant is `default`, because the commands use that tenant anyway.
"""

import contextlib
import re
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

#: The tenant of a command without `--tenant`.
_DEFAULT_TENANT: Final = "default"
#: A suggested command that has the option `--tenant`, and does not act for all tenants.
_COMMAND: Final = re.compile(
    r"`roost (?:approve|cancel|connect|drafts?|edit|import|metrics|pause|posts|publish|report"
    r"|resolve|resume|tenant)\b"
    r"(?![^`]*--(?:all(?!-)|restored|tenant))[^`]*(?=`)"
)


@dataclass
class _Running:
    """The command that runs."""

    option: str = ""
    """The option that names its tenant; empty if none is needed."""


_running: ContextVar[_Running | None] = ContextVar("running", default=None)


@contextlib.contextmanager
def running_command() -> Iterator[None]:
    """Keep the tenant of one command during the block, also for the error that it ends with."""
    token = _running.set(_Running())
    try:
        yield
    finally:
        _running.reset(token)


def make_option(tenant_name: str, *, is_only_tenant: bool) -> str:
    """Return the option that names a tenant; empty if commands use the tenant anyway."""
    is_needed = tenant_name != _DEFAULT_TENANT or not is_only_tenant
    return f" --tenant {tenant_name}" if is_needed else ""


def set_tenant(tenant_name: str, *, is_only_tenant: bool) -> None:
    """Record the tenant for which the running command acts."""
    if (running := _running.get()) is not None:
        running.option = make_option(tenant_name, is_only_tenant=is_only_tenant)


def name_tenant(advice: str, option: str | None = None) -> str:
    """Add an option of `make_option` to the commands in advice; by default, the running command's.

    `advice` must be a text of Roost: the commands in a user's text are not for the reader.
    """
    if option is None:
        running = _running.get()
        option = "" if running is None else running.option
    return _COMMAND.sub(lambda found: found[0] + option, advice) if option else advice
