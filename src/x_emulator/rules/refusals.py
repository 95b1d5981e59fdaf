"""Every way X says no, with the body it says it in. Where sources disagree there is a switch.

A rule raises `Refusal`; the wire turns it into an answer. Sources are the logs and documents that
`docs/emulator.md` lists by rule.
"""

from typing import Any

from x_emulator.switches import Switches


class Refusal(Exception):
    """An answer other than success: status and body (None: no bytes at all)."""

    def __init__(self, status: int, body: dict[str, Any] | None, said: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.said = said
        """The sentence that v1.1 says too, in its own envelope."""

    def sentence(self) -> str:
        """Why, for a person to read."""
        return self.said or str((self.body or {}).get("detail", "X refuses this."))


def plain(status: int, title: str, detail: str | None = None) -> Refusal:
    """A refusal without a type of its own."""
    body = {"title": title, "type": "about:blank", "status": status, "detail": detail or title}
    return Refusal(status, body)


def unauthorized() -> Refusal:
    """No token, or one that is unknown, expired or revoked."""
    return plain(401, "Unauthorized")


def forbidden(detail: str = "Forbidden") -> Refusal:
    """The user or the app may not."""
    return plain(403, "Forbidden", detail)


def too_many() -> Refusal:
    """A window of requests is used up."""
    return plain(429, "Too Many Requests")


def legacy(status: int, code: int, message: str) -> Refusal:
    """A refusal in the words of v1.1 and of the OAuth 1.0a endpoints."""
    return Refusal(status, {"errors": [{"code": code, "message": message}]})


def problem_type(switches: Switches, name: str) -> str:
    """The URI of a problem type; X answers with both hosts."""
    return f"https://{switches.problem_host}/2/problems/{name}"


def invalid(switches: Switches, parameter: str, value: str, message: str) -> Refusal:
    """One or more parameters are wrong."""
    kind = problem_type(switches, "invalid-request")
    body: dict[str, Any] = {"title": "Invalid Request", "type": kind}
    if switches.errors == "flat":
        body |= {"detail": message, "status": 400, "value": value}
        body |= {"parameter": parameter} if parameter else {}
    else:
        body["detail"] = "One or more parameters to your request was invalid."
        error: dict[str, Any] = {"message": message}
        body["errors"] = [{"parameters": {parameter: [value]}} | error if parameter else error]
    return Refusal(400, body, message)


def legacy_media(path: str, message: str) -> Refusal:
    """A refusal of the media endpoints of v1.1."""
    return Refusal(400, {"request": path, "error": message})


def invalid_media(switches: Switches, media_ids: list[str]) -> Refusal:
    """A media id is foreign, unfinished, expired, rejected or used up."""
    refusal = invalid(switches, "media.media_ids", "", "Your media IDs are invalid.")
    if refusal.body is not None and switches.errors == "nested":
        refusal.body["errors"][0]["parameters"]["media.media_ids"] = media_ids
    return refusal


def too_long(switches: Switches) -> Refusal:
    """The text weighs more than the user may post."""
    text = (
        "Your Tweet text is too long. For more information on how Twitter determines text length"
        " see https://github.com/twitter/twitter-text."
    )
    if switches.too_long == "400":
        return invalid(switches, "text", "", text)
    if switches.too_long == "403-text":
        return forbidden(text)
    return forbidden("You are not permitted to perform this action.")


def not_summoned(switches: Switches, *, quoting: bool = False) -> Refusal:
    """Self-serve apps reply and quote only where their user was mentioned."""
    if switches.summons == "sentence" and quoting:
        return forbidden(
            "Quoting this post is not allowed because you have not been mentioned or are not part"
            " of the conversation thread of the post you are quoting."
        )
    if switches.summons == "sentence":
        return forbidden(
            "Reply to this conversation is not allowed because you have not been mentioned or"
            " otherwise engaged by the author of the post you are replying to."
        )
    body = {
        "title": "Forbidden",
        "detail": "You can only reply to or quote posts where you are mentioned or are the author.",
        "type": problem_type(switches, "not-authorized-for-resource"),
        "status": 403,
    }
    return Refusal(403, body)


def not_found(
    switches: Switches, kind: str, wanted: str, parameter: str, *, many: bool = False
) -> dict[str, Any]:
    """The entry in `errors` for a post or user that is not there."""
    return {
        "value": wanted,
        "resource_id": wanted,
        "resource_type": kind,
        "parameter": parameter,
        "title": "Not Found Error",
        "detail": f"Could not find {kind} with {'ids' if many else 'id'}: [{wanted}].",
        "type": problem_type(switches, "resource-not-found"),
    }


def field_denied(switches: Switches, field: str, post_id: str, parameter: str) -> dict[str, Any]:
    """The entry in `errors` for one private field of a foreign or old post."""
    return {
        "resource_type": "tweet",
        "field": field,
        "parameter": parameter,
        "resource_id": post_id,
        "title": "Field Authorization Error",
        "section": "data",
        "detail": f"Sorry, you are not authorized to access '{field}' on the Tweet with"
        f" ids : [{post_id}].",
        "value": post_id,
        "type": problem_type(switches, "not-authorized-for-field"),
    }


def wrong_kind_of_token(switches: Switches, *, app_only: bool) -> Refusal:
    """An app's own token where a user's is needed, or the reverse; the two blanks are X's."""
    user = "OAuth 1.0a User Context, OAuth 2.0 User Context"
    given, wanted = "OAuth 2.0 User Context", "OAuth 2.0 Application-Only"
    if app_only:
        given, wanted = wanted, user
    body = {
        "title": "Unsupported Authentication",
        "detail": f"Authenticating with {given} is forbidden for this endpoint. "
        f" Supported authentication types are [{wanted}].",
        "type": problem_type(switches, "unsupported-authentication"),
        "status": 403,
    }
    return Refusal(403, body)


def read_only_app(switches: Switches) -> Refusal:
    """An OAuth 1.0a app that may only read wants to write."""
    body = {
        "title": "Forbidden",
        "status": 403,
        "detail": "Your client app is not configured with the appropriate oauth1 app permissions"
        " for this endpoint.",
        "type": problem_type(switches, "oauth1-permissions"),
    }
    return Refusal(403, body)


def not_enrolled(switches: Switches, client_id: str) -> Refusal:
    """An app that belongs to no project."""
    body = {
        "client_id": client_id,
        "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys"
        " and tokens from a Twitter developer App that is attached to a Project. You can create a"
        " project via the developer portal.",
        "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
        "title": "Client Forbidden",
        "required_enrollment": "Appropriate Level of API Access",
        "reason": "client-not-enrolled",
        "type": problem_type(switches, "client-forbidden"),
    }
    return Refusal(403, body)


def no_credits(switches: Switches, account_id: str) -> Refusal:
    """The developer's account has spent what it had."""
    body = {
        "title": "CreditsDepleted",
        "detail": f"Your enrolled account [{account_id}] does not have any credits to fulfill this"
        " request.",
        "type": problem_type(switches, "credits"),
    }
    return Refusal(402, body)


def cap_exceeded(switches: Switches, account_id: str) -> Refusal:
    """The month's posts are read; waiting for a window does not help."""
    body = {
        "account_id": int(account_id),
        "product_name": "standard-basic",
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": problem_type(switches, "usage-capped"),
    }
    return Refusal(429, body)


def suspended(switches: Switches) -> Refusal:
    """The user's account is suspended. Only the type is known; the words are ours."""
    body = {
        "title": "Forbidden",
        "detail": "Your account is suspended and is not permitted to access this feature.",
        "type": problem_type(switches, "user-suspended"),
        "status": 403,
    }
    return Refusal(403, body)


def not_visible(switches: Switches, kind: str, wanted: str, parameter: str) -> dict[str, Any]:
    """The entry in `errors` for a post (`Tweet`) or the posts of a `User` that one may not see."""
    return {
        "value": wanted,
        "resource_id": wanted,
        "parameter": parameter,
        "resource_type": kind.lower(),
        "section": "data",
        "title": "Authorization Error",
        "detail": f"Sorry, you are not authorized to see the {kind} with {parameter}: [{wanted}].",
        "type": problem_type(switches, "not-authorized-for-resource"),
    }
