"""The base class of all response bodies: which resources X bills, and whether X refused."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from roost.models import TweetId, XUserId
from roost.x.problems import is_problem


class ResponseBody(msgspec.Struct, frozen=True):
    """A whole response body; by default, the body contains nothing that X bills."""

    empty_body: ClassVar[bytes] = b""
    """The JSON to decode if the body is empty. If this is empty too, an empty body is an error,
    because X never sends an empty body in response to the request."""

    def posts_read(self) -> tuple[TweetId, ...]:
        """Return the ids of the posts in the response."""
        return ()

    def users_read(self) -> tuple[XUserId, ...]:
        """Return the ids of the users in the response."""
        return ()

    def created_post(self) -> TweetId | None:
        """Return the id of the post that X has created."""
        return None

    def refusal(self) -> dict[str, Any] | None:
        """Return X's reason for missing data; X may refuse a request with status 200."""
        return None

    def billed_resources(self) -> int:
        """Return the number of resources that X bills for a read."""
        return len(self.users_read())


def require_content(data: Sequence[object], errors: Sequence[Mapping[str, Any]]) -> None:
    """Check that a response has data, or X's reason for missing data. Raises: ValueError."""
    if not data and not (errors and is_problem(errors[0])):
        raise ValueError("neither `data` nor a problem of X")
