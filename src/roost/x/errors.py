"""Errors of requests to X: one class for each decision that a caller can take.

    XError                          request_id, operation, rate, price, confirmed_not_created
    ├── Rejected                    refused: X would reject the same request again; change it
    │   ├── DuplicatePost           the account has just posted this
    │   ├── TextTooLong
    │   ├── TooManyCashtags
    │   ├── MediaRejected           the file, or how it was attached
    │   │   └── MediaIdsInvalid     the media ids of a post: expired, foreign, or used before
    │   ├── SegmentTooLarge         upload: smaller segments may be accepted
    │   ├── ReplyNotAllowed         the account may not reply to, or quote, the post
    │   └── NotFoundOnX             no such post or user, or it is not visible
    ├── ParentNotVisible            busy: the parent post is too new, or deleted
    ├── RateLimited                 busy: retry after `wait`
    ├── OutOfCredits                refused: the app's owner has to pay or raise a cap
    ├── AuthorizationCodeInvalid    refused: the authorization code is used, expired or wrong
    ├── ReauthorizationRequired     broken: only the account's owner can help
    │   └── RefreshTokenInvalid     the refresh token no longer works
    ├── AppMisconfigured            broken: the app's credentials, plan or URL; affects all accounts
    ├── CredentialMissing           broken: the client lacks the credential that this request needs
    ├── XUnavailable                busy: X changed nothing; try again
    │   ├── NotSent                 no byte was sent
    │   └── SpendingLimitReported   known only by X's message, so only this account waits
    └── OutcomeUnknown              broken: X may have carried out the request

`roost.x.error_mapping` maps responses to these classes. No error contains a status, a secret or a
post's text. Errors that affect all accounts of an app contain none of X's messages, because a
message may quote one of the accounts.
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
from roost.next_actions import ActionCode
from roost.prices import Price
from roost.rate_limits import Window

if TYPE_CHECKING:
    from roost.x.receipt import Receipt

_FREE: Final = Price(Decimal(0), Decimal(0), "X does not bill this request")


class XError(RoostError):
    """A request to X that did not succeed."""

    #: Whether the request certainly created nothing on X.
    confirmed_not_created: ClassVar[bool] = True
    #: The receipt of the failed request; None if the request was not sent, or went to a token
    #: endpoint.
    receipt: "Receipt | None" = None

    @property
    def rate(self) -> tuple[Window, ...]:
        """The rate limits that the response reported."""
        return self.receipt.rate if self.receipt else ()

    @property
    def price(self) -> Price:
        """The price of the failed request in US dollars, which is a range if it is uncertain."""
        return self.receipt.price if self.receipt else _FREE

    @property
    def operation(self) -> str | None:
        """The failed operation, a value of `roost.prices.Operation`."""
        return self.facts.get("operation")

    @property
    def request_id(self) -> str | None:
        """X's id of the request (`x-transaction-id`), for X's support; None without a response."""
        return self.facts.get("request_id")


class Rejected(XError, Refused):
    """X rejected the request, and would reject the same request again."""

    default_next = "Change the request as X's message says."


class DuplicatePost(Rejected):
    """The account has already posted this text; X does not name the earlier post."""

    default_next = "Check the account's timeline, or change the text."


class TextTooLong(Rejected):
    """The text is longer than this account may post."""

    default_next = "Shorten the text, or split it into a thread."


class TooManyCashtags(Rejected):
    """The text has several cashtags, and X allows one per post."""

    default_next = "Remove all cashtags but one from the text."


class MediaRejected(Rejected):
    """X does not accept a file, or does not accept the file in this post."""

    default_action: ClassVar[ActionCode | None] = ActionCode.CHECK_MEDIA


class MediaIdsInvalid(MediaRejected):
    """The media ids of a post are expired, of another account, or used by an earlier post."""

    default_next = "Check whether an earlier post has the media; otherwise upload the files again."
    default_action = None


class SegmentTooLarge(Rejected):
    """A segment of an upload is larger than X accepts at present."""

    default_next = "Upload in smaller segments."


class ReplyNotAllowed(Rejected):
    """X does not allow this account to reply to the post, or to quote the post."""

    default_next = (
        "Reply to and quote only posts whose author mentioned this account, or its own posts."
    )


class NotFoundOnX(Rejected):
    """The post or user does not exist on X, or is not visible to this account."""

    kind = Kind.NOT_FOUND
    default_next = "Check the id; the post or user may have been deleted."


class ParentNotVisible(XError, Busy):
    """The post to reply to is not visible: it is too new, or it was deleted."""

    default_next = "Try again in a few seconds; check whether the post still exists."


class RateLimited(XError, Busy):
    """X accepts no more requests of this kind for the duration `wait`, in domain time."""

    default_next = "Wait, then send the request again."

    def __init__(self, message: str, *, wait: timedelta, **facts: Any) -> None:
        super().__init__(message, wait_seconds=wait.total_seconds(), **facts)
        self.wait = wait


class OutOfCredits(XError, Refused):
    """The app has no credits left, or reached a cap; this affects all accounts of the app."""

    default_next = (
        "Buy credits or raise the cap in X's developer console; requests then succeed again."
    )


class AuthorizationCodeInvalid(XError, ConnectFlowInvalid):
    """The authorization code is over 30 seconds old, already used, or of another OAuth flow."""


class ReauthorizationRequired(XError, ReconnectNeeded):
    """X refused a request because of the account's token, or of a permission that it lacks.

    The owner has to connect the account again.
    """


class RefreshTokenInvalid(ReauthorizationRequired):
    """X rejected the refresh token, because the token is used, revoked or expired."""


class AppMisconfigured(XError, Broken):
    """X rejects the app itself; no account is at fault, and no account is disconnected."""

    default_next = "Check TWITTER_CLIENT_ID, TWITTER_CLIENT_SECRET and the app's plan at X."


class CredentialMissing(XError, Broken):
    """The client has no credential of the kind that this request needs; nothing was sent."""

    default_next = "Create the client with the credential that the message names."

    def __init__(self, kind: str, **facts: Any) -> None:
        super().__init__(f"The request needs {kind}, but the client has none.", **facts)


class XUnavailable(XError, Busy):
    """X did not carry out the request, and nothing lasting has changed."""

    default_next = "Try again later."


class NotSent(XUnavailable):
    """No byte of the request was sent."""


class SpendingLimitReported(XUnavailable):
    """X's message mentions credits or a spending limit, but its error type does not."""

    default_next = "Check in X's developer console whether the app has credits left to spend."


class OutcomeUnknown(XError, Broken):
    """The request was sent, but X's response is unknown: X may have carried out the request."""

    confirmed_not_created = False
    default_next = "Check on X whether the request took effect before you send it again."

    def __init__(self, message: str, **facts: Any) -> None:
        facts.setdefault("did", "The request was not sent again.")
        super().__init__(message, **facts)
