"""All refusals (error responses) of X. If sources disagree on a body, a switch selects it.

Rules raise `Refusal`, and the pipeline converts the exception to a response.
`docs/reference/emulator-rules.md` lists the source of each rule.
"""

from typing import Any

from x_emulator.switches import Switches


class Refusal(Exception):
    """X refuses the request with an error response. If `body` is None, the body is empty."""

    def __init__(self, status: int, body: dict[str, Any] | None, message: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.message = message
        """The message to use in v1.1's format; empty if v1.1 has no such message."""

    def describe(self) -> str:
        """Return the reason for the refusal as text for a person."""
        return self.message or str((self.body or {}).get("detail", "X refuses this."))


def problem(status: int, title: str, detail: str | None = None) -> Refusal:
    """Return a refusal whose body is a problem of type `about:blank`."""
    body = {"title": title, "type": "about:blank", "status": status, "detail": detail or title}
    return Refusal(status, body)


def unauthorized() -> Refusal:
    """Return the refusal for a missing, unknown, expired or revoked token."""
    return problem(401, "Unauthorized")


def forbidden(detail: str = "Forbidden") -> Refusal:
    """Return the refusal for an action that the user or the app may not perform."""
    return problem(403, "Forbidden", detail)


def too_many_requests() -> Refusal:
    """Return the refusal for a request beyond a rate limit."""
    return problem(429, "Too Many Requests")


def v1_refusal(status: int, code: int, message: str) -> Refusal:
    """Return a refusal in the format of X's API v1.1 and of the OAuth 1.0a endpoints."""
    return Refusal(status, {"errors": [{"code": code, "message": message}]})


def problem_type(switches: Switches, name: str) -> str:
    """Return the URI of a problem type. The switch `problem_host` selects its host."""
    return f"https://{switches.problem_host}/2/problems/{name}"


def invalid_request(switches: Switches, parameter: str, value: str, message: str) -> Refusal:
    """Return the refusal for an invalid parameter or body."""
    kind = problem_type(switches, "invalid-request")
    body: dict[str, Any] = {"title": "Invalid Request", "type": kind}
    if switches.error_format == "flat":
        body |= {"detail": message, "status": 400, "value": value}
        body |= {"parameter": parameter} if parameter else {}
    else:
        body["detail"] = "One or more parameters to your request was invalid."
        error: dict[str, Any] = {"message": message}
        body["errors"] = [{"parameters": {parameter: [value]}} | error if parameter else error]
    return Refusal(400, body, message)


def v1_media_refusal(path: str, message: str) -> Refusal:
    """Return a refusal in the format of the media endpoints of X's API v1.1."""
    return Refusal(400, {"request": path, "error": message})


def invalid_media(switches: Switches, media_ids: list[str]) -> Refusal:
    """Return the refusal for media that is another user's, not ready, expired, failed or used."""
    refusal = invalid_request(switches, "media.media_ids", "", "Your media IDs are invalid.")
    if refusal.body is not None and switches.error_format == "nested":
        refusal.body["errors"][0]["parameters"]["media.media_ids"] = media_ids
    return refusal


def text_too_long(switches: Switches) -> Refusal:
    """Return the refusal for a text with a higher weight than the user may post."""
    text = (
        "Your Tweet text is too long. For more information on how Twitter determines text length"
        " see https://github.com/twitter/twitter-text."
    )
    if switches.too_long_error == "400":
        return invalid_request(switches, "text", "", text)
    if switches.too_long_error == "403-text":
        return forbidden(text)
    return forbidden("You are not permitted to perform this action.")


def not_summoned(switches: Switches, *, quoting: bool = False) -> Refusal:
    """Return the refusal for a reply or a quote that X forbids to self-serve apps.

    A self-serve app may reply to another user only if the parent mentions the app's user or quotes
    a post of the app's user. `quoting` selects the message for a quote.
    """
    if switches.summons_error == "sentence" and quoting:
        return forbidden(
            "Quoting this post is not allowed because you have not been mentioned or are not part"
            " of the conversation thread of the post you are quoting."
        )
    if switches.summons_error == "sentence":
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
    switches: Switches, kind: str, resource_id: str, parameter: str, *, many: bool = False
) -> dict[str, Any]:
    """Return the entry in the list `errors` for a post or user that does not exist."""
    return {
        "value": resource_id,
        "resource_id": resource_id,
        "resource_type": kind,
        "parameter": parameter,
        "title": "Not Found Error",
        "detail": f"Could not find {kind} with {'ids' if many else 'id'}: [{resource_id}].",
        "type": problem_type(switches, "resource-not-found"),
    }


def field_denied(switches: Switches, field: str, post_id: str, parameter: str) -> dict[str, Any]:
    """Return the entry in `errors` for a private field of an old post or another user's post."""
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
    """Return the refusal for a token of the wrong kind: of the app alone, or of a user.

    X's message has two spaces between its sentences.
    """
    user = "OAuth 1.0a User Context, OAuth 2.0 User Context"
    used, supported = "OAuth 2.0 User Context", "OAuth 2.0 Application-Only"
    if app_only:
        used, supported = supported, user
    body = {
        "title": "Unsupported Authentication",
        "detail": f"Authenticating with {used} is forbidden for this endpoint. "
        f" Supported authentication types are [{supported}].",
        "type": problem_type(switches, "unsupported-authentication"),
        "status": 403,
    }
    return Refusal(403, body)


def read_only_app(switches: Switches) -> Refusal:
    """Return the refusal for a write by a read-only OAuth 1.0a app."""
    body = {
        "title": "Forbidden",
        "status": 403,
        "detail": "Your client app is not configured with the appropriate oauth1 app permissions"
        " for this endpoint.",
        "type": problem_type(switches, "oauth1-permissions"),
    }
    return Refusal(403, body)


def not_enrolled(switches: Switches, client_id: str) -> Refusal:
    """Return the refusal for an app that is not attached to a project."""
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
    """Return the refusal for an app whose developer account has no credits left."""
    body = {
        "title": "CreditsDepleted",
        "detail": f"Your enrolled account [{account_id}] does not have any credits to fulfill this"
        " request.",
        "type": problem_type(switches, "credits"),
    }
    return Refusal(402, body)


def cap_exceeded(switches: Switches, account_id: str) -> Refusal:
    """Return the refusal for reads beyond the monthly cap.

    The cap is not reset when a rate limit window ends.
    """
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
    """Return the refusal for a suspended user. X's own message is not known, so ours is sent."""
    body = {
        "title": "Forbidden",
        "detail": "Your account is suspended and is not permitted to access this feature.",
        "type": problem_type(switches, "user-suspended"),
        "status": 403,
    }
    return Refusal(403, body)


def not_visible(switches: Switches, kind: str, resource_id: str, parameter: str) -> dict[str, Any]:
    """Return the entry in `errors` for a `Tweet` or `User` that the reader may not see."""
    return {
        "value": resource_id,
        "resource_id": resource_id,
        "parameter": parameter,
        "resource_type": kind.lower(),
        "section": "data",
        "title": "Authorization Error",
        "detail": f"Sorry, you are not authorized to see the {kind} with {parameter}:"
        f" [{resource_id}].",
        "type": problem_type(switches, "not-authorized-for-resource"),
    }
