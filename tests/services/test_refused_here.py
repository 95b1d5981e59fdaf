"""A part that the X client refuses fails as one that X refuses, without a retry."""

from fix_publishing import Desk, reason_of
from roost import store
from roost.models import PartState, PostState

_SET_PLAN = "UPDATE integrations SET subscription_type = %(plan)s"


async def set_subscription(desk: Desk, plan: str | None) -> None:
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await transaction.raw.execute(_SET_PLAN, {"plan": plan})


async def test_long_post_fails_without_a_request__premium_lost(
    desk: Desk,
) -> None:
    await set_subscription(desk, "Premium")
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        account = await store.integrations.get(transaction, desk.account.id)
    post_id = await desk.plan("x" * 281, after_s=60, account=account)
    await set_subscription(desk, None)
    await desk.work_through()
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].state) == (PostState.FAILED, PartState.FAILED)
    assert "text_too_long" in reason_of(post)
    assert await desk.requests("create_post") == []
