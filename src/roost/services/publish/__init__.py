"""Publishes due posts exactly once. Any worker can resume at the step that the rows record.

`roost.publishing.next_step` decides each step; this package commits before and after every call
to X.
"""

import contextlib
import logging
from datetime import timedelta
from typing import assert_never

from roost import jobs, store, x
from roost.account_client import StoredTokenSource
from roost.clock import describe_skew
from roost.errors import (
    DatabaseForgot,
    ReconnectNeeded,
    RoostError,
    VaultDamaged,
    VaultKeyMissing,
)
from roost.failpoints import Failpoint
from roost.models import AlertKind, IntegrationId, PostId, TenantId, XUserId
from roost.publishing import next_step
from roost.publishing.state import Attempt
from roost.runtime import Runtime, from_outside
from roost.services.publish import search, send
from roost.services.publish.media import prepare_post
from roost.services.publish.pauses import PAUSE_APP, growing
from roost.services.publish.rows import Turn, Way
from roost.settings import Settings
from roost.store.away import DATABASE_AWAY
from roost.store.locks import AccountLocks
from roost.store.publishing import LoadedPost
from roost.telemetry import failpoint
from roost.x.transport import boot_seconds

__all__ = ["prepare_post", "publish_post"]

log = logging.getLogger(__name__)

#: Domain time after which a post whose files are being brought to X looks for them again.
_LOOK_FOR_MEDIA = timedelta(minutes=1)


