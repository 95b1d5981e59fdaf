"""If the X client refuses a part before it is sent, the part fails without a retry."""

from fix_publishing import Publisher, reason_of
from roost import store
from roost.models import PartState, PostState

_SET_PLAN = "UPDATE integrations SET subscription_type = %(plan)s"


async def set_subscription(publisher: Publisher, plan: str | None) -> None:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(_SET_PLAN, {"plan": plan})


async def test_long_post_fails_without_a_request__premium_lost(
    publisher: Publisher,
) -> None:
    await set_subscription(publisher, "Premium")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        account = await store.integrations.get(transaction, publisher.account.id)
    post_id = await publisher.schedule("x" * 281, after_s=60, account=account)
    await set_subscription(publisher, None)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].state) == (PostState.FAILED, PartState.FAILED)
    assert "text_too_long" in reason_of(post)
    assert await publisher.list_statuses("create_post") == []
