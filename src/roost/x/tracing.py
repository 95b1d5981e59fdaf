"""One OpenTelemetry span per call to X, with the operation and its outcome, never a body.

If no OpenTelemetry SDK is installed, the spans record nothing and cost a few microseconds.
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


def start_span(request: Request) -> Span:
    """Start the span of a call; the caller ends it."""
    span = _TRACER.start_span(_NAMES[request.operation], kind=SpanKind.CLIENT)
    if span.is_recording():
        span.set_attribute("http.request.method", request.method)
        span.set_attribute("roost.operation", request.operation.value)
    return span


def record_success(span: Span, receipt: Receipt) -> None:
    """Record the response of a successful call."""
    if span.is_recording():
        _set_response(span, receipt)


def record_failure(span: Span, error: errors.XError) -> None:
    """Record the code of an error, not its message, because the message may quote a post."""
    if span.is_recording():
        span.set_attribute("error.type", error.code)
        span.set_status(Status(StatusCode.ERROR))
        if error.receipt is not None:
            _set_response(span, error.receipt)


def _set_response(span: Span, receipt: Receipt) -> None:
    if receipt.status is not None:
        span.set_attribute("http.response.status_code", receipt.status)
    if receipt.request_id is not None:
        span.set_attribute("roost.x.request_id", receipt.request_id)
