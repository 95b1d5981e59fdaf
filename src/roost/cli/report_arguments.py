"""Reads the options of a report: its period, its content, and its file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from roost.errors import AccountNotFound, InvalidInput
from roost.insights.reports.periods import DatePeriod, choose_period, parse_period
from roost.insights.reports.rendering import FORMS, Form, FormUnknown
from roost.models import AccountGroup, ComparedPeriods, Integration, IntegrationId, ReportOptions

_GROUP: Final = re.compile(r"([\w-]{1,40})=(.+)")


class ReportPeriodUnclear(InvalidInput):
    """The options of a report's period contradict each other."""

    did = "No report was made."


class ReportGroupInvalid(InvalidInput):
    """A group of accounts is not written as `NAME=@a,@b`, or its name is used twice."""

    did = "No report was made."
    default_next = "Write a group as `--group NAME=@a,@b`, with each name once."


@Parameter(name="*")
@dataclass(frozen=True)
class PeriodFlags:
    """The period of a report as command-line flags; None for each flag that is not given."""

    since: Annotated[
        date | None, Parameter(help="The first day, such as 2026-11-01, in the tenant's time zone.")
    ] = None
    until: Annotated[date | None, Parameter(help="The last day. Default: today.")] = None
    last: Annotated[
        str | None,
        Parameter(
            help="The last days, such as `30d` (the default); or `week` or `month`, the last"
            " calendar week or month that is over."
        ),
    ] = None

    def read(self, now: datetime, zone: ZoneInfo) -> DatePeriod:
        """Return the period that the flags name. Raises: PeriodInvalid, ReportPeriodUnclear."""
        if self.last is None:
            return choose_period(now, zone, since=self.since, until=self.until)
        if self.since is not None or self.until is not None:
            raise ReportPeriodUnclear(
                "--last cannot be used with --since or --until.",
                next="Use --last, or --since and --until.",
            )
        return parse_period(self.last, now, zone)


@Parameter(name="*")
@dataclass(frozen=True)
class ContentFlags:
    """The content of a report as command-line flags."""

    account: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="Only this account, as @name; can be repeated. Default: all accounts.",
        ),
    ] = ()
    group: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="A group of accounts, as `NAME=@a,@b`, about which the report has a part; can be"
            " repeated.",
        ),
    ] = ()
    compare: Annotated[
        ComparedPeriods,
        Parameter(
            help="Compare with the period before (`previous`), with the year before (`year`), with"
            " both or with none."
        ),
    ] = ComparedPeriods.BOTH
    without_costs: Annotated[
        bool, Parameter(negative="", help="Leave out all amounts of money, as for a client.")
    ] = False
    language: Annotated[
        str | None,
        Parameter(help="The language, such as `en` or `de`. Default: that of the tenant."),
    ] = None

    def read(self, accounts: Sequence[Integration], language: str) -> ReportOptions:
        """Return the options of a report.

        `accounts` are the tenant's accounts. `language` is the language of the tenant's reports.

        Raises: AccountNotFound, ReportGroupInvalid.
        """
        groups = tuple(_read_group(each, accounts) for each in self.group)
        if len({group.name for group in groups}) < len(groups):
            raise ReportGroupInvalid("Two groups have the same name.")
        return ReportOptions(
            accounts=tuple(dict.fromkeys(_find_account(each, accounts) for each in self.account)),
            groups=groups,
            compare=self.compare,
            with_costs=not self.without_costs,
            language=self.language or language,
        )


def _read_group(text: str, accounts: Sequence[Integration]) -> AccountGroup:
    matched = _GROUP.fullmatch(text)
    if matched is None:
        raise ReportGroupInvalid(f"{text!r} is not a group of accounts.")
    members = (_find_account(each, accounts) for each in matched[2].split(","))
    return AccountGroup(matched[1], tuple(dict.fromkeys(members)))


def _find_account(name: str, accounts: Sequence[Integration]) -> IntegrationId:
    wanted = name.strip().lstrip("@").lower()
    for account in accounts:
        if account.username.lower() == wanted:
            return account.id
    raise AccountNotFound(f"The tenant has no account @{wanted}.", did="No report was made.")


@Parameter(name="*")
@dataclass(frozen=True)
class FileFlags:
    """The file of a report as command-line flags; None for each flag that is not given."""

    form: Annotated[
        Form | None,
        Parameter(name="--format", help="Default: by the suffix of --output, otherwise html."),
    ] = None
    output: Annotated[
        Path | None,
        Parameter(
            help="The file to write. Default: `report`, with the suffix of the format; csv, png and"
            " parquet have several files and are written as a `.zip`."
        ),
    ] = None
    open_file: Annotated[
        bool, Parameter(name="--open", negative="", help="Open the file when it is written.")
    ] = False

    def read(self) -> tuple[Form, Path]:
        """Return the form and the path of the file.

        Raises: FormUnknown, InvalidInput if the file's folder does not exist.
        """
        suffix = "" if self.output is None else self.output.suffix.lower().lstrip(".")
        form = self.form or _find_form(suffix)
        wanted = "zip" if FORMS[form].has_files else form.value
        path = self.output or Path(f"report.{wanted}")
        if suffix != wanted and suffix in (*Form, "zip"):
            files = "several files" if FORMS[form].has_files else "one file"
            raise FormUnknown(
                f"A report as {form.value} has {files}, and cannot be written to {path.name}.",
                next=f"Use a file that ends in `.{wanted}`.",
            )
        if not path.parent.is_dir():
            raise InvalidInput(
                f"There is no folder {path.parent}.",
                did="No report was made.",
                next="Create the folder, or use another file for --output.",
            )
        if path.is_dir():
            raise InvalidInput(
                f"{path} is a folder.",
                did="No report was made.",
                next="Use another file for --output.",
            )
        return form, path


def _find_form(suffix: str) -> Form:
    if not suffix:
        return Form.HTML
    if suffix == "zip":
        raise FormUnknown(
            "A `.zip` can have the files of several formats.",
            next="Name the format: --format csv, --format png or --format parquet.",
        )
    try:
        return Form(suffix)
    except ValueError:
        raise FormUnknown(
            f"No format of a report has the suffix `.{suffix}`.",
            next=f"Use one of these: {', '.join(each.value for each in Form)}.",
        ) from None
