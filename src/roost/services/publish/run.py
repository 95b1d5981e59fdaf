"""Publishes an account's due posts step by step, under the lock of the account.

`roost.publishing.next_step` decides each step from the post's state in the database, and changes of
this state are committed before and after every request to X. Any worker can therefore continue
after a crash.
"""

import contextlib
import logging
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final, assert_never

from roost import jobs, store, x
from roost.account_client import StoredTokenSource
from roost.boot_clock import boot_seconds
from roost.clock import describe_skew
from roost.errors import (
    DatabaseLostEvents,
    ReconnectNeeded,
    RoostError,
    VaultDamaged,
    VaultKeyMissing,
)
from roost.failpoints import Failpoint, failpoint
from roost.models import AlertKind, IntegrationId, PostId, Reason, ReasonCode, Scope, XUserId
from roost.publishing import next_step
from roost.publishing.history import error_reason
from roost.runtime import Runtime
from roost.services.publish import outcomes, search, send, waits
from roost.services.publish.context import PublishContext, StepResult
from roost.settings import Settings
from roost.store.availability import DATABASE_AWAY
from roost.store.locks import AccountLocks
from roost.store.publishing import LoadedPost
from roost.unexpected import to_roost_error

log = logging.getLogger(__name__)

#: Domain time after which a post that waits for its uploads is checked again.
_UPLOAD_CHECK: Final = timedelta(minutes=1)


