"""Checks whether a caller's token and app permit an operation.

The requirements come from the security sections of X's OpenAPI document. X's responses to requests
without permission come from logs of clients.
"""

from dataclasses import dataclass

from x_emulator.auth.identify import Caller
from x_emulator.rules import refusals
from x_emulator.state import World


@dataclass(frozen=True)
class Requirement:
    """The kind of token, the scopes and the access level that an operation requires."""

    scopes: frozenset[str]
    """The scopes that an OAuth 2.0 token must have."""
    writes: bool = False
    """Whether an OAuth 1.0a token must have more than read access."""
    user: bool = True
    """Whether the operation accepts a user's token."""
    app_only: bool = False
    """Whether the operation accepts an app-only token."""


_READ_POSTS = frozenset({"tweet.read", "users.read"})
_WRITE = Requirement(_READ_POSTS | {"tweet.write"}, writes=True)
_READ = Requirement(_READ_POSTS, app_only=True)
_MEDIA = Requirement(frozenset({"media.write"}), writes=True)

REQUIREMENTS = {
    "create_post": _WRITE,
    "delete_post": _WRITE,
    "read_posts": _READ,
    "read_post": _READ,
    "read_timeline": _READ,
    "read_me": Requirement(_READ_POSTS),
    "read_user": _READ,
    "read_users": _READ,
    "read_post_analytics": Requirement(_READ_POSTS),
    "read_media_analytics": Requirement(frozenset({"tweet.read"})),
    "read_usage": Requirement(frozenset(), user=False, app_only=True),
    "media_initialize": _MEDIA,
    "media_append": _MEDIA,
    "media_finalize": _MEDIA,
    "media_upload": _MEDIA,
    "media_status": _MEDIA,
    "media_metadata": _MEDIA,
    "media_subtitles": _MEDIA,
    "media_subtitles_delete": _MEDIA,
    "v1_media_upload": _MEDIA,
    "v1_media_status": _MEDIA,
    "v1_media_metadata": _MEDIA,
    "v1_media_subtitles": _MEDIA,
    "v1_verify_credentials": Requirement(_READ_POSTS),
}


def check_permission(world: World, caller: Caller, operation: str) -> None:
    """Check a caller's kind of token, scopes, access level and project for an operation.

    Raises: Refusal (the caller may not perform the operation).
    """
    required = REQUIREMENTS[operation]
    if operation.startswith("v1_"):
        _check_v1_permission(caller, required)
        return
    if not caller.app.enrolled:
        raise refusals.not_enrolled(world.switches, caller.app.client_id)
    if not (required.app_only if caller.kind == "app-only" else required.user):
        raise refusals.wrong_kind_of_token(world.switches, app_only=caller.kind == "app-only")
    if caller.kind == "oauth2" and caller.grant and not required.scopes <= caller.grant.scopes:
        raise refusals.forbidden()
    if caller.kind == "oauth1" and required.writes and not caller.may_write():
        raise refusals.read_only_app(world.switches)


def _check_v1_permission(caller: Caller, required: Requirement) -> None:
    if caller.kind != "oauth1":
        message = "Your credentials do not allow access to this resource."
        raise refusals.v1_refusal(403, 220, message)
    if required.writes and not caller.may_write():
        raise refusals.v1_refusal(403, 261, "Application cannot perform write actions.")
