"""The random plan of a chaos run, which a seed determines: posts, interruptions, faults."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

_SENTENCES = (
    "the shop opens early", "fresh bread & rolls at seven", "2 < 3, says the baker's cat",
    "read more: https://example.com/news?week=48&from=x", "thank you, Bärbel ☕", "back at noon",
    "rain until four,\nthen sun", "see example.org/menu", "we're hiring 👩🏽\u200d🍳",
    "low tide at six",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CalendarPost:
    """A post to schedule in a chaos run: its account, texts and due time."""

    account: int
    texts: tuple[str, ...]
    after: timedelta
    """The due time of the post, in domain time from the start."""
    image: int | None
    """The number of the post's image. Only an identical post has the same image."""
    has_identical: bool = False
    """Whether another post of the calendar has the same texts."""
    deleted_manually: bool = False
    """Whether a person deletes a part of the post as soon as X shows the part."""
    for_second_tenant: bool = False
    """Whether the second tenant plans the post, for its connection of the same X account."""


def count_shared_accounts(accounts: int) -> int:
    """Return the number of accounts that both tenants connect. They are the first accounts."""
    return max(1, accounts // 20)


def draw_calendar(seed: int, posts: int, accounts: int, span: timedelta) -> list[CalendarPost]:
    """Draw the posts of a phase at random.

    A third of the posts are threads, and a third have an image. 1 % are deleted by a person. 2 %
    form pairs of posts with the same account and texts. The second tenant plans half of the posts
    of each shared account. In a quarter of the pairs, and in at least two pairs, each tenant plans
    one of the two posts.
    """
    chance = random.Random(f"calendar {seed}")
    calendar = [_draw_post(chance, number, accounts, span) for number in range(posts)]
    share = max(2, posts // 100)
    sample = chance.sample(range(posts), 3 * share)
    for number in sample[:share]:
        calendar[number] = replace(calendar[number], deleted_manually=True)
    pairs = list(zip(sample[share : 2 * share], sample[2 * share :], strict=True))
    for number, other in pairs:
        # The two posts of a pair are due within a minute, on the same account.
        post = replace(calendar[number], has_identical=True)
        calendar[number] = post
        after = post.after + timedelta(seconds=chance.uniform(0, 60))
        calendar[other] = replace(post, after=after)
    return _share(seed, calendar, pairs, accounts)


def _share(
    seed: int, calendar: list[CalendarPost], pairs: Sequence[tuple[int, int]], accounts: int
) -> list[CalendarPost]:
    """Decide which posts the second tenant plans.

    In some pairs of identical posts, each tenant plans one post.
    """
    chance = random.Random(f"tenants {seed}")
    shared = count_shared_accounts(accounts)
    calendar = [
        replace(post, for_second_tenant=post.account < shared and chance.random() < 0.5)
        for post in calendar
    ]
    for number, other in pairs[: max(2, len(pairs) // 4)]:
        account = chance.randrange(shared)
        for each, is_second in ((number, False), (other, True)):
            post = calendar[each]
            calendar[each] = replace(post, account=account, for_second_tenant=is_second)
    return calendar


def _draw_post(chance: random.Random, number: int, accounts: int, span: timedelta) -> CalendarPost:
    parts = chance.choice((2, 3)) if chance.random() < 1 / 3 else 1
    texts = tuple(f"{chance.choice(_SENTENCES)} · {number}.{part}" for part in range(1, parts + 1))
    image = number if chance.random() < 1 / 3 else None
    return CalendarPost(chance.randrange(accounts), texts, span * chance.random(), image)


@dataclass(frozen=True, slots=True)
class Interruption:
    """When and how one worker is interrupted: killed, or stopped for some time."""

    delay_s: float
    """The wall seconds since the previous interruption."""
    worker_number: int
    stopped_s: float | None
    """The wall seconds for which the worker is stopped. None if the worker is killed."""


def draw_interruptions(
    seed: int, interval_s: tuple[float, float], stop_durations_s: Sequence[float]
) -> Iterator[Interruption]:
    """Draw an endless series of interruptions. 60 % kill a worker, and the others stop it."""
    chance = random.Random(f"strikes {seed}")
    while True:
        is_killed = chance.random() < 0.6
        stopped_s = chance.choice(stop_durations_s) * chance.uniform(0.8, 1.2)
        yield Interruption(
            chance.uniform(*interval_s), chance.randrange(1_000), None if is_killed else stopped_s
        )


def draw_faults(*, beyond_lag: bool, timeline_lag_s: float) -> list[dict[str, object]]:
    """List the faults to inject. They affect 15 to 20 % of all requests to X.

    The emulator's seed selects the affected requests. Stale timelines are at most `timeline_lag_s`
    seconds old, which is the lag that Roost expects. With `beyond_lag`, some timelines are up to
    six times as old.
    """
    faults: list[dict[str, object]] = []

    def add(operation: str, when: str, kind: str, probability: float, **extra: object) -> None:
        faults.append(
            {
                "operation": operation, "when": when, "kind": kind,
                "probability": probability, "times": None, **extra,
            }
        )  # fmt: skip

    for operation in (
        *("create_post", "media_initialize", "media_append", "media_finalize", "media_metadata"),
    ):
        for kind, probability in (
            *(("drop", 0.02), ("500", 0.01), ("503", 0.02), ("504", 0.005), ("502text", 0.005)),
            *(("429", 0.01),),
        ):
            add(operation, "before", kind, probability)
        for kind, probability in (("drop", 0.05), ("cut", 0.02), ("503", 0.015)):
            add(operation, "after", kind, probability)
    add("read_timeline", "before", "stale", 0.3, seconds=timeline_lag_s)
    if beyond_lag:
        add("read_timeline", "before", "stale", 0.1, seconds=6 * timeline_lag_s)
    for when, kind, probability in (
        *(("before", "503", 0.04), ("before", "429", 0.02), ("before", "drop", 0.02)),
        *(("after", "drop", 0.04), ("after", "cut", 0.02)),
    ):
        add("read_timeline", when, kind, probability)
    for when, kind, probability in (
        *(("before", "503", 0.05), ("before", "drop", 0.02)),
        *(("after", "drop", 0.06), ("after", "cut", 0.02)),
    ):
        add("refresh", when, kind, probability)
    return faults


def draw_clock_skews(seed: int, skew: timedelta) -> Iterator[timedelta]:
    """Draw the error of each worker's clock in domain time. Every other clock is right."""
    chance = random.Random(f"clocks {seed}")
    while True:
        skews = [skew, -skew]
        chance.shuffle(skews)
        for each in skews:
            yield each
            yield timedelta(0)