async def publish_post(
    runtime: Runtime,
    scope: Scope,
    locks: AccountLocks,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    """Publish the due posts of this post's account, in due order, until none can proceed.

    If the account belongs to another environment, nothing happens: workers of that environment
    publish the posts. If another worker holds the account's lock, that worker publishes them. A
    post that has to wait does not delay later posts.
    """
    environment = runtime.settings.environment
    x_user_id = await locks.find_user(scope.tenant_id, integration_id, environment)
    if x_user_id is not None:
        await locks.shield(_publish_account(runtime, scope, locks, integration_id, x_user_id))


async def _publish_account(
    runtime: Runtime,
    scope: Scope,
    locks: AccountLocks,
    integration_id: IntegrationId,
    x_user_id: XUserId,
) -> None:
    deferred: set[PostId] = set()
    has_more = True
    while has_more and locks.may_begin and await locks.acquire(x_user_id):
        try:
            account = _AccountPublisher(runtime, scope, locks, integration_id, deferred)
            while locks.may_begin and await account.run_step():
                pass
        finally:
            # If a post became due while the lock was being released, the job of that post has left
            # the post to this worker.
            has_more = await locks.release(x_user_id, integration_id, deferred)


class _AccountPublisher:
    """Publishes one account's posts with one token, while this worker holds its lock."""

    def __init__(
        self,
        runtime: Runtime,
        scope: Scope,
        locks: AccountLocks,
        integration_id: IntegrationId,
        deferred: set[PostId],
    ) -> None:
        self._runtime = runtime
        self._scope = scope
        self._locks = locks
        self._integration_id = integration_id
        self._deferred = deferred
        """Posts to skip, because they wait or another worker has changed them."""
        self._token_source: StoredTokenSource | None = None

    async def run_step(self) -> bool:
        """Run the next step of the account's next post. Return False if no post can proceed."""
        # The deadline covers the commit of the attempt too. The clock also counts the time in which
        # the machine is suspended.
        deadline_at = boot_seconds() + self._runtime.settings.create_timeout.total_seconds()
        loaded = await store.publishing.load_next_post(
            self._runtime.database.autocommit,
            self._scope.tenant_id,
            self._integration_id,
            self._deferred,
        )
        if loaded is None:
            return False
        now = self._runtime.clock.now()
        if (problem := self._find_clock_problem(now)) is not None:
            self._locks.close_gate(problem)
            return False
        context = self._context(loaded)
        step = next_step.decide_step(
            context.state,
            now=now,
            x_now=self._runtime.x_now(),
            database_now=loaded.database_now if self._runtime.clock.is_wall_time else None,
            policy=_publish_policy(self._runtime.settings),
            searched=self._locks.searched,
        )
        if isinstance(step, next_step.Send) and context.token_source.is_fresh():
            result = await self._send(context, step, deadline_at)
        else:
            result = await _contain_failure(context, _execute(context, step))
        if result is StepResult.SKIP_POST:
            self._deferred.add(context.post.id)
        return result is not StepResult.DONE

    async def _send(
        self, context: PublishContext, step: next_step.Send, deadline_at: float
    ) -> StepResult:
        """Commit an attempt, then send its request."""
        failpoint(Failpoint.CREATE_BEFORE_COMMIT)
        try:
            attempt = await send.commit_attempt(context, step.part, again=step.again)
        except DatabaseLostEvents as error:
            self._locks.close_gate(error.message)
            raise
        if attempt is None:
            return StepResult.SKIP_POST  # The part was changed by another worker, or is paused.
        return await _contain_failure(
            context, send.send_part(context, step.part, attempt, deadline_at, again=step.again)
        )

    def _find_clock_problem(self, now: datetime) -> str | None:
        """Return a description of this machine's clock error; None if the clock is right.

        The clock is checked before every step, because it may have been set since the last
        heartbeat, and a step with a wrong clock would also defer posts until a wrong time. While
        X's time is unknown, this function returns None, and only the clock check at each heartbeat
        can find an error.
        """
        if not self._runtime.clock.is_wall_time:
            return None
        return describe_skew(self._runtime.server_time.estimate(), now)

    def _context(self, loaded: LoadedPost) -> PublishContext:
        if self._token_source is None:
            tokens = None
            with contextlib.suppress(VaultKeyMissing, VaultDamaged):
                # If the tokens cannot be decrypted, the token source raises the same error later,
                # when a step needs a token.
                tokens = loaded.tokens.open(self._runtime.vault)
            self._token_source = StoredTokenSource(
                self._runtime, loaded.publish_state.account, tokens
            )
        return PublishContext(
            self._runtime,
            self._scope,
            self._locks,
            self._token_source,
            loaded.publish_state,
            self._deferred,
        )


async def _contain_failure(context: PublishContext, step: Awaitable[StepResult]) -> StepResult:
    """Run a step so that its failure does not delay the account's other posts."""
    post = context.post
    try:
        return await step
    except ReconnectNeeded as error:
        await waits.await_reconnect(context, error)
        return StepResult.SKIP_POST
    except x.errors.AppMisconfigured as error:
        await waits.back_off_app(context, waits.APP_BACKOFF, AlertKind.APP, error)
        return StepResult.SKIP_POST
    except RoostError as error:
        # A setting is wrong, or X failed before the post was sent. The post waits, because a later
        # try may succeed.
        log.warning("post %s waits: %s (%s)", post.id, error, error.code)
        is_our_fault = not isinstance(error, x.errors.XError)
        delay = waits.backoff_delay(context.account.consecutive_refusals)
        await waits.back_off_account(
            context, delay, error_reason(error), counts_as_late=is_our_fault
        )
        return StepResult.SKIP_POST
    except (OSError, *DATABASE_AWAY):
        raise
    except Exception as error:
        # A defect of Roost must not delay the account's other posts, so it is logged and the post
        # waits. The error's own message is not logged, because it may quote the post.
        log.error("post %s: %s", post.id, to_roost_error(error).message)
        reason = Reason(ReasonCode.UNEXPECTED_ERROR, {"type": type(error).__name__})
        await waits.defer_post(context, waits.backoff_delay(0), reason, counts_as_late=True)
        return StepResult.SKIP_POST


def _publish_policy(settings: Settings) -> next_step.PublishPolicy:
    return next_step.PublishPolicy(
        timeline_lag=settings.timeline_lag,
        resend_window=settings.resend_window,
        tolerance=settings.late_tolerance,
        publish_late=settings.late_posts == "publish",
    )


async def _execute(context: PublishContext, step: next_step.Step) -> StepResult:
    """Execute any step except a `Send` with a fresh token, which `run_step` handles itself.

    For a `Send` without a fresh token, only the token is refreshed; the next step sends the part.
    """
    match step:
        case next_step.Send():
            # The token is refreshed in a step of its own, so that the time for an attempt does not
            # include the refresh.
            await context.token_source.get()
            return StepResult.CONTINUE
        case next_step.SearchBeforeSend(part, since):
            return await search.search_before_send(context, part, since)
        case next_step.UploadMedia():
            await waits.request_upload(context, _UPLOAD_CHECK, Reason(ReasonCode.UPLOADING))
            return StepResult.SKIP_POST
        case next_step.AwaitDeadline(left):
            async with context.runtime.database.for_tenant(context.tenant_id) as transaction:
                await jobs.defer_publish(
                    transaction, context.tenant_id, context.account.id, context.post.id,
                    environment=context.account.environment, wall_delay=left,
                )  # fmt: skip
            return StepResult.SKIP_POST
        case next_step.ExpireAttempt(part):
            await send.expire_attempt(context, part)
            return StepResult.CONTINUE
        case next_step.ReadTimeline(part, counts):
            return await search.reconcile(context, part, counts=counts)
        case next_step.DeferUntil(instant, reason, excused, counts_as_late):
            delay = instant - context.runtime.clock.now()
            await waits.defer_post(
                context, delay, reason, excused=excused, counts_as_late=counts_as_late
            )
            return StepResult.SKIP_POST
        case next_step.RequestDecision(part, reason):
            await outcomes.request_decision(context, part, reason)
            return StepResult.CONTINUE
        case next_step.Finish(state, reason):
            await outcomes.finish_post(context, state, reason)
            return StepResult.CONTINUE
        case _:
            assert_never(step)
