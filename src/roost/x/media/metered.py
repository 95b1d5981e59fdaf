"""The client interface that uploads use, and a client that adds up its requests' prices."""

from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from roost import prices
from roost.prices import Price
from roost.rate_limits import Window
from roost.x.client import Client
from roost.x.receipt import Receipt
from roost.x.request import Request
from roost.x.schemas import ResponseBody

B = TypeVar("B", bound=ResponseBody)


class UploadClient(Protocol):
    """The client that the functions of an upload need: a `Client` or a `MeteredClient`."""

    def now(self) -> datetime:
        """Return domain time."""
        ...

    async def call(self, request: Request, decoder: msgspec.json.Decoder[B]) -> tuple[B, Receipt]:
        """Send a request; return the decoded response and its receipt."""
        ...


class MeteredClient:
    """A client that adds up the prices of an upload's requests and keeps the last rate limits."""

    def __init__(self, client: Client) -> None:
        self.now = client.now
        self._client = client
        self._prices: list[Price] = []
        self._last: Receipt | None = None

    async def call(self, request: Request, decoder: msgspec.json.Decoder[B]) -> tuple[B, Receipt]:
        """Send a request through the client, and record its price."""
        body, self._last = await self._client.call(request, decoder)
        self._prices.append(self._last.price)
        return body, self._last

    @property
    def price(self) -> Price:
        """The total price of all successful requests in US dollars."""
        return prices.sum_prices(self._prices)

    @property
    def rate(self) -> tuple[Window, ...]:
        """The rate limits that the last response reported."""
        return self._last.rate if self._last else ()
