"""Calls a model within a budget.

Before a call, the most that the call can cost is reserved. After the call, its real cost replaces
the reservation. Each call is an OpenTelemetry span. The span has the token counts, but no text of
the prompt or the reply.
"""

import asyncio
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from roost.agents.budget import Budget
from roost.agents.errors import ModelBudgetExceeded, ModelReplyInvalid, ModelUnavailable
from roost.agents.model import Model, ModelPrice, Prompt, Reply
from roost.agents.prompts import prompt_hash
from roost.agents.written import ModelCall

_TRACER: Final = trace.get_tracer("roost.agents")
#: A call is repeated once if the server did not answer completely. The second call has its own
#: reservation, because the provider may bill both calls.
_ATTEMPTS: Final = 2
_DELAY_S: Final = 1.0
#: An allowance for the tokens that a server adds to a prompt, such as the roles of its messages.
_MESSAGE_TOKENS: Final = 64


@dataclass(frozen=True, slots=True)
class CallResult:
    """A model's reply to a prompt, or None if every call failed; and a record of each call."""

    reply: Reply | None
    calls: tuple[ModelCall, ...]


async def call_model(
    model: Model, prompt: Prompt, budget: Budget | None, kind: Literal["draft", "repair"]
) -> CallResult:
    """Send a prompt to a model, within the budget.

    An error of the model or the budget raises nothing: `CallResult.calls` has its code.
    """
    calls: list[ModelCall] = []
    for attempt in range(_ATTEMPTS):
        reply, call, may_repeat = await _call_once(model, prompt, budget, kind)
        calls.append(call)
        if reply is not None or not may_repeat:
            return CallResult(reply, tuple(calls))
        if attempt + 1 < _ATTEMPTS:
            await asyncio.sleep(random.uniform(_DELAY_S / 2, _DELAY_S))  # noqa: S311
    return CallResult(None, tuple(calls))


async def _call_once(
    model: Model, prompt: Prompt, budget: Budget | None, kind: Literal["draft", "repair"]
) -> tuple[Reply | None, ModelCall, bool]:
    """Call the model once; return its reply, a record of the call, and whether to call again."""
    price = model.price()
    most_input = most_tokens(prompt)
    most = most_input + prompt.max_output_tokens
    most_usd = _usd(price, most_input, prompt.max_output_tokens)
    digest = prompt_hash(prompt)
    with _TRACER.start_as_current_span(
        f"chat {model.name}", kind=SpanKind.CLIENT, record_exception=False
    ) as span:
        try:
            reservation = await budget.reserve(most, most_usd) if budget is not None else None
        except ModelBudgetExceeded as error:
            _record(span, model, error.code, 0, 0)
            refused = ModelCall(kind, digest, 0, 0, Decimal(0), error.code, error.message)
            return None, refused, False
        # The cost of an interrupted call is unknown. Until the cost is known, the whole reservation
        # counts as used.
        tokens, usd = most, most_usd
        reply: Reply | None = None
        code, reason, may_repeat = "", "", False
        try:
            reply = await model.complete(prompt)
            if reply.input_tokens or reply.output_tokens:
                tokens = reply.input_tokens + reply.output_tokens
                usd = _usd(price, reply.input_tokens, reply.output_tokens)
        except ModelUnavailable as error:
            code, reason = error.code, error.message
            may_repeat = bool(error.facts.get("may_be_billed"))
            if not may_repeat:
                tokens, usd = 0, _usd(price, 0, 0)
        except ModelReplyInvalid as error:
            code, reason = error.code, error.message
        finally:
            if budget is not None and reservation is not None:
                await budget.settle(reservation, tokens, usd)
        counts = (reply.input_tokens, reply.output_tokens) if reply else (0, 0)
        _record(span, model, code, *counts)
        return reply, ModelCall(kind, digest, *counts, usd, code, reason), may_repeat


def most_tokens(prompt: Prompt) -> int:
    """Return an upper limit of the tokens in a prompt; each token has at least one byte."""
    return len(prompt.system.encode()) + len(prompt.user.encode()) + _MESSAGE_TOKENS


def _usd(price: ModelPrice | None, input_tokens: int, output_tokens: int) -> Decimal | None:
    return price.usd(input_tokens, output_tokens) if price is not None else None


def _record(span: Span, model: Model, code: str, input_tokens: int, output_tokens: int) -> None:
    if not span.is_recording():
        return
    span.set_attribute("gen_ai.operation.name", "chat")
    span.set_attribute("gen_ai.request.model", model.name)
    span.set_attribute("gen_ai.usage.input_tokens", input_tokens)
    span.set_attribute("gen_ai.usage.output_tokens", output_tokens)
    if code:
        span.set_attribute("error.type", code)
        span.set_status(Status(StatusCode.ERROR))
