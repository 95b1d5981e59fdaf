"""What a tracer is told of a call: its name and its end, no text, no secret."""

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

TEXT = "A text for nobody's traces."


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Where the spans of this process go from now on."""
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


async def test_success_has_its_status_and_number(
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


async def test_failure_has_its_code_and_no_word_of_the_post(
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
    told = span.to_json()
    assert TEXT not in told
    assert account.tokens.access_token not in told


async def test_read_that_is_tried_again_is_one_call(
    account: Account, emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    await emulator.fail("read_me", "before", "503")
    await x.users.read_me(account.client)
    assert [span.name for span in spans.get_finished_spans()] == ["x read_user"]
