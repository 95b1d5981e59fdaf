"""Publishes what is due: exactly once, resumable by any worker at the step its rows tell.

`roost.promise` decides; here each decision is done, committed before and after every call to X.
"""

import logging
from typing import assert_never

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from roost import jobs, promise, store
from roost.errors import ReconnectNeeded, RoostError
from roost.house import House, from_outside
from roost.models import Integration, IntegrationId, PartState, PostId, PostState, TenantId
from roost.services.publish.points import Point
from roost.services.publish.send import (
    PAUSE_UNREACHABLE,
    ask_timeline,
    send_part,
    upload_media,
)
from roost.services.publish.way import Way
from roost.store.locks import SenderLocks
from roost.store.posts import LastAttempt

__all__ = ["Point", "publish_post"]

log = logging.getLogger(__name__)


async def publish_post(
    house: House,
    locks: SenderLocks,
    tenant_id: TenantId,
    integration_id: IntegrationId,
    post_id: PostId,
) -> None:
    """Bring the account of this post as far as it goes: its posts on their way, in due order.

    Where another worker holds the account, that one does it in our place. A post that has to wait
    is left behind and does not hold up later ones.
    """
    async with house.database.tenant(tenant_id) as transaction:
        integration = await store.accounts.get(transaction, integration_id)
    behind: set[PostId] = set()
    while True:
        async with locks.try_hold(integration.id) as held:
            if not held:
                return
            while (next_id := await _next(house, integration, behind)) is not None:
                behind.add(next_id)
                await _publish(house, locks, integration, next_id)
        # One that came while the lock was being given back was left to us: look again.
        if await _next(house, integration, behind) is None:
            return


async def _next(house: House, integration: Integration, besides: set[PostId]) -> PostId | None:
    async with house.database.tenant(integration.tenant_id) as transaction:
        return await store.posts.find_next_publishing(transaction, integration.id, besides)


async def _publish(
    house: House, locks: SenderLocks, integration: Integration, post_id: PostId
) -> None:
    go_on = True
    while go_on:
        async with house.database.tenant(integration.tenant_id) as transaction:
            post = await store.posts.get(transaction, post_id)
        if post.state is not PostState.PUBLISHING:
            log.info("post %s is %s", post.id, post.state)
            return
        way = Way(house, locks, integration, post)
        now = house.clock.now()
        if post.due_at is not None and post.due_at > now:
            await way.rest(post.due_at - now, "its time has not come by this worker's clock")
            return
        try:
            go_on = await _take_step(way)
        except ReconnectNeeded as error:
            await way.lose_account(error)
            return
        except RoostError as error:
            # X or a token that cannot be had, a setting that does not fit: what was sent is in
            # the rows, and nothing more is sent before somebody or time has changed something.
            log.warning("post %s waits: %s (%s)", post.id, error, error.code)
            await way.rest(PAUSE_UNREACHABLE, str(error))
            return
        except (OSError, psycopg.Error, SQLAlchemyError):
            raise
        except Exception as error:
            # A defect of ours must not hold up the account's other posts, nor pass unseen.
            # Its words stay out of the log: they may quote the post.
            log.error("post %s: %s", post.id, from_outside(error).message)
            await way.rest(PAUSE_UNREACHABLE, f"something unforeseen: {type(error).__name__}")
            return


async def _take_step(way: Way) -> bool:
    """Do the next step of the first part that is not sent; whether to go on at once."""
    part = next((part for part in way.post.parts if part.state is not PartState.SENT), None)
    if part is None or part.state is PartState.FAILED:
        await way.settle()
        return True
    async with way.house.database.tenant(way.tenant_id) as transaction:
        last = await store.posts.find_last_attempt(transaction, part.id)
        uploads = await store.posts.list_uploads(transaction, part.id)
    settings, now = way.house.settings, way.house.clock.now()
    step = promise.decide_step(
        part,
        _as_try(last),
        {upload.asset_id: upload.expires_at for upload in uploads},
        now=now,
        lags=promise.Lags(settings.read_lag, settings.resend_within),
    )
    match step:
        case promise.UploadMedia(asset):
            return await upload_media(way, part, asset)
        case promise.Send(again):
            without_parent = last.without_parent if last else 0
            return await send_part(way, part, uploads, again=again, without_parent=without_parent)
        case promise.WaitWall(left):
            async with way.house.database.tenant(way.tenant_id) as transaction:
                await jobs.defer_publish(
                    transaction,
                    way.tenant_id,
                    way.integration.id,
                    way.post.id,
                    wall_delay=left,
                )
            return False
        case promise.GiveUpWaiting():
            assert last is not None
            await way.unknown(part, last.attempt, "its worker ended before X's answer")
            return True
        case promise.ReadTimeline(counts):
            assert last is not None
            return await ask_timeline(way, part, last, uploads, counts=counts)
        case promise.WaitUntil(instant):
            await way.rest(instant - now, "X's timeline is read again then")
            return False
        case promise.AskPerson(why):
            await way.ask_person(part, why)
            return True
        case _:
            assert_never(step)


def _as_try(last: LastAttempt | None) -> promise.Try | None:
    if last is None:
        return None
    return promise.Try(
        last.unsettled_since, last.attempt.started_at, last.wall_left,
        last.empty_reads, last.empty_read_at, last.said_duplicate,
    )  # fmt: skip
