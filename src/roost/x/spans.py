"""One OpenTelemetry span for each call to X: what was asked and how it ended, never a body.

Without an SDK the API's spans are empty, and cost some microseconds.
"""

from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from roost.prices import Operation
from roost.x import errors
from roost.x.receipt import Receipt
from roost.x.request import Request

_TRACER: Final = trace.get_tracer("roost.x")
_NAMES: Final = {operation: f"x {operation}" for operation in Operation}


def begin(request: Request) -> Span:
    """A span that begins now; whoever begins it ends it."""
    span = _TRACER.start_span(_NAMES[request.operation], kind=SpanKind.CLIENT)
    if span.is_recording():
        span.set_attribute("http.request.method", request.method)
        span.set_attribute("roost.operation", request.operation.value)
    return span


def succeed(span: Span, receipt: Receipt) -> None:
    """Note that X did what it was asked."""
    if span.is_recording():
        _note(span, receipt)


def fail(span: Span, error: errors.XFailure) -> None:
    """Note the failure by its code; its words may hold what X repeats of a post."""
    if span.is_recording():
        span.set_attribute("error.type", error.code)
        span.set_status(Status(StatusCode.ERROR))
        if error.receipt is not None:
            _note(span, error.receipt)


def _note(span: Span, receipt: Receipt) -> None:
    if receipt.status is not None:
        span.set_attribute("http.response.status_code", receipt.status)
    if receipt.request_id is not None:
        span.set_attribute("roost.x.request_id", receipt.request_id)
