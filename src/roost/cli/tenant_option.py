"""Adds `--tenant` to commands that Roost suggests, so that they act for the same tenant.

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
#: Matches a suggested command that accepts `--tenant`, does not contain the option yet, and does
#: not act for all tenants.
_COMMAND: Final = re.compile(
    r"`roost (?:approve|cancel|connect|drafts?|edit|import|metrics|pause|posts|publish|report"
    r"|resolve|resume|tenant)\b"
    r"(?![^`]*--(?:all(?!-)|restored|tenant))[^`]*(?=`)"
)


@dataclass
class _Running:
    """The running command, of which only the tenant option is kept."""

    option: str = ""
    """The option that names its tenant; empty if none is needed."""


_running: ContextVar[_Running | None] = ContextVar("running", default=None)


@contextlib.contextmanager
def running_command() -> Iterator[None]:
    """Remember, during the block, the tenant for which the command acts.

    The block includes printing the command's error, so that advice in the error names the tenant.
    """
    token = _running.set(_Running())
    try:
        yield
    finally:
        _running.reset(token)


def make_option(tenant_name: str, *, is_only_tenant: bool) -> str:
    """Return ` --tenant NAME`; empty if commands use this tenant without the option."""
    is_needed = tenant_name != _DEFAULT_TENANT or not is_only_tenant
    return f" --tenant {tenant_name}" if is_needed else ""


def set_tenant(tenant_name: str, *, is_only_tenant: bool) -> None:
    """Record the tenant for which the running command acts."""
    if (running := _running.get()) is not None:
        running.option = make_option(tenant_name, is_only_tenant=is_only_tenant)


def name_tenant(advice: str, option: str | None = None) -> str:
    """Add `--tenant` to the commands in `advice` where it is needed.

    `option` is a result of `make_option`; the default is the running command's option. Do not pass
    a text that contains a user's words, because commands in these words would be changed, too.
    """
    if option is None:
        running = _running.get()
        option = "" if running is None else running.option
    return _COMMAND.sub(lambda found: found[0] + option, advice) if option else advice