async def publish_post(
    runtime: Runtime,
    locks: AccountLocks,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    """Bring the account of this post as far as it goes: its posts on their way, in due order.

    An account of another X is left to that X's workers. Where another worker holds the account,
    that one does it in our place. A post that has to wait is left behind and does not hold up later
    ones.
    """
    environment = runtime.settings.environment
    x_user_id = await locks.find_user(tenant_id, integration_id, environment)
    if x_user_id is not None:
        await locks.shield(_publish_account(runtime, locks, tenant_id, integration_id, x_user_id))


async def _publish_account(
    runtime: Runtime,
    locks: AccountLocks,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    x_user_id: XUserId,
) -> None:
    behind: set[PostId] = set()
    is_left = True
    while is_left and locks.may_begin and await locks.acquire(x_user_id):
        try:
            account = _Account(runtime, locks, tenant_id, integration_id, behind)
            while locks.may_begin and await account.take_step():
                pass
        finally:
            # One that came while the lock was being given back was left to us: look again.
            is_left = await locks.release(x_user_id, integration_id, behind)


class _Account:
    """One account while this worker is its only sender; holds the grant that it has read."""

    def __init__(
        self,
        runtime: Runtime,
        locks: AccountLocks,
        tenant_id: TenantId,
        integration_id: IntegrationId,
        behind: set[PostId],
    ) -> None:
        self._runtime = runtime
        self._locks = locks
        self._tenant_id = tenant_id
        self._integration_id = integration_id
        self._behind = behind
        """Posts that wait, and those whose rows another has moved: the sweep brings them back."""
        self._grant: StoredTokenSource | None = None

    async def take_step(self) -> bool:
        """The next step of the account's next post; False where there is none."""
        # Before the commit of an attempt, from a clock that counts suspended time.
        deadline_at = boot_seconds() + self._runtime.settings.create_timeout.total_seconds()
        taken = await store.publishing.load_next_post(
            self._runtime.database.autocommit, self._tenant_id, self._integration_id, self._behind
        )
        if taken is None:
            return False
        way = self._way(taken)
        step = next_step.decide_step(
            way.journal,
            now=self._runtime.clock.now(),
            x_now=self._runtime.x_now(),
            rules=_rules(self._runtime.settings),
            searched=self._locks.searched,
        )
        attempt = None
        if isinstance(step, next_step.Send) and way.grant.is_fresh():
            if (why := self._clock_problem()) is not None:
                self._locks.close_gate(why)
                return False
            failpoint(Failpoint.CREATE_BEFORE_COMMIT)
            try:
                attempt = await send.begin(way, step.part, again=step.again)
            except DatabaseForgot as error:
                self._locks.close_gate(error.message)
                raise
        turn = await self._do(way, step, attempt, deadline_at)
        if turn is Turn.BEHIND:
            self._behind.add(way.journal.post.id)
        return turn is not Turn.OVER

    def _clock_problem(self) -> str | None:
        """Why the clock may not be trusted at this moment: it may have moved since it was checked.

        Where X's time is not known yet, the worker's own check has to come first.
        """
        if not self._runtime.clock.is_wall_time:
            return None
        return describe_skew(self._runtime.server_time.estimate(), self._runtime.clock.now())

    def _way(self, taken: LoadedPost) -> Way:
        if self._grant is None:
            tokens = None
            with contextlib.suppress(VaultKeyMissing, VaultDamaged):
                # Asked for a token, the grant says the same where it can be told.
                tokens = taken.tokens.open(self._runtime.vault)
            self._grant = StoredTokenSource(self._runtime, taken.journal.account, tokens)
        return Way(self._runtime, self._locks, self._grant, taken.journal, self._behind)

    async def _do(
        self, way: Way, step: next_step.Step, attempt: Attempt | None, deadline_at: float
    ) -> Turn:
        """Take the step, and see to it that no failure holds up the account's other posts."""
        post = way.journal.post
        try:
            return await _take(way, step, attempt, deadline_at)
        except ReconnectNeeded as error:
            await way.lose_account(error)
            return Turn.BEHIND
        except x.errors.AppMisconfigured as error:
            await way.rest_app(PAUSE_APP, AlertKind.APP, error)
            return Turn.BEHIND
        except RoostError as error:
            # A setting that does not fit, or X before anything was sent: it waits in its rows
            # until somebody or time has changed something.
            log.warning("post %s waits: %s (%s)", post.id, error, error.code)
            is_ours = not isinstance(error, x.errors.XError)
            pause = growing(way.account.rests)
            await way.rest_account(pause, str(error), counts_as_late=is_ours)
            return Turn.BEHIND
        except (OSError, *DATABASE_AWAY):
            raise
        except Exception as error:
            # A defect of ours must not hold up the account's other posts, nor pass unseen.
            # Its words stay out of the log: they may quote the post.
            log.error("post %s: %s", post.id, from_outside(error).message)
            why = f"something unforeseen: {type(error).__name__}"
            await way.rest(growing(0), why, counts_as_late=True)
            return Turn.BEHIND


def _rules(settings: Settings) -> next_step.PublishPolicy:
    return next_step.PublishPolicy(
        timeline_lag=settings.timeline_lag,
        resend_window=settings.resend_window,
        tolerance=settings.late_tolerance,
        publish_late=settings.roost_late_posts == "publish",
    )


async def _take(
    way: Way, step: next_step.Step, attempt: Attempt | None, deadline_at: float
) -> Turn:
    """Do one step."""
    now = way.runtime.clock.now()
    match step:
        case next_step.Send(part, again):
            if attempt is not None:
                return await send.send_part(way, part, attempt, deadline_at, again=again)
            if way.grant.is_fresh():
                return Turn.BEHIND  # another worker has moved the part: the rows are theirs
            await way.grant.get()  # a refresh belongs before the deadline, not into it
            return Turn.ON
        case next_step.SearchBeforeSend(part, since):
            return await search.search_first(way, part, since)
        case next_step.UploadMedia():
            await way.ask_for_media(_LOOK_FOR_MEDIA, "its files are being brought to X")
            return Turn.BEHIND
        case next_step.AwaitDeadline(left):
            async with way.runtime.database.for_tenant(way.tenant_id) as transaction:
                await jobs.defer_publish(
                    transaction, way.tenant_id, way.account.id, way.journal.post.id,
                    environment=way.account.environment, wall_delay=left,
                )  # fmt: skip
            return Turn.BEHIND
        case next_step.ExpireAttempt(part):
            await send.give_up_waiting(way, part)
            return Turn.ON
        case next_step.ReadTimeline(part, counts):
            return await search.ask_timeline(way, part, counts=counts)
        case next_step.DeferUntil(instant, why, excused, late):
            await way.rest(instant - now, why, excused=excused, counts_as_late=late)
            return Turn.BEHIND
        case next_step.RequestDecision(part, why):
            await way.ask_person(part, why)
            return Turn.ON
        case next_step.Finish(state, why):
            await way.settle(state, why)
            return Turn.ON
        case _:
            assert_never(step)
