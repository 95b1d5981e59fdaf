"""Reads and changes a tenant's settings, and reads its use of language models."""

import re
from dataclasses import replace
from typing import Final

from roost import store
from roost.clock import wall_now
from roost.errors import InvalidInput
from roost.extras import require_extra
from roost.models import ReportBrand, Scope, Tenant
from roost.runtime import Runtime
from roost.store.model_calls import ModelUsage

#: The maximum lengths of the title and the note in characters, and of the logo in bytes. The table
#: `tenants` has the same limits.
_MAX_TITLE: Final = 200
_MAX_NOTE: Final = 2000
MAX_LOGO_BYTES: Final = 200_000
_ACCENT: Final = re.compile(r"#[0-9a-f]{6}")
_DEFAULT_LANGUAGE: Final = "en"
_PICTURES: Final = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
#: Matches an SVG file up to and including the tag `<svg`. An XML declaration, comments and a
#: document type may precede this tag.
_SVG: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,200}?\?>)?(?:\s|<!--.{0,2000}?-->|<!DOCTYPE[^>\[]{0,300}>)*<svg[\s>]",
    re.DOTALL,
)


class ReportBrandInvalid(InvalidInput):
    """The title, the logo, the colour or the cover note of a tenant's reports is not valid."""

    did = "Nothing was changed."


async def set_drafts_without_person(runtime: Runtime, scope: Scope, *, allowed: bool) -> Tenant:
    """Set whether a program may approve drafts of the tenant; otherwise only a person may."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        await store.tenants.set_drafts_without_person(transaction, allowed=allowed)
    return await store.tenants.get_by_id(runtime.database, scope.tenant_id)


async def get_report_brand(runtime: Runtime, scope: Scope) -> ReportBrand:
    """Return how the reports of the tenant look."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.tenants.get_report_brand(transaction)


async def set_report_brand(runtime: Runtime, scope: Scope, brand: ReportBrand) -> ReportBrand:
    """Set how the reports of the tenant look. Reports that are already made do not change.

    Raises: ReportBrandInvalid, ExtraMissing, LanguageUnknown.
    """
    checked = check_brand(brand)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        await store.tenants.set_report_brand(transaction, checked)
    return checked


def check_brand(brand: ReportBrand) -> ReportBrand:
    """Validate a brand; return it with its logo's media type and its accent in lower case.

    Raises: ReportBrandInvalid, ExtraMissing, LanguageUnknown.
    """
    for name, text, most in (
        ("title", brand.title, _MAX_TITLE),
        ("cover note", brand.cover_note, _MAX_NOTE),
    ):
        if len(text) > most:
            raise ReportBrandInvalid(
                f"The {name} has {len(text)} characters; the limit is {most}.",
                next=f"Shorten the {name}.",
            )
    accent = brand.accent.lower()
    if accent and not _ACCENT.fullmatch(accent):
        raise ReportBrandInvalid(
            f"{brand.accent!r} is not a colour.", next="Write the colour as `#0f766e`."
        )
    if brand.language != _DEFAULT_LANGUAGE:
        require_extra("reports", purpose="Another language of reports")
        # This module imports Babel, which only the extra `reports` installs.
        from roost.insights.reports.words import load_words

        load_words(brand.language)
    logo_type = None if brand.logo is None else find_logo_type(brand.logo)
    return replace(brand, accent=accent, logo_type=logo_type)


def find_logo_type(content: bytes) -> str:
    """Determine the media type of a logo from its content. Raises: ReportBrandInvalid."""
    if len(content) > MAX_LOGO_BYTES:
        raise ReportBrandInvalid(
            f"The logo has {len(content)} bytes; the limit is {MAX_LOGO_BYTES}.",
            next="Use a smaller picture.",
        )
    for start, media_type in _PICTURES.items():
        if content.startswith(start):
            return media_type
    if _SVG.match(content):
        return "image/svg+xml"
    raise ReportBrandInvalid(
        "The logo is neither a PNG, a JPEG nor an SVG.", next="Convert the logo to PNG."
    )


async def get_model_usage(runtime: Runtime, scope: Scope) -> ModelUsage:
    """Return the number, tokens and price of the tenant's calls to models in this month.

    The month is the UTC month of wall time.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.model_calls.get_usage(transaction, wall_now())
