"""`roost report`: writes the report as an HTML file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from roost import changes
from roost.cli.arguments import Json, OnlyAccount, TenantName, choose_account, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.metrics import Days
from roost.cli.output import print_result
from roost.cli.schemas.installation import ReportOutput
from roost.errors import InvalidInput
from roost.escaping import one_line
from roost.services import report as reporting


def report(
    *,
    out: Annotated[Path, Parameter(help="The file to write.")] = Path("report.html"),
    days: Days = 30,
    tenant: TenantName = "default",
    account: OnlyAccount = None,
    as_json: Json = False,
) -> int:
    """Write the report as one HTML file that needs no network."""

    async def work() -> None:
        if not out.parent.is_dir():
            raise InvalidInput(f"There is no folder {out.parent}.", next="Create it, or use --out.")
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            only = await choose_account(runtime, scope, owner, account) if account else None
            html = await reporting.write_report(runtime, [scope], account=only, days=days)
        try:
            out.write_text(html, "utf-8")
        except OSError as error:
            raise InvalidInput(
                f"The report cannot be written to {out}: {error.strerror}.",
                did="The report was not written.",
                next="Use another file for --out.",
            ) from None
        changes.record()
        print_result(
            ReportOutput(report=out), f"The report is {one_line(str(out))}.", as_json=as_json
        )

    return run_async(work)
