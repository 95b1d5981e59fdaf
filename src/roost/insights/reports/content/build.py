"""Builds the document of a report in one language."""

from collections.abc import Mapping
from types import MappingProxyType

from roost.insights.reports.document import Brand, Document, Text
from roost.insights.reports.model import Report
from roost.insights.reports.words import Words

_DEFAULT_BRAND = Brand()
_NO_NARRATIVES: Mapping[str, tuple[Text, ...]] = MappingProxyType({})


def build_document(
    report: Report,
    words: Words,
    *,
    brand: Brand = _DEFAULT_BRAND,
    with_costs: bool = True,
    narratives: Mapping[str, tuple[Text, ...]] = _NO_NARRATIVES,
) -> Document:
    """Return the document of a report.

    `narratives` has the sentences of summaries by the keys of their subjects.
    """
    return Document(words.language, report.tenant_name, "", "", "", brand, ())
