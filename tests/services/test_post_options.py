"""Replies, quotes, polls and reply settings: published once, and matched on X's timeline."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from fix_publishing import Publisher, code_of, reason_of
from fix_runtime import ACTOR
from roost import store
from roost.errors import PostRefused
from roost.models import (
    NO_OPTIONS,
    PartOptions,
    PartState,
    Poll,
    Post,
    PostId,
    PostState,
    Reason,
    ReasonCode,
    ReplySettings,
    TweetId,
)
from roost.services import dispatch, resolve, resume
from roost.services.schedule import PartInput, edit_post, schedule_post
from roost.store.statements import json_of

TEXT = "Low tide at six"
POLL = Poll(("Tea", "Salt & <vinegar>"), timedelta(hours=6))


@dataclass(frozen=True)
class Talk:
    """An account that may quote, and two posts of another account that mention it."""

    publisher: Publisher
    asked: TweetId
    other: TweetId

    def options(self, kind: str) -> PartOptions:
        """Return the options of a post of this kind."""
        return {
            "plain": NO_OPTIONS,
            "reply": PartOptions(reply_to=self.asked),
            "quote": PartOptions(quote_of=self.asked),
            "poll": PartOptions(poll=POLL),
            "who may reply": PartOptions(reply_settings=ReplySettings.MENTIONED_USERS),
        }[kind]

    async def schedule(self, *parts: PartInput, after_s: float = 0) -> PostId:
        """Schedule a post of these parts, due after `after_s` seconds."""
        publisher = self.publisher
        due_at = publisher.runtime.clock.now() + timedelta(seconds=after_s)
        post = await schedule_post(
            publisher.runtime, publisher.scope, publisher.account, parts, due_at=due_at
        )
        return post.id

    async def publish(self, *parts: PartInput) -> Post:
        """Schedule a post, and run the worker until the post is finished."""
        post_id = await self.schedule(*parts)
        await self.publisher.run_to_completion()
        return await self.publisher.get_post(post_id)

    async def ours(self) -> list[dict[str, Any]]:
        """Return the account's posts on X, in order, without deleted posts."""
        user = self.publisher.account.x_user_id
        return [
            post
            for post in (await self.publisher.emulator.ground_truth(only="posts"))["posts"]
            if post["user"] == user and post["deleted_at"] is None
        ]

    async def create(self, **body: Any) -> TweetId:
        """Create a post of the account with the app's token, but without Roost."""
        token = (await self.publisher.emulator.connect("larkbooks"))["access_token"]
        async with self.publisher.emulator.http.post(
            f"{self.publisher.emulator.url}/2/tweets",
            json=body,
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 201, await answer.text()
            return TweetId((await answer.json())["data"]["id"])


@pytest.fixture
async def talk(publisher: Publisher) -> Talk:
    """Two posts that mention @larkbooks, and an X app whose plan allows quotes."""
    await publisher.emulator.switch(tier="enterprise", refuse_duplicates=False)
    asked = await publisher.emulator.act("post", username="tidewatcher", text="When, @larkbooks?")
    other = await publisher.emulator.act(
        "post", username="tidewatcher", text="And then, @larkbooks?"
    )
    publisher = publisher.with_settings(x_tier="enterprise")
    return Talk(publisher, TweetId(asked["id"]), TweetId(other["id"]))


KINDS = ["plain", "reply", "quote", "poll", "who may reply"]
#: On a timeline, posts of these kinds can be distinguished even if their texts are equal.
DISTINGUISHABLE = ["plain", "reply", "quote", "poll"]


def is_as_planned(made: dict[str, Any], options: PartOptions) -> bool:
    """Whether the post on X has exactly the scheduled text and options."""
    poll = options.poll
    return made["text"] == TEXT and (
        made["reply_to"], made["quote_of"], made["poll"], made["reply_settings"],
    ) == (
        options.reply_to,
        options.quote_of,
        [*poll.options, int(poll.duration.total_seconds() // 60)] if poll else None,
        options.reply_settings or "everyone",
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_post_of_each_kind_is_published_as_scheduled(talk: Talk, kind: str) -> None:
    options = talk.options(kind)
    post = await talk.publish(PartInput(TEXT, (), options))
    assert (post.state, post.parts[0].options) == (PostState.PUBLISHED, options)
    [made] = await talk.ours()
    assert is_as_planned(made, options)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", KINDS)
async def test_post_of_each_kind_is_published_once__response_lost(
    talk: Talk, kind: str, when: str
) -> None:
    """If the post is on X, it is adopted; if it is not on X, it is sent again."""
    options = talk.options(kind)
    await talk.publisher.emulator.fail("create_post", when, "drop")
    post = await talk.publish(PartInput(TEXT, (), options))
    assert post.state is PostState.PUBLISHED
    [made] = await talk.ours()
    assert post.parts[0].sent_as == made["id"]
    assert is_as_planned(made, options)
    tries = await talk.publisher.list_statuses("create_post")
    assert len(tries) == (1 if when == "after" else 2)


async def decoy(talk: Talk, kind: str, *, of: str) -> None:
    """Create a post on X that has the same text as Roost's post, but differs from it.

    The created post is of the kind `kind`, and Roost's post of the kind `of`. If both kinds are
    equal, the created post has another parent, quote or poll.
    """
    body: dict[str, Any] = {"text": TEXT}
    tweet_id = talk.other if kind == of else talk.asked
    if kind == "reply":
        body["reply"] = {"in_reply_to_tweet_id": tweet_id}
    if kind == "quote":
        body["quote_tweet_id"] = tweet_id
    if kind == "poll":
        options = ["Tea", "Coffee"] if kind == of else list(POLL.options)
        body["poll"] = {"options": options, "duration_minutes": 360}
    await talk.create(**body)


@pytest.mark.parametrize(
    ("kind", "stranger"),
    [
        pair
        for pair in product(DISTINGUISHABLE, DISTINGUISHABLE)
        # These pairs cannot be distinguished: X also makes a plain text with a link a quote.
        if pair not in {("plain", "plain"), ("plain", "quote")}
    ],
)
async def test_post_with_the_same_text_is_not_adopted(talk: Talk, kind: str, stranger: str) -> None:
    """X lost the create; a post on X differs from Roost's post only in parent, quote or poll."""
    await talk.publisher.emulator.fail("create_post", "before", "drop", times=1)
    options = talk.options(kind)
    post_id = await talk.schedule(PartInput(TEXT, (), options), after_s=1)
    await talk.publisher.emulator.jump(seconds=1)
    await talk.publisher.run_due_jobs()
    await decoy(talk, stranger, of=kind)
    await talk.publisher.run_to_completion()
    post = await talk.publisher.get_post(post_id)
    assert post.state is PostState.PUBLISHED
    there = {made["id"]: made for made in await talk.ours()}
    assert len(there) == 2
    assert is_as_planned(there[post.parts[0].sent_as or ""], options)


@pytest.mark.parametrize("kind", ["reply", "quote"])
@pytest.mark.parametrize("is_lost", [True, False], ids=["attempt lost", "attempt forgotten"])
async def test_post_is_adopted__x_added_to_its_text(talk: Talk, kind: str, is_lost: bool) -> None:
    await talk.publisher.emulator.switch(
        tier="enterprise", refuse_duplicates=False, add_reply_mention=True, add_quote_link=True
    )
    options = talk.options(kind)
    post_id = await talk.schedule(PartInput(TEXT, (), options), PartInput("Bring boots"))
    if is_lost:
        await talk.publisher.emulator.fail("create_post", "after", "drop")
    else:
        first = await create_same(talk, options)
        await forget(talk.publisher)
        assert [
            one.tweet_id
            for one in (await resume.resume_everything(talk.publisher.runtime, ACTOR)).adopted
        ] == [first]
        await dispatch.dispatch_stranded(talk.publisher.runtime)
    await talk.publisher.run_to_completion()
    assert (await talk.publisher.get_post(post_id)).state is PostState.PUBLISHED
    made = await talk.ours()
    assert [post["text"] for post in made] == [TEXT, "Bring boots"]
    assert made[1]["reply_to"] == made[0]["id"]


async def create_same(talk: Talk, options: PartOptions) -> TweetId:
    """Create a post on X, as if Roost had sent it before the database was restored."""
    body: dict[str, Any] = {"text": TEXT}
    if options.reply_to:
        body["reply"] = {"in_reply_to_tweet_id": options.reply_to}
    if options.quote_of:
        body["quote_tweet_id"] = options.quote_of
    if options.poll:
        body["poll"] = {"options": list(options.poll.options), "duration_minutes": 360}
    return await talk.create(**body)


async def forget(publisher: Publisher) -> None:
    """Pause everything as if the database had been restored to its state a minute ago."""
    now = publisher.runtime.clock.now()
    async with publisher.runtime.database.unscoped() as transaction:
        await transaction.run(
            "pause_after_restore", reason=json_of(Reason(ReasonCode.RESTORED)),
            restored_to=now - timedelta(minutes=1), copied=False,
            at=now, actor=str(ACTOR),
        )  # fmt: skip


@pytest.mark.parametrize("kind", DISTINGUISHABLE)
async def test_resume_after_restore_finds_each_kind_on_x(talk: Talk, kind: str) -> None:
    options = talk.options(kind)
    post_id = await talk.schedule(PartInput(TEXT, (), options))
    for stranger in ("reply", "quote", "poll"):
        if not (kind == "plain" and stranger == "quote"):
            await decoy(talk, stranger, of=kind)
    made = await create_same(talk, options)
    await forget(talk.publisher)
    assert [
        one.tweet_id
        for one in (await resume.resume_everything(talk.publisher.runtime, ACTOR)).adopted
    ] == [made]
    post = await talk.publisher.get_post(post_id)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHED, made)


# Tests of posts that X refuses.


async def test_reply_to_a_deleted_post_fails_with_a_reason(talk: Talk) -> None:
    await talk.publisher.emulator.jump(hours=1)
    post_id = await talk.schedule(PartInput("Six", (), PartOptions(reply_to=talk.asked)))
    await talk.publisher.emulator.act("delete", post=talk.asked)
    await talk.publisher.run_to_completion()
    post = await talk.publisher.get_post(post_id)
    assert (post.state, reason_of(post)) == (
        PostState.FAILED,
        f"the post that it replies to ({talk.asked}) is no longer on X, or is hidden"
        " from this account (parent_gone)",
    )
    assert len(await talk.publisher.list_statuses("create_post")) == 1


async def test_reply_waits_for_a_new_parent(talk: Talk) -> None:
    await talk.publisher.emulator.switch(min_parent_age_seconds=12, refuse_duplicates=False)
    fresh = await talk.publisher.emulator.act(
        "post", username="tidewatcher", text="Now, @larkbooks?"
    )
    post = await talk.publish(PartInput("Six", (), PartOptions(reply_to=TweetId(fresh["id"]))))
    assert post.state is PostState.PUBLISHED


@pytest.mark.parametrize("case", ["no summons", "other words", "replies limited", "quote", "gone"])
async def test_reply_or_quote_that_x_forbids_fails_at_once(talk: Talk, case: str) -> None:
    emulator = talk.publisher.emulator
    there = await emulator.act("post", username="tidewatcher", text="No one in particular")
    options = PartOptions(reply_to=TweetId(there["id"]))
    if case == "replies limited":
        token = (await emulator.connect("tidewatcher"))["access_token"]
        async with emulator.http.post(
            f"{emulator.url}/2/tweets",
            json={"text": "Mine alone", "reply_settings": "mentionedUsers"},
            headers={"authorization": f"Bearer {token}"},
        ) as answer:
            options = PartOptions(reply_to=TweetId((await answer.json())["data"]["id"]))
    else:
        words = "sentence" if case == "other words" else "problem"
        await emulator.switch(tier="self-serve", summons_error=words)
    code = "reply_not_allowed"
    if case in ("quote", "gone"):
        options = PartOptions(quote_of=TweetId(there["id"]))
    if case == "gone":
        await emulator.switch(tier="enterprise")
        await emulator.act("delete", post=there["id"])
        code = "not_found_on_x"
    post = await talk.publish(PartInput("Six", (), options))
    assert post.state is PostState.FAILED
    assert (code_of(post), reason_of(post)[:2]) == (code, "X ")
    assert len(await talk.publisher.list_statuses("create_post")) == (
        2 if case == "replies limited" else 1
    )


async def test_schedule_post_validates_options(publisher: Publisher) -> None:
    options = PartOptions(quote_of=TweetId("77"), poll=Poll(("A",), POLL.duration))
    part = PartInput(TEXT, (), options)
    with pytest.raises(PostRefused) as caught:
        await schedule_post(
            publisher.runtime, publisher.scope, publisher.account, [part], due_at=None
        )
    found = {one["code"] for one in caught.value.facts["violations"]}
    assert found == {"post_overloaded", "quote_not_allowed", "poll_options"}
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        assert await store.posts.list_all(transaction) == []


async def test_schedule_post_refuses_a_reply_to_our_deleted_post(publisher: Publisher) -> None:
    await publisher.schedule("Said before")
    first = await publisher.schedule("One", "Said before", after_s=1)
    await publisher.run_to_completion()
    sent_as = (await publisher.get_post(first)).parts[0].sent_as
    assert sent_as is not None
    await resolve.delete_sent(publisher.runtime, publisher.scope, first)
    part = PartInput("Three", (), PartOptions(reply_to=sent_as))
    with pytest.raises(PostRefused) as caught:
        await schedule_post(
            publisher.runtime, publisher.scope, publisher.account, [part], due_at=None
        )
    assert caught.value.code == "parent_gone"


# Tests of edits and of prices.


async def test_edit_keeps_and_changes_options(talk: Talk) -> None:
    publisher = talk.publisher
    post_id = await talk.schedule(PartInput(TEXT, (), talk.options("poll")), after_s=600)
    later = publisher.runtime.clock.now() + timedelta(hours=1)
    moved = await edit_post(publisher.runtime, publisher.scope, post_id, parts=None, due_at=later)
    assert moved.parts[0].options == talk.options("poll")
    part = PartInput(TEXT, (), talk.options("reply"))
    changed = await edit_post(
        publisher.runtime, publisher.scope, post_id, parts=[part], due_at=None
    )
    assert changed.parts[0].options == talk.options("reply")
    await publisher.run_to_completion()
    [made] = await talk.ours()
    assert is_as_planned(made, talk.options("reply"))


async def test_edited_failed_reply_stays_a_reply(talk: Talk) -> None:
    publisher = talk.publisher
    await publisher.emulator.switch(tier="self-serve")
    there = await publisher.emulator.act(
        "post", username="tidewatcher", text="No one in particular"
    )
    options = PartOptions(reply_to=TweetId(there["id"]))
    post_id = await talk.schedule(PartInput(TEXT, (), options))
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).parts[0].state is PartState.FAILED
    await publisher.emulator.switch(tier="enterprise")
    later = publisher.runtime.clock.now() + timedelta(hours=1)
    await edit_post(publisher.runtime, publisher.scope, post_id, parts=None, due_at=later)
    await publisher.run_to_completion()
    [made] = await talk.ours()
    assert is_as_planned(made, options)


@pytest.mark.parametrize("to_own", [True, False])
@pytest.mark.parametrize("when", ["answered", "found", "said"])
async def test_ledger_equals_the_bill_of_x__reply(talk: Talk, to_own: bool, when: str) -> None:
    """The price is recorded once, whether X's response, a timeline or a user gives the id."""
    publisher = talk.publisher
    own = await talk.publish(PartInput("Ours"))
    parent = own.parts[0].sent_as if to_own else talk.asked
    if when == "found":
        await publisher.emulator.fail("create_post", "after", "drop")
    if when == "said":
        await create_same(talk, PartOptions(reply_to=parent))
        await publisher.emulator.fail("create_post", "after", "drop")
    booked = await billed(publisher)
    post = await talk.publish(PartInput(TEXT, (), PartOptions(reply_to=parent)))
    if when == "said":
        assert post.state is PostState.NEEDS_DECISION
        made = (await talk.ours())[-1]
        there = f"https://x.com/larkbooks/status/{made['id']}"
        await resolve.confirm_sent(publisher.runtime, publisher.scope, post.id, there)
        post = await publisher.get_post(post.id)
    assert post.state is PostState.PUBLISHED
    assert round(await billed(publisher) - booked, 3) == (0.015 if to_own else 0.010)


async def billed(publisher: Publisher) -> float:
    """Return the dollars for creates in the ledger."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT coalesce(sum(usd), 0) FROM ledger WHERE operation = 'create_post'"
        )
        row = await rows.fetchone()
    assert row is not None
    return float(row[0])
