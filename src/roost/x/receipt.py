"""What came beside an answer of X: limits, price, X's own number, and everything it said.

All of it is read when asked for: an answer whose limits nobody looks at costs nothing more.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import msgspec

from roost import limits, prices
from roost.limits import Window
from roost.prices import Price
from roost.x.request import Request
from roost.x.wire import Answer

_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One answered request."""

    request: Request = field(repr=False)
    answer: Answer = field(repr=False)
    resources: int = 0
    """Posts, users and the like that the answer holds; a read is billed by them."""

    @property
    def rate(self) -> tuple[Window, ...]:
        """How much X still allows, as this answer told it."""
        return limits.read_windows(self.answer.headers)

    @property
    def price(self) -> Price:
        """Dollars. Of a read `low` is 0: what this app read earlier on the UTC day comes free."""
        return prices.price_of_answer(self._price_of_success(), self.answer.status)

    @property
    def request_id(self) -> str | None:
        """X's own number for the request (`x-transaction-id`)."""
        return self.answer.request_id

    @property
    def raw(self) -> Any:
        """The whole body as X sent it, with every field that Roost has no name for."""
        return msgspec.json.decode(self.answer.body or b"null")

    def _price_of_success(self) -> Price:
        if self.request.price is not None:
            return self.request.price()
        operation = self.request.operation
        if prices.resource_read(operation) is None:
            return prices.price_of(operation)
        at_most = prices.price_of_reads(operation, self.resources)
        return Price(_NOTHING, at_most.high, f"at most {at_most.reason}")
