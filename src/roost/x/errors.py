"""What X's answers, and its silence, mean for the caller: one class per decision.

    XFailure                        request_id, operation, rate, price, surely_created_nothing
    ├── Rejected                    refused: X said no for good; change the request
    │   ├── DuplicatePost           the account has just posted this
    │   ├── TextTooLong
    │   ├── TooManyCashtags
    │   ├── MediaRejected           the file, or how it was attached
    │   │   └── MediaIdsInvalid     the ids of a post's media: expired, foreign, or used before
    │   ├── SegmentTooLarge         of an upload; smaller segments may pass
    │   ├── ReplyNotAllowed         neither reply nor quote
    │   └── NotFoundOnX             no such post or user, or it cannot be seen
    ├── ParentNotVisible            busy: the post replied to is too fresh, or gone
    ├── RateLimited                 busy: wait `wait`
    ├── OutOfCredits                refused: the app's owner has to pay or raise a cap
    ├── CodeRefused                 refused: the authorize code is used, old or wrong
    ├── Reauthorize                 broken: only the account's owner can help
    │   └── GrantDead               the refresh token no longer works
    ├── AppMisconfigured            broken: our app's credentials, plan or address; every account
    ├── CredentialMissing       broken: the client has no credential of the kind that this takes
    ├── XUnavailable                busy: nothing that lasts was done; try again
    │   ├── NotSent                 no byte left this machine
    │   └── SpendingLimitReported   by a sentence alone, so that only this account waits
    └── OutcomeUnknown              broken: it may have happened

`roost.x.refusals` says which answer becomes which. No error holds a status, a secret or a text;
those that concern all accounts of an app hold no sentence of X's, which may quote one of them.
"""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from roost.errors import (
    Broken,
    Busy,
    ConnectFlowInvalid,
    Kind,
    ReconnectNeeded,
    Refused,
    RoostError,
)
from roost.limits import Window
from roost.prices import Price

if TYPE_CHECKING:
    from roost.x.receipt import Receipt

_FREE: Final = Price(Decimal(0), Decimal(0), "X bills nothing for it")


class XFailure(RoostError):
    """A request to X that did not succeed."""

    #: Whether this request is proven to have left nothing on X.
    surely_created_nothing: ClassVar[bool] = True
    #: Of the request that failed; None where none was sent, or it went to the token endpoint.
    receipt: "Receipt | None" = None

    @property
    def rate(self) -> tuple[Window, ...]:
        """How much X still allows, where the answer told it."""
        return self.receipt.rate if self.receipt else ()

    @property
    def price(self) -> Price:
        """Dollars that the failed request cost, or may have."""
        return self.receipt.price if self.receipt else _FREE

    @property
    def operation(self) -> str | None:
        """What was asked of X, in the words of `roost.prices.Operation`."""
        return self.facts.get("operation")

    @property
    def request_id(self) -> str | None:
        """X's own number for the request (`x-transaction-id`), for its support; None unanswered."""
        return self.facts.get("request_id")


class Rejected(XFailure, Refused):
    """X read the request and will refuse it again."""

    default_next = "Change the request as X says."


class DuplicatePost(Rejected):
    """X has this text from this account already; it does not say under which id."""

    default_next = "Look at the account's timeline, or change the text."


class TextTooLong(Rejected):
    """The text weighs more than this account may post."""

    default_next = "Shorten the text, or make a thread of it."


class TooManyCashtags(Rejected):
    """X allows one cashtag in a post."""

    default_next = "Leave one cashtag in the text."


class MediaRejected(Rejected):
    """X does not take the file, or not in this post."""

    default_next = "Check the file with `roost check --media`, or use another one."


class MediaIdsInvalid(MediaRejected):
    """X does not take the media ids: expired, of another account, or used by an earlier post."""

    default_next = "Look whether an earlier post has the media; otherwise upload the files again."


class SegmentTooLarge(Rejected):
    """A segment of an upload is larger than X takes at the moment."""

    default_next = "Upload in smaller segments."


class ReplyNotAllowed(Rejected):
    """This account may neither reply to nor quote that post."""

    default_next = (
        "Reply to and quote only posts whose author mentioned this account, or its own posts."
    )


class NotFoundOnX(Rejected):
    """There is no such post or user on X, or this account cannot see it."""

    kind = Kind.NOT_FOUND
    default_next = "Check the id; it may have been deleted."


class ParentNotVisible(XFailure, Busy):
    """The post to reply to is not visible: X has not caught up with it yet, or it is gone."""

    default_next = "Try again in some seconds; look whether the post still exists."


class RateLimited(XFailure, Busy):
    """X takes no more such requests for a while: `wait`, in domain time."""

    default_next = "Wait, then send it again."

    def __init__(self, message: str, *, wait: timedelta, **facts: Any) -> None:
        super().__init__(message, wait_seconds=wait.total_seconds(), **facts)
        self.wait = wait


class OutOfCredits(XFailure, Refused):
    """The app's credits, or the cap that its owner set, are used up; it concerns all accounts."""

    default_next = "Buy credits or raise the cap in X's developer console; then it goes on."


class CodeRefused(XFailure, ConnectFlowInvalid):
    """The authorize code is older than 30 seconds, used, or does not belong to this attempt."""


class Reauthorize(XFailure, ReconnectNeeded):
    """The account's token does not open this; its owner has to connect again."""


class GrantDead(Reauthorize):
    """X refused the refresh token: used, revoked or expired."""


class AppMisconfigured(XFailure, Broken):
    """X does not serve this app; no account is at fault, and none must be disconnected."""

    default_next = "Check TWITTER_CLIENT_ID, TWITTER_CLIENT_SECRET and the app's plan at X."


class CredentialMissing(XFailure, Broken):
    """The client was given no credential of the kind that X takes for this; nothing was sent."""

    default_next = "Give the client the credential that the message names."

    def __init__(self, kind: str, **facts: Any) -> None:
        super().__init__(f"This needs {kind}, and the client was given none.", **facts)


class XUnavailable(XFailure, Busy):
    """X did not do it, and nothing that lasts has changed."""

    default_next = "Try again later."


class NotSent(XUnavailable):
    """Not one byte of the request left this machine."""


class SpendingLimitReported(XUnavailable):
    """X names credits or a spending limit by a sentence alone; only this account waits."""

    default_next = "See in X's developer console whether the app has credits and room to spend."


class OutcomeUnknown(XFailure, Broken):
    """The request went out and X's answer is not known: it may have been carried out."""

    surely_created_nothing = False
    default_next = "Look at X before sending it again."

    def __init__(self, message: str, **facts: Any) -> None:
        facts.setdefault("did", "It was not sent again.")
        super().__init__(message, **facts)
