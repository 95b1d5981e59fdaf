"""The format of faults in `POST /_emulator/faults` and in fault files."""

from pathlib import Path
from typing import Literal

import msgspec
import yaml

#: The names of the operations that requests perform. A fault names the operation it applies to.
OPERATIONS = frozenset(
    {
        *("create_post", "delete_post", "read_posts", "read_post", "read_timeline"),
        *("read_me", "read_user", "read_users"),
        *("read_post_analytics", "read_media_analytics", "read_usage"),
        *("media_initialize", "media_append", "media_finalize", "media_status"),
        *("media_upload", "media_metadata"),
        *("media_subtitles", "media_subtitles_delete"),
        *("token", "refresh", "revoke", "app_token", "invalidate_app_token"),
        *("request_token", "access_token", "invalidate_token"),
        *("v1_media_upload", "v1_media_status", "v1_media_metadata", "v1_media_subtitles"),
        *("v1_verify_credentials", "v1_other"),
    }
)

FaultKind = Literal[
    "drop",
    "delay",
    "cut",
    "slow",
    "wrong_type",
    "stale",
    "500",
    "502text",
    "503",
    "504",
    "429",
    "429day",
    "429cap",
    "401",
    "402",
    "400quote",
    "200empty",
    "200object",
    "200ok",
    "200deep",
    "200html",
    "204",
    "401html",
    "403html",
    "403object",
    "403deep",
    "404empty",
    "404html",
    "413html",
    "429text",
]


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """A fault to inject into requests that perform the operation `operation`."""

    operation: str
    """One of `OPERATIONS`, or `*` for all operations."""
    when: Literal["before", "after"]
    kind: FaultKind | None = None
    script: list[FaultKind | Literal["ok"]] | None = None
    """The kinds of faults for successive matching requests, in place of `kind`; `ok` is none."""
    times: int | None = 1
    """The number of requests to which the fault applies; None for every matching request."""
    probability: float = 1.0
    seconds: float = 0.0
    """The duration of `delay` and `slow` in wall seconds, or the maximum lag of a `stale`
    read in emulated seconds."""
    draws: int = 0
    """The number of matching requests so far. This number and the seed select a random number."""

    def __post_init__(self) -> None:
        if self.operation != "*" and self.operation not in OPERATIONS:
            raise ValueError(f"There is no operation `{self.operation}`.")
        kinds = [self.kind] if self.script is None else self.script
        if (self.kind is None) == (self.script is None):
            raise ValueError("A fault needs either a `kind` or a `script`, not both.")
        corrupting = {"cut", "slow", "wrong_type"}.intersection(filter(None, kinds))
        if corrupting and self.when == "before":
            raise ValueError(f"`{min(corrupting)}` corrupts a response: `when` must be `after`.")
        if "400quote" in kinds and self.when == "after":
            raise ValueError("`400quote` is a refusal: `when` must be `before`.")
        stale = "stale" in kinds
        if stale and (self.when, self.operation) != ("before", "read_timeline"):
            raise ValueError("`stale` needs the operation `read_timeline` and `when: before`.")


class _FaultFile(msgspec.Struct, forbid_unknown_fields=True):
    faults: list[Fault]


class InvalidFaultFile(ValueError):
    """The fault file cannot be parsed. The exception's message states the reason."""


class _PlainLoader(yaml.SafeLoader):
    """A loader that refuses aliases: a few hundred bytes of aliases can expand to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias (`*name`), and therefore merges too (`<<: [*name, …]`)."""
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "a fault file must not contain aliases (`*name`)", alias.start_mark
            )
        return super().compose_node(parent, index)


def read_fault_file(path: Path) -> list[Fault]:
    """Read the faults in the list `faults` of a YAML file.

    Raises: InvalidFaultFile, OSError.
    """
    try:
        content = yaml.load(path.read_bytes(), Loader=_PlainLoader)  # noqa: S506
        return msgspec.convert(content, _FaultFile).faults
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidFaultFile(
            f"{path} is not a valid fault file: line {line}: {error.problem}"
        ) from error
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise InvalidFaultFile(f"{path} is not a valid fault file: {error}") from error
