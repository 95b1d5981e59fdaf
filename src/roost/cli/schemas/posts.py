"""The JSON of posts: their parts, waits, history and attempts."""

from typing import Any

from pydantic import Field, model_validator

from roost.cli.schemas.checks import OptionsOutput
from roost.cli.schemas.fields import Facts, Instant, Output, Seconds
from roost.models import (
    ActorKind,
    Environment,
    EventCode,
    MediaKind,
    PartState,
    PostState,
    Reason,
)
from roost.publishing.history import event_as_json, reason_as_json
from roost.publishing.state import Outcome, PartProgress
from roost.services.pause import PauseScope
from roost.services.queries import PostDetails, PostStatus
from roost.tweet_urls import tweet_url


class ReasonOutput(Output):
    """The reason for a state, a wait or a back-off."""

    code: str = Field(description="A code of Roost, or the code of an error.")
    detail: Facts = Field(description="Plain values that depend on the code.")
    message: str = Field(description="The reason as a sentence.")

    @model_validator(mode="before")
    @classmethod
    def _describe(cls, value: Any) -> Any:
        return reason_as_json(value) if isinstance(value, Reason) else value


class WaitOutput(Output):
    """What a post waits for, and until when."""

    reason: ReasonOutput
    until: Instant | None = Field(description="The end of the wait; null if a person must act.")


class FileOutput(Output):
    """A media file of a part."""

    id: int
    path: str
    sha256: str
    kind: MediaKind
    mime_type: str
    size_bytes: int
    alt_text: str | None


class PartOutput(Output):
    """One part of a post. On X, each part is a post of its own."""

    id: int
    post_id: int
    position: int = Field(description="The position in the post, counted from 1.")
    text: str
    state: PartState
    sent_as: str | None = Field(description="The id of the part on X.")
    sent_at: Instant | None
    url: str | None = Field(description="The address of the part on X; null on an emulator.")
    media: tuple[FileOutput, ...]
    deleted_at: Instant | None = Field(description="When a person deleted the part from X.")
    options: OptionsOutput


class PostOutput(Output):
    """A post with its parts, its pauses and what it waits for now."""

    id: int
    tenant_id: int
    integration_id: int
    account: str = Field(description="The username of the account on X, without `@`.")
    environment: Environment
    state: PostState
    due_at: Instant | None = Field(description="The due time; null only for a draft.")
    url: str | None = Field(description="The address of the first part, if X has it.")
    reason: ReasonOutput | None = Field(description="Why the post has its state.")
    parts: tuple[PartOutput, ...]
    paused: bool = Field(description="Whether the post itself is paused.")
    paused_by: tuple[PauseScope, ...] = Field(description="Every pause that applies to the post.")
    tolerance: Seconds | None = Field(description="Maximum lateness; null: the default.")
    wait: WaitOutput | None = Field(description="What the post waits for now.")
    acknowledged_at: Instant | None
    possible_duplicate: bool = Field(description="Whether X may have a part twice.")

    @classmethod
    def of(cls, status: PostStatus) -> "PostOutput":
        """Build the output from the status of a post."""
        post, account = status.post, status.account
        is_live = account.environment is Environment.LIVE
        parts = [
            {name: getattr(part, name) for name in PartOutput.model_fields if name != "url"}
            | {"url": tweet_url(part.sent_as) if is_live and part.sent_as else None}
            for part in post.parts
        ]
        own = cls.model_fields.keys() - {"account", "environment", "url", "paused_by", "wait"}
        return cls.model_validate(
            {name: getattr(post, name) for name in own}
            | {
                "account": account.username,
                "environment": account.environment,
                "url": parts[0]["url"] if parts else None,
                "parts": parts,
                "paused_by": status.paused_by,
                "wait": status.wait,
            }
        )


class PostListOutput(Output):
    """The selected posts, in the order of the list that `roost posts` prints."""

    posts: tuple[PostOutput, ...]


class ActorOutput(Output):
    """The originator of a change, such as a worker or a person at the command line."""

    kind: ActorKind
    name: str


class EventOutput(Output):
    """An event in the history of a post."""

    at: Instant
    post_id: int
    position: int | None = Field(description="The part of the event; null for the whole post.")
    code: EventCode
    from_state: str | None
    to_state: str | None
    detail: Facts
    actor: ActorOutput
    message: str = Field(description="The event as a sentence.")


class AttemptOutput(Output):
    """One try to create a part on X."""

    part: int = Field(description="The position of the part.")
    id: int
    number: int
    started_at: Instant
    wall_left: Seconds = Field(description="Seconds until the request has certainly ended.")
    outcome: Outcome | None = Field(description="Null while the attempt is in progress.")
    empty_reads: int = Field(description="Reads of X's timeline that did not show the part.")
    empty_read_at: Instant | None
    confirmed_absent: bool = Field(description="Whether a person confirmed that X lacks the part.")
    media_ids: tuple[str, ...]
    media_keys: tuple[str, ...]
    app_backoff: Seconds

    @classmethod
    def list_of(cls, progress: PartProgress) -> "list[AttemptOutput]":
        """Build the output of each attempt to create a part."""
        own = cls.model_fields.keys() - {"part"}
        return [
            cls.model_validate(
                {name: getattr(attempt, name) for name in own} | {"part": progress.part.position}
            )
            for attempt in progress.attempts
        ]


class PostDetailOutput(Output):
    """One post; with `--history`, also its events and its attempts."""

    post: PostOutput
    history: tuple[EventOutput, ...] | None = Field(description="Null without `--history`.")
    attempts: tuple[AttemptOutput, ...] | None = Field(description="Null without `--history`.")

    @classmethod
    def of(cls, details: PostDetails, *, with_history: bool) -> "PostDetailOutput":
        """Build the output of one post; include its events and attempts only if requested."""
        events = [EventOutput.model_validate(event_as_json(one)) for one in details.events]
        attempts = [
            attempt
            for part in details.publish_state.parts
            for attempt in AttemptOutput.list_of(part)
        ]
        return cls(
            post=PostOutput.of(details.status),
            history=tuple(events) if with_history else None,
            attempts=tuple(attempts) if with_history else None,
        )
