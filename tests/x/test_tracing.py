"""Spans have the name and the outcome of a call, but no text and no secret."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from fix_emulator import Emulator
from roost import x

from .conftest import Account

TEXT = "A text that must not be traced."


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """The exporter that receives all spans of this process from now on."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


async def test_span_of_a_success_has_status_and_request_id(
    account: Account, spans: InMemorySpanExporter
) -> None:
    created = await x.posts.create(account.client, text=TEXT)
    (span,) = spans.get_finished_spans()
    assert span.name == "x create_post"
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "roost.operation": "create_post",
        "http.response.status_code": 201,
        "roost.x.request_id": created.receipt.request_id,
    }
    assert span.status.status_code is StatusCode.UNSET


async def test_span_of_a_failure_has_its_code_and_no_text(
    account: Account, emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    await x.posts.create(account.client, text=TEXT)
    spans.clear()
    with pytest.raises(x.errors.DuplicatePost):
        await x.posts.create(account.client, text=TEXT)
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "duplicate_post"
    assert (span.attributes or {})["http.response.status_code"] == 403
    assert span.status.status_code is StatusCode.ERROR
    exported = span.to_json()
    assert TEXT not in exported
    assert account.tokens.access_token not in exported


async def test_span_covers_all_attempts_of_a_read(
    account: Account, emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    await emulator.fail("read_me", "before", "503")
    await x.users.read_me(account.client)
    assert [span.name for span in spans.get_finished_spans()] == ["x read_user"]
