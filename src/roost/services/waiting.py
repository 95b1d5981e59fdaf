"""What a post that has not gone out waits for, and until when, as every face shows it. Pure."""

from datetime import datetime

from roost.models import Integration, IntegrationStatus, Post, PostState, Wait


def current_wait(post: Post, account: Integration, now: datetime) -> Wait | None:
    """What keeps the post at present; None where it is over, or nothing keeps it.

    A pause is no wait: `pause.held_by` says what a person holds back.
    """
    if post.state not in {PostState.SCHEDULED, PostState.PUBLISHING}:
        return None
    if account.status is not IntegrationStatus.CONNECTED:
        return Wait(f"@{account.username} has to be connected again", None)
    if post.state is not PostState.PUBLISHING or post.wait is None:
        return None
    return post.wait if post.wait.until is None or post.wait.until > now else None
