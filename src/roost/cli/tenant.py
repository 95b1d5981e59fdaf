"""`roost tenant`: shows or changes the settings of a tenant."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from roost.cli.arguments import Json, TenantName, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_result
from roost.cli.schemas.drafts import TenantOutput
from roost.escaping import one_line
from roost.formats import format_count
from roost.input_file import read_input
from roost.models import ReportBrand
from roost.services.tenant import (
    MAX_LOGO_BYTES,
    ReportBrandInvalid,
    get_model_usage,
    get_report_brand,
    set_drafts_without_person,
    set_report_brand,
)


@Parameter(name="*")
@dataclass(frozen=True)
class BrandFlags:
    """How the tenant's reports look, as command-line flags; None for each flag not given."""

    report_title: Annotated[
        str | None, Parameter(help="The title of reports; `none` for that of the language.")
    ] = None
    report_logo: Annotated[
        str | None,
        Parameter(help="The logo of reports: a PNG, JPEG or SVG of at most 200 kB; or `none`."),
    ] = None
    report_accent: Annotated[
        str | None,
        Parameter(help="The colour of headings and charts, such as `#0f766e`; or `none`."),
    ] = None
    report_note: Annotated[
        str | None, Parameter(help="A note at the beginning of reports; or `none`.")
    ] = None
    report_language: Annotated[
        str | None, Parameter(help="The language of reports, such as `en` or `de`.")
    ] = None

    def change(self, brand: ReportBrand) -> ReportBrand:
        """Return `brand` with the changes that the flags request. Raises: ReportBrandInvalid."""
        title, accent, note = self.report_title, self.report_accent, self.report_note
        return replace(
            brand,
            title=brand.title if title is None else _unless_none(title),
            accent=brand.accent if accent is None else _unless_none(accent),
            cover_note=brand.cover_note if note is None else _unless_none(note),
            language=self.report_language or brand.language,
            logo=brand.logo if self.report_logo is None else _read_logo(self.report_logo),
        )


def _unless_none(text: str) -> str:
    return "" if text == "none" else text.strip()


def _read_logo(path: str) -> bytes | None:
    if path == "none":
        return None
    return read_input(Path(path), max_bytes=MAX_LOGO_BYTES, error=ReportBrandInvalid)


def _describe_brand(brand: ReportBrand) -> str:
    """Return a line that says how the tenant's reports look."""
    title = f"the title {one_line(brand.title)!r}" if brand.title else "no title of their own"
    accent = f"the colour {brand.accent}" if brand.accent else "the usual colour"
    logo = "a logo" if brand.logo else "no logo"
    note = "a cover note" if brand.cover_note else "no cover note"
    return f"Reports have {title}, {accent}, {logo} and {note}; their language is {brand.language}."


_NO_BRAND = BrandFlags()


def tenant(
    *,
    drafts_without_person: Annotated[
        bool | None,
        Parameter(
            negative="--no-drafts-without-person",
            help="Whether programs may approve drafts; otherwise only a person at a terminal or a"
            " page may. Default: no change.",
        ),
    ] = None,
    brand: BrandFlags = _NO_BRAND,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Show a tenant's settings and this month's use of language models; or change settings."""

    async def work() -> None:
        async with open_for_command(logging.WARNING) as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            if drafts_without_person is not None:
                owner = await set_drafts_without_person(
                    runtime, scope, allowed=drafts_without_person
                )
            looks = await get_report_brand(runtime, scope)
            if brand != _NO_BRAND:
                looks = await set_report_brand(runtime, scope, brand.change(looks))
            usage = await get_model_usage(runtime, scope)
            max_tokens = runtime.settings.model_tokens_per_month
            max_usd = runtime.settings.model_usd_per_month
        result = TenantOutput.model_validate(
            {
                "tenant": owner.name,
                "time_zone": owner.time_zone,
                "drafts_without_person": owner.drafts_without_person,
                "report": {
                    "title": looks.title,
                    "cover_note": looks.cover_note,
                    "accent": looks.accent,
                    "language": looks.language,
                    "logo_type": looks.logo_type,
                    "logo_bytes": len(looks.logo or b""),
                },
                "model_usage": {
                    "calls": usage.calls,
                    "tokens": usage.tokens,
                    "usd": usage.usd,
                    "unpriced": usage.unpriced,
                    "max_tokens": max_tokens,
                    "max_usd": max_usd,
                },
            }
        )
        who = "Programs may" if owner.drafts_without_person else "Only a person may"
        tokens = "" if max_tokens is None else f" of {max_tokens}"
        dollars = "" if max_usd is None else f" of ${max_usd}"
        text = (
            f"Tenant {owner.name!r}: its time zone is {owner.time_zone}.\n"
            f"{who} approve drafts.\n"
            f"{_describe_brand(looks)}\n"
            f"Models this month: {format_count(usage.calls, 'call')}, {usage.tokens}{tokens}"
            f" tokens, ${usage.usd:.6f}{dollars}"
            + (f" ({usage.unpriced} without a known price)." if usage.unpriced else ".")
        )
        print_result(result, text, as_json=as_json)

    return run_async(work)
