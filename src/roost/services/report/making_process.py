"""The making process: loads the records of a report, computes it, and writes its document.

The input is the JSON of a `MakeRequest`, the output is the packed document. The process opens its
own connection to the database, because loading the records of a thousand posts takes computing
time, too.
"""

import asyncio
import os
import sys
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from roost import store
from roost.insights.reports.comparisons import limit_comparisons
from roost.insights.reports.content import build_document
from roost.insights.reports.document import Brand, Document, Logo
from roost.insights.reports.document_json import pack_document
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.words import load_words
from roost.models import ReportBrand
from roost.services.report.child import MakeRequest
from roost.services.report.records import compute_from_records
from roost.store.database import open_database

#: The computing yields to posts that are due: the process has a lower priority than its parent.
_NICENESS: Final = 10


def main() -> None:
    """Make one document."""
    os.nice(_NICENESS)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=MakeRequest)
    sys.stdout.buffer.write(pack_document(asyncio.run(_make(request))))


async def _make(request: MakeRequest) -> Document:
    options = request.options
    async with open_database(request.conninfo, pool_size=1) as database:
        report = await compute_from_records(
            database,
            request.tenant_id,
            DatePeriod(request.first, request.last, ZoneInfo(request.zone)),
            request.now,
            accounts=options.accounts,
            groups={group.name: group.accounts for group in options.groups},
        )
        async with database.for_tenant(request.tenant_id) as transaction:
            brand = await store.tenants.get_report_brand(transaction)
    return build_document(
        limit_comparisons(report, options.compare),
        load_words(options.language),
        brand=_to_document_brand(brand),
        with_costs=options.with_costs,
    )


def _to_document_brand(brand: ReportBrand) -> Brand:
    has_logo = brand.logo is not None and brand.logo_type is not None
    logo = Logo(brand.logo or b"", brand.logo_type or "") if has_logo else None
    return Brand(brand.title, brand.cover_note, brand.accent, logo)


if __name__ == "__main__":
    main()
