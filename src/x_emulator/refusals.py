"""Every way X says no, with the body it says it in. Where sources disagree there is a switch.

A rule raises `Refusal`; the wire turns it into an answer. Sources are the logs and documents that
`docs/emulator.md` lists by rule.
"""

from typing import Any

from x_emulator.state import Switches


class Refusal(Exception):
    """An answer other than success: status and body (None: no bytes at all)."""

    def __init__(self, status: int, body: dict[str, Any] | None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


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
    return Refusal(400, body)


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


def not_summoned(switches: Switches) -> Refusal:
    """Self-serve apps reply and quote only where their user was mentioned."""
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
