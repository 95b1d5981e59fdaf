"""The making process: loads the records of a report, computes it, and writes its document.

The input is the JSON of a `MakeRequest`, the output is the `MadeDocument` as MessagePack. The
process opens its own connection to the database, because loading the records of a thousand posts
takes computing time, too. It also calls the model, whose client takes seconds to load.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from roost import store
from roost.insights.reports.comparisons import limit_comparisons
from roost.insights.reports.content import build_document
from roost.insights.reports.document import Brand, Logo, Text
from roost.insights.reports.document_json import pack_document
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.words import load_words
from roost.models import NarrativeSource, ReportBrand
from roost.services.report.child import MadeDocument, MakeRequest
from roost.services.report.records import compute_from_records
from roost.store.database import open_database

#: The computing yields to posts that are due: the process has a lower priority than its parent.
_NICENESS: Final = 10


def main() -> None:
    """Make one document."""
    os.nice(_NICENESS)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=MakeRequest)
    try:
        made = asyncio.run(_make(request))
    except Exception as error:
        # The message of an error may quote a post or a connection string, so only the name is
        # written, which `run_child` repeats.
        sys.exit(type(error).__name__)
    sys.stdout.buffer.write(msgspec.msgpack.encode(made))


async def _make(request: MakeRequest) -> MadeDocument:
    options = request.options
    words = load_words(options.language)
    narratives: Mapping[str, tuple[Text, ...]] = {}
    sources: tuple[NarrativeSource, ...] = ()
    async with open_database(request.conninfo, pool_size=1) as database:
        computed = await compute_from_records(
            database,
            request.tenant_id,
            DatePeriod(request.first, request.last, ZoneInfo(request.zone)),
            request.now,
            accounts=options.accounts,
            groups={group.name: group.accounts for group in options.groups},
        )
        async with database.for_tenant(request.tenant_id) as transaction:
            brand = await store.tenants.get_report_brand(transaction)
        report = limit_comparisons(computed, options.compare)
        if request.model is not None:
            # The writer's modules are imported here, because most reports need no model.
            from roost.services.report.narratives import ask_for_narratives

            narratives, sources = await ask_for_narratives(
                report, words, request.model, database, request.tenant_id
            )
    document = build_document(
        report,
        words,
        brand=_to_document_brand(brand),
        with_costs=options.with_costs,
        narratives=narratives,
    )
    return MadeDocument(pack_document(document), sources)


def _to_document_brand(brand: ReportBrand) -> Brand:
    has_logo = brand.logo is not None and brand.logo_type is not None
    logo = Logo(brand.logo or b"", brand.logo_type or "") if has_logo else None
    return Brand(brand.title, brand.cover_note, brand.accent, logo)


if __name__ == "__main__":
    main()
