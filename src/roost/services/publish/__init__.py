"""Publishes what is due: exactly once, resumable by any worker at the step its rows tell.

`roost.promise` decides; here each decision is done, committed before and after every call to X.
"""

import contextlib
import logging
from datetime import datetime, timedelta
from typing import assert_never

from roost import jobs, promise, store, x
from roost.accounts import Grant
from roost.clock import describe_skew
from roost.errors import (
    DatabaseForgot,
    ReconnectNeeded,
    RoostError,
    VaultDamaged,
    VaultKeyMissing,
)
from roost.house import House, from_outside
from roost.journal import Attempt
from roost.models import AlertKind, IntegrationId, PostId, TenantId, XUserId
from roost.points import Point
from roost.services.publish import search, send
from roost.services.publish.media import prepare_post
from roost.services.publish.pauses import PAUSE_APP, growing
from roost.services.publish.rows import Turn, Way
from roost.settings import Settings
from roost.store.away import DATABASE_AWAY
from roost.store.journal import TakenUp
from roost.store.locks import SenderLocks
from roost.telemetry import reached
from roost.x.wire import boot_seconds

__all__ = ["prepare_post", "publish_post"]

log = logging.getLogger(__name__)

#: Domain time after which a post whose files are being brought to X looks for them again.
_LOOK_FOR_MEDIA = timedelta(minutes=1)


async def publish_post(
    house: House,
    locks: SenderLocks,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    """Bring the account of this post as far as it goes: its posts on their way, in due order.

    An account of another X is left to that X's workers. Where another worker holds the account,
    that one does it in our place. A post that has to wait is left behind and does not hold up later
    ones.
    """
    environment = house.settings.environment
    x_user_id = await locks.find_user(tenant_id, integration_id, environment)
    if x_user_id is not None:
        await locks.finish(_publish_account(house, locks, tenant_id, integration_id, x_user_id))


async def _publish_account(
    house: House,
    locks: SenderLocks,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    x_user_id: XUserId,
) -> None:
    behind: set[PostId] = set()
    is_left = True
    while is_left and locks.may_begin and await locks.take(x_user_id):
        try:
            account = _Account(house, locks, tenant_id, integration_id, behind)
            while locks.may_begin and await account.take_step():
                pass
        finally:
            # One that came while the lock was being given back was left to us: look again.
            is_left = await locks.give_back(x_user_id, integration_id, behind)


class _Account:
    """One account while this worker is its only sender; holds the grant that it has read."""

    def __init__(
        self,
        house: House,
        locks: SenderLocks,
        tenant_id: TenantId,
        integration_id: IntegrationId,
        behind: set[PostId],
    ) -> None:
        self._house = house
        self._locks = locks
        self._tenant_id = tenant_id
        self._integration_id = integration_id
        self._behind = behind
        """Posts that wait, and those whose rows another has moved: the sweep brings them back."""
        self._grant: Grant | None = None

    async def take_step(self) -> bool:
        """The next step of the account's next post; False where there is none."""
        # Before the commit of an attempt, from a clock that counts suspended time.
        deadline_at = boot_seconds() + self._house.settings.create_deadline.total_seconds()
        taken = await store.journal.find_next(
            self._house.database.alone, self._tenant_id, self._integration_id, self._behind
        )
        if taken is None:
            return False
        now = self._house.clock.now()
        if (why := self._clock_problem(now)) is not None:
            self._locks.close_gate(why)
            return False
        way = self._way(taken)
        step = promise.decide_step(
            way.journal,
            now=now,
            x_now=self._house.x_now(),
            database_now=taken.database_now if self._house.clock.is_wall_time else None,
            rules=_rules(self._house.settings),
            searched=self._locks.searched,
        )
        attempt = None
        if isinstance(step, promise.Send) and way.grant.is_fresh():
            reached(Point.CREATE_BEFORE_COMMIT)
            try:
                attempt = await send.begin(way, step.part, again=step.again)
            except DatabaseForgot as error:
                self._locks.close_gate(error.message)
                raise
        turn = await self._do(way, step, attempt, deadline_at)
        if turn is Turn.BEHIND:
            self._behind.add(way.journal.post.id)
        return turn is not Turn.OVER

    def _clock_problem(self, now: datetime) -> str | None:
        """Why `now` is wrong: the clock may have moved since the last heartbeat.

        Checked before every step, since a wrong clock would also store a wait until a wrong time.
        Where X's time is not known yet, the worker's own check has to come first.
        """
        if not self._house.clock.is_wall_time:
            return None
        return describe_skew(self._house.server_time.estimate(), now)

    def _way(self, taken: TakenUp) -> Way:
        if self._grant is None:
            tokens = None
            with contextlib.suppress(VaultKeyMissing, VaultDamaged):
                # Asked for a token, the grant says the same where it can be told.
                tokens = taken.grant.open(self._house.vault)
            self._grant = Grant(self._house, taken.journal.account, tokens)
        return Way(self._house, self._locks, self._grant, taken.journal, self._behind)

    async def _do(
        self, way: Way, step: promise.Step, attempt: Attempt | None, deadline_at: float
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
            is_ours = not isinstance(error, x.errors.XFailure)
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


def _rules(settings: Settings) -> promise.Rules:
    return promise.Rules(
        read_lag=settings.read_lag,
        resend_within=settings.resend_within,
        tolerance=settings.late_tolerance,
        publish_late=settings.roost_late_posts == "publish",
    )


async def _take(way: Way, step: promise.Step, attempt: Attempt | None, deadline_at: float) -> Turn:
    """Do one step."""
    now = way.house.clock.now()
    match step:
        case promise.Send(part, again):
            if attempt is not None:
                return await send.send_part(way, part, attempt, deadline_at, again=again)
            if way.grant.is_fresh():
                return Turn.BEHIND  # another worker has moved the part: the rows are theirs
            await way.grant.get()  # a refresh belongs before the deadline, not into it
            return Turn.ON
        case promise.SearchFirst(part, since):
            return await search.search_first(way, part, since)
        case promise.BringMedia():
            await way.ask_for_media(_LOOK_FOR_MEDIA, "its files are being brought to X")
            return Turn.BEHIND
        case promise.WaitWall(left):
            async with way.house.database.statements(way.tenant_id) as transaction:
                await jobs.defer_publish(
                    transaction, way.tenant_id, way.account.id, way.journal.post.id,
                    environment=way.account.environment, wall_delay=left,
                )  # fmt: skip
            return Turn.BEHIND
        case promise.GiveUpWaiting(part):
            await send.give_up_waiting(way, part)
            return Turn.ON
        case promise.ReadTimeline(part, counts):
            return await search.ask_timeline(way, part, counts=counts)
        case promise.WaitUntil(instant, why, excused, late):
            await way.rest(instant - now, why, excused=excused, counts_as_late=late)
            return Turn.BEHIND
        case promise.AskPerson(part, why):
            await way.ask_person(part, why)
            return Turn.ON
        case promise.Settle(state, why):
            await way.settle(state, why)
            return Turn.ON
        case _:
            assert_never(step)
