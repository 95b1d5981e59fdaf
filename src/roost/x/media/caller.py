"""What uploads need of a client, and a client that adds up what they cost."""

from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from roost import prices
from roost.limits import Window
from roost.prices import Price
from roost.x import answers
from roost.x.client import Client
from roost.x.receipt import Receipt
from roost.x.request import Request

A = TypeVar("A", bound=answers.Wire)


class Caller(Protocol):
    """`roost.x.Client`, or something in front of it."""

    def now(self) -> datetime:
        """Domain time."""
        ...

    async def call(self, request: Request, answer_as: msgspec.json.Decoder[A]) -> tuple[A, Receipt]:
        """Send a request; what X answers, and the receipt for it."""
        ...


class NotingCaller:
    """Notes what the requests of one upload cost together, and the limits told last."""

    def __init__(self, client: Client) -> None:
        self.now = client.now
        self._client = client
        self._prices: list[Price] = []
        self._last: Receipt | None = None

    async def call(self, request: Request, answer_as: msgspec.json.Decoder[A]) -> tuple[A, Receipt]:
        """As the client does it."""
        told, self._last = await self._client.call(request, answer_as)
        self._prices.append(self._last.price)
        return told, self._last

    @property
    def price(self) -> Price:
        """Dollars of all that X has answered."""
        return prices.sum_of(self._prices)

    @property
    def rate(self) -> tuple[Window, ...]:
        """How much X still allows, as the last answer told it."""
        return self._last.rate if self._last else ()
