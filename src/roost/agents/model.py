"""The interface of a language model, with its prompts, replies and prices.

A model gets text and returns text. It has no tools, no memory and no access to X or a database.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request to a model: instructions, data, and the most tokens of the answer."""

    system: str
    """The instructions. They contain nothing of a brief."""
    user: str
    """The brief, with facts and examples between marks that show that they are data."""
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer, with the token counts that the server reported."""

    text: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The price of a model in dollars per million tokens."""

    usd_per_million_input: Decimal
    usd_per_million_output: Decimal

    def usd(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Return the price of a call in dollars."""
        return (
            self.usd_per_million_input * input_tokens + self.usd_per_million_output * output_tokens
        ) / _MILLION


class Model(Protocol):
    """The interface of a language model that answers prompts and has a price."""

    @property
    def name(self) -> str:
        """The model's name, which the provenance of drafts and the traces contain."""
        ...

    async def complete(self, prompt: Prompt) -> Reply:
        """Send a prompt to the model, and return the model's reply.

        Retries after a status of 429 or 5xx and after a failed connection, with jitter.
        Raises: ModelUnavailable; ModelReplyInvalid.
        """
        ...

    def price(self) -> ModelPrice | None:
        """Return the model's price; None if it is unknown. Then only caps on tokens apply."""
        ...
