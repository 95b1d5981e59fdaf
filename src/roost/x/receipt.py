"""What came beside an answer of X: limits, price, X's own number, and everything it said.

All of it is read when asked for: an answer whose limits nobody looks at costs nothing more.
"""

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import msgspec

from roost import limits, prices
from roost.limits import Window
from roost.prices import Price
from roost.x.request import Request
from roost.x.wire import Answer, Silence

_FREE: Final = Decimal(0)
_UNSENT: Final = Price(_FREE, _FREE, "nothing was sent")

K = TypeVar("K")
V = TypeVar("V")


class Receipt(msgspec.Struct, frozen=True):
    """One request that was sent, answered or not."""

    request: Request
    outcome: Answer | Silence
    resources: int | None = None
    """How many things the answer holds that a read is billed by; None: it was not read."""

    def __repr__(self) -> str:
        return f"Receipt({self.request.operation}, {self.status})"

    @property
    def status(self) -> int | None:
        """X's status; None: no answer came."""
        return self.outcome.status if isinstance(self.outcome, Answer) else None

    @property
    def rate(self) -> tuple[Window, ...]:
        """How much X still allows, as this answer told it; nothing where none came."""
        outcome = self.outcome
        return limits.read_windows(outcome.limits) if isinstance(outcome, Answer) else ()

    @property
    def price(self) -> Price:
        """Dollars. Of a read `low` is 0: what this app read earlier on the UTC day comes free."""
        if isinstance(self.outcome, Silence) and not self.outcome.maybe_sent:
            return _UNSENT
        return prices.price_of_answer(self._price_of_success(), self.status)

    @property
    def request_id(self) -> str | None:
        """X's own number for the request (`x-transaction-id`)."""
        return self.outcome.request_id

    @property
    def raw(self) -> Any:
        """The body as X sent it, decoded, with every field that Roost has no name for.

        Raises: ValueError (it is no JSON).
        """
        body = self.outcome.body if isinstance(self.outcome, Answer) else b""
        try:
            return msgspec.json.decode(body or b"null")
        except RecursionError as error:
            raise ValueError("The body is nested too deeply.") from error

    def _price_of_success(self) -> Price:
        request = self.request
        if request.price is not None:
            return request.price()
        if prices.resource_read(request.operation) is None:
            return prices.price_of(request.operation)
        count = request.resources_at_most if self.resources is None else self.resources
        at_most = prices.price_of_reads(request.operation, count)
        return Price(_FREE, at_most.high, f"at most {at_most.reason}")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Something that X told, with the receipt of the request that it came by."""

    receipt: Receipt

    @property
    def rate(self) -> tuple[Window, ...]:
        """How much X still allows, as the answer told it."""
        return self.receipt.rate

    @property
    def price(self) -> Price:
        """Dollars that the whole request cost."""
        return self.receipt.price

    @property
    def raw(self) -> Any:
        """The whole answer as X sent it, with every field that Roost has no name for."""
        return self.receipt.raw


@dataclass(frozen=True, slots=True, eq=False)
class Found(Mapping[K, V], Generic[K, V]):
    """What X told of several things, by their ids, and the receipts of the requests it took."""

    told: Mapping[K, V]
    receipts: tuple[Receipt, ...] = field(repr=False)

    def __getitem__(self, key: K) -> V:
        return self.told[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self.told)

    def __len__(self) -> int:
        return len(self.told)

    # The mapping's own would look each value up again by its key.
    def values(self) -> ValuesView[V]:
        """What X told, in the order of the ids."""
        return self.told.values()

    def items(self) -> ItemsView[K, V]:
        """Ids, and what X told of them."""
        return self.told.items()

    @property
    def rate(self) -> tuple[Window, ...]:
        """How much X still allows, as the last answer told it."""
        return self.receipts[-1].rate if self.receipts else ()

    @property
    def price(self) -> Price:
        """Dollars that all the requests cost together."""
        return prices.sum_of(receipt.price for receipt in self.receipts)
