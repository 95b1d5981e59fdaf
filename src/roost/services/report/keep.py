"""Makes reports that are numbered and kept, and renders kept reports."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from roost import store
from roost.errors import InvalidInput, NotFound
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.rendering import FORMS, Form, require_form
from roost.models import Integration, KeptReport, ReportOptions, Scope
from roost.runtime import Runtime
from roost.services.report.child import MadeDocument, MakeRequest, ModelAccess, run_child
from roost.settings import Settings
from roost.store.kept_reports import NewReport

_MAKING: Final = "roost.services.report.making_process"
_RENDERING: Final = "roost.insights.reports.rendering_process"
#: The environment variables by which the client of a model finds a proxy, and certificates.
_NETWORK_VARIABLES: Final = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
#: The date of the files in an archive, so that the same report gives the same archive.
_ARCHIVE_DATE: Final = (1980, 1, 1, 0, 0, 0)


class ReportNotFound(NotFound):
    """The tenant has no report with this number."""

    default_next = "Choose a number from the list of reports."


class ReportOptionsInvalid(InvalidInput):
    """The options of a report contradict each other, or name an unknown account or group."""

    did = "No report was made."


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A kept report in one form."""

    report: KeptReport
    form: Form
    files: Mapping[str, bytes]
    """The files by name. A form with one file names it `report`, with the form's suffix."""

    def to_file(self) -> bytes:
        """Return the only file, or a zip archive of the files."""
        if not FORMS[self.form].has_files:
            (content,) = self.files.values()
            return content
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, content in self.files.items():
                opened.writestr(zipfile.ZipInfo(name, _ARCHIVE_DATE), content, zipfile.ZIP_DEFLATED)
        return archive.getvalue()


def require_language(language: str) -> None:
    """Check that a report can be written in a language. Raises: ExtraMissing, LanguageUnknown."""
    require_form(Form.HTML)
    # Babel belongs to an extra that a worker does not need for its other jobs.
    from roost.insights.reports.words import load_words

    load_words(language)


def list_languages() -> list[str]:
    """Return the languages in which a report can be written. Raises: ExtraMissing."""
    require_form(Form.HTML)
    from roost.insights.reports import words

    return words.list_languages()


def require_options(options: ReportOptions, accounts: list[Integration]) -> None:
    """Check options before a report is made with them. `accounts` are the tenant's accounts.

    Raises: ExtraMissing, LanguageUnknown, ReportOptionsInvalid.
    """
    require_language(options.language)
    known = {account.id: account.username for account in accounts}
    unknown = [each for each in options.accounts if each not in known]
    if unknown:
        raise ReportOptionsInvalid(f"The tenant has no account number {unknown[0]}.")
    for group in options.groups:
        outside = [each for each in group.accounts if each not in (options.accounts or known)]
        if outside:
            name = known.get(outside[0])
            raise ReportOptionsInvalid(
                f"The group {group.name!r} contains"
                f" {f'@{name}' if name else f'account {outside[0]}'}, which is not among the"
                " accounts of the report.",
                next="Choose this account for the report as well, or leave it out of the group.",
            )


async def make_document(
    runtime: Runtime, scope: Scope, period: DatePeriod, options: ReportOptions
) -> MadeDocument:
    """Return the document of a report, which a child process makes. No report is stored.

    If a model is set (`ROOST_MODEL`), the model may word the narratives, within the budget of the
    tenant.
    Raises: ExtraMissing, ReportNotMade, LanguageUnknown.
    """
    require_language(options.language)
    request = MakeRequest(
        runtime.database.conninfo,
        scope.tenant_id,
        period.zone.key,
        period.first,
        period.last,
        runtime.clock.now(),
        options,
        _describe_model(runtime.settings),
    )
    variables = _NETWORK_VARIABLES if request.model is not None else ()
    output = await run_child(_MAKING, msgspec.json.encode(request), variables=variables)
    return msgspec.msgpack.decode(output, type=MadeDocument)


def _describe_model(settings: Settings) -> ModelAccess | None:
    if settings.model is None:
        return None
    return ModelAccess(
        settings.model,
        settings.model_url,
        settings.model_key,
        settings.model_timeout.total_seconds(),
        settings.model_tokens_per_month,
        settings.model_usd_per_month,
    )


async def make_kept_report(
    runtime: Runtime, scope: Scope, period: DatePeriod, options: ReportOptions
) -> KeptReport:
    """Make a report, number and keep it, and write the event `report.ready`.

    Raises: ExtraMissing, ReportNotMade, LanguageUnknown, ReportOptionsInvalid.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        accounts = await store.integrations.list_all(transaction)
    require_options(options, accounts)
    made = await make_document(runtime, scope, period, options)
    new = NewReport(period.first, period.last, options, made.document, narratives=made.narratives)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        kept = await store.kept_reports.add(
            transaction, scope.tenant_id, new, now=runtime.clock.now(), actor=scope.actor
        )
    assert kept is not None, "only a schedule makes at most one report per period"
    return kept


async def list_reports(runtime: Runtime, scope: Scope) -> list[KeptReport]:
    """Return the tenant's latest reports, the newest first."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.kept_reports.list_all(transaction)


async def get_report(runtime: Runtime, scope: Scope, number: int) -> KeptReport:
    """Return the kept report with this number. Raises: ReportNotFound."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        kept = await store.kept_reports.find(transaction, number)
    if kept is None:
        raise ReportNotFound(f"There is no report {number}.")
    return kept


async def render_report(runtime: Runtime, scope: Scope, number: int, form: Form) -> RenderedReport:
    """Render a kept report in a form. Its numbers stay as they were when the report was made.

    Raises: ReportNotFound, ExtraMissing, ReportNotMade.
    """
    require_form(form)
    kept = await get_report(runtime, scope, number)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        document = await store.kept_reports.get_document(transaction, kept.id)
    output = await run_child(_RENDERING, form.value.encode() + b"\n" + document)
    return RenderedReport(kept, form, msgspec.msgpack.decode(output, type=dict[str, bytes]))
