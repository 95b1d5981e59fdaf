"""The data around a result from X: rate limits, price, request id and raw body.

Rate limits and prices are computed only when they are read, to save time for callers that do not
need them.
"""

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import msgspec

from roost import prices, rate_limits
from roost.prices import Price
from roost.rate_limits import Window
from roost.x.request import Request
from roost.x.transport import NoResponse, Response

_ZERO: Final = Decimal(0)
_NOT_SENT: Final = Price(_ZERO, _ZERO, "nothing was sent")

K = TypeVar("K")
V = TypeVar("V")


class Receipt(msgspec.Struct, frozen=True):
    """One request that was sent, and its response if X sent one."""

    request: Request
    outcome: Response | NoResponse
    resources: int | None = None
    """Number of billed resources in the response; None if the response was not decoded."""

    def __repr__(self) -> str:
        return f"Receipt({self.request.operation}, {self.status})"

    @property
    def status(self) -> int | None:
        """The HTTP status; None if no response was received."""
        return self.outcome.status if isinstance(self.outcome, Response) else None

    @property
    def rate(self) -> tuple[Window, ...]:
        """The rate limits that the response reported; empty without a response."""
        outcome = self.outcome
        if isinstance(outcome, NoResponse):
            return ()
        return rate_limits.parse_windows(outcome.rate_limit_headers)

    @property
    def price(self) -> Price:
        """The price in US dollars.

        The `low` of a read is 0, because X bills a post only once per app and UTC day.
        """
        if isinstance(self.outcome, NoResponse) and not self.outcome.maybe_sent:
            return _NOT_SENT
        return prices.price_of_response(self._price_of_success(), self.status)

    @property
    def request_id(self) -> str | None:
        """X's id of the request (`x-transaction-id`)."""
        return self.outcome.request_id

    @property
    def raw(self) -> Any:
        """The decoded body as X sent it, including fields that Roost does not use.

        Raises: ValueError (the body is not JSON).
        """
        body = self.outcome.body if isinstance(self.outcome, Response) else b""
        try:
            return msgspec.json.decode(body or b"null")
        except RecursionError as error:
            raise ValueError("The body is nested too deeply.") from error

    def _price_of_success(self) -> Price:
        request = self.request
        if request.price is not None:
            return request.price()
        if prices.billed_resource(request.operation) is None:
            return prices.price_of(request.operation)
        count = request.max_resources if self.resources is None else self.resources
        at_most = prices.price_of_reads(request.operation, count)
        return Price(_ZERO, at_most.high, f"at most {at_most.reason}")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A value from X with the receipt of its request."""

    receipt: Receipt

    @property
    def rate(self) -> tuple[Window, ...]:
        """The rate limits that the response reported."""
        return self.receipt.rate

    @property
    def price(self) -> Price:
        """The price of the whole request in US dollars."""
        return self.receipt.price

    @property
    def raw(self) -> Any:
        """The whole response body as X sent it, including fields that Roost does not use."""
        return self.receipt.raw


@dataclass(frozen=True, slots=True, eq=False)
class Found(Mapping[K, V], Generic[K, V]):
    """A mapping from ids to values that X returned, with the receipts of all requests."""

    by_id: Mapping[K, V]
    receipts: tuple[Receipt, ...] = field(repr=False)

    def __getitem__(self, key: K) -> V:
        return self.by_id[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self.by_id)

    def __len__(self) -> int:
        return len(self.by_id)

    # These override Mapping's methods, which look up each value by its key and are slower.
    def values(self) -> ValuesView[V]:
        """Return the values, in the order in which iteration yields their ids."""
        return self.by_id.values()

    def items(self) -> ItemsView[K, V]:
        """Return the ids with their values."""
        return self.by_id.items()

    @property
    def rate(self) -> tuple[Window, ...]:
        """The rate limits that the last response reported."""
        return self.receipts[-1].rate if self.receipts else ()

    @property
    def price(self) -> Price:
        """The total price of all requests in US dollars."""
        return prices.sum_prices(receipt.price for receipt in self.receipts)
