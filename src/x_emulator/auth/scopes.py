"""Whether a caller may do an operation at all: project, kind of token, scopes, permissions.

Source: the security sections of the OpenAPI; refusals as behaviour seen in logs.
"""

from dataclasses import dataclass

from x_emulator.auth.identify import Caller
from x_emulator.rules import refusals
from x_emulator.state import World


@dataclass(frozen=True)
class Need:
    """What an operation needs of its caller."""

    scopes: frozenset[str]
    """With OAuth 2.0."""
    writes: bool = False
    """With OAuth 1.0a, more than a read-only app."""
    user: bool = True
    """A user's token will do."""
    app_only: bool = False
    """An app's own token will do."""


_READ_POSTS = frozenset({"tweet.read", "users.read"})
_WRITE = Need(_READ_POSTS | {"tweet.write"}, writes=True)
_READ = Need(_READ_POSTS, app_only=True)
_MEDIA = Need(frozenset({"media.write"}), writes=True)

NEEDED = {
    "create_post": _WRITE,
    "delete_post": _WRITE,
    "read_posts": _READ,
    "read_post": _READ,
    "read_timeline": _READ,
    "read_me": Need(_READ_POSTS),
    "read_user": _READ,
    "read_users": _READ,
    "read_post_analytics": Need(_READ_POSTS),
    "read_media_analytics": Need(frozenset({"tweet.read"})),
    "read_usage": Need(frozenset(), user=False, app_only=True),
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
    "v1_verify_credentials": Need(_READ_POSTS),
}


def check(world: World, caller: Caller, operation: str) -> None:
    """Refuse a caller that may not do this.

    Raises: Refusal.
    """
    need = NEEDED[operation]
    if operation.startswith("v1_"):
        _check_legacy(caller, need)
        return
    if not caller.app.enrolled:
        raise refusals.not_enrolled(world.switches, caller.app.client_id)
    if not (need.app_only if caller.kind == "app-only" else need.user):
        raise refusals.wrong_kind_of_token(world.switches, app_only=caller.kind == "app-only")
    if caller.kind == "oauth2" and caller.grant and not need.scopes <= caller.grant.scopes:
        raise refusals.forbidden()
    if caller.kind == "oauth1" and need.writes and not caller.may_write():
        raise refusals.read_only_app(world.switches)


def _check_legacy(caller: Caller, need: Need) -> None:
    if caller.kind != "oauth1":
        message = "Your credentials do not allow access to this resource."
        raise refusals.legacy(403, 220, message)
    if need.writes and not caller.may_write():
        raise refusals.legacy(403, 261, "Application cannot perform write actions.")
