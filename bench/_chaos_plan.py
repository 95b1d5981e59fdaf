"""What is posted and what befalls whom: a calendar, blows and faults, drawn from the seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

_WORDS = (
    "the shop opens early", "fresh bread & rolls at seven", "2 < 3, says the baker's cat",
    "read more: https://example.com/news?week=48&from=x", "thank you, Bärbel ☕", "back at noon",
    "rain until four,\nthen sun", "see example.org/menu", "we're hiring 👩🏽\u200d🍳",
    "low tide at six",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """One post of the calendar."""

    account: int
    texts: tuple[str, ...]
    after: timedelta
    """When it is due, in domain time from the start."""
    image: int | None
    """The number of its image, which no other post has but its twin."""
    has_twin: bool = False
    by_hand: bool = False
    """A hand deletes one of its parts on X as soon as it sees it."""
    by_second_tenant: bool = False
    """Another tenant plans it, for its own connection of the same X account."""


def count_shared(accounts: int) -> int:
    """How many accounts, from number 0 on, two tenants have connected."""
    return max(1, accounts // 20)


def draw_calendar(seed: int, posts: int, accounts: int, span: timedelta) -> list[Draft]:
    """A third threads, a third with an image, 1 % twins of another, 1 % for the hand.

    Half the posts of a shared account are the second tenant's; a quarter of the twins, at least
    two pairs of them, have one post of each tenant.
    """
    chance = random.Random(f"calendar {seed}")
    drafts = [_draw(chance, number, accounts, span) for number in range(posts)]
    some = max(2, posts // 100)
    chosen = chance.sample(range(posts), 3 * some)
    for number in chosen[:some]:
        drafts[number] = replace(drafts[number], by_hand=True)
    twins = list(zip(chosen[some : 2 * some], chosen[2 * some :], strict=True))
    for number, other in twins:
        # A twin is due within a minute of its other, on the same account, word for word.
        twin = drafts[number]
        near = twin.after + timedelta(seconds=chance.uniform(0, 60))
        drafts[number] = replace(twin, has_twin=True)
        drafts[other] = Draft(twin.account, twin.texts, near, twin.image, has_twin=True)
    return _share(seed, drafts, twins, accounts)


def _share(
    seed: int, drafts: list[Draft], twins: Sequence[tuple[int, int]], accounts: int
) -> list[Draft]:
    """Give the second tenant its posts, and each tenant one of some twins."""
    chance = random.Random(f"tenants {seed}")
    shared = count_shared(accounts)
    drafts = [
        replace(draft, by_second_tenant=draft.account < shared and chance.random() < 0.5)
        for draft in drafts
    ]
    for number, other in twins[: max(2, len(twins) // 4)]:
        account = chance.randrange(shared)
        for each, is_second in ((number, False), (other, True)):
            drafts[each] = replace(drafts[each], account=account, by_second_tenant=is_second)
    return drafts


def _draw(chance: random.Random, number: int, accounts: int, span: timedelta) -> Draft:
    parts = chance.choice((2, 3)) if chance.random() < 1 / 3 else 1
    texts = tuple(f"{chance.choice(_WORDS)} · {number}.{part}" for part in range(1, parts + 1))
    image = number if chance.random() < 1 / 3 else None
    return Draft(chance.randrange(accounts), texts, span * chance.random(), image)


@dataclass(frozen=True, slots=True)
class Strike:
    """One blow to one of the workers."""

    pause_s: float
    """Wall seconds since the one before."""
    victim: int
    stopped_s: float | None
    """For how long it is stopped, in wall seconds; None: it is killed."""


def draw_strikes(
    seed: int, pace: tuple[float, float], stops_s: Sequence[float]
) -> Iterator[Strike]:
    """Blows without end, three of five kill: `pace` seconds apart, stopped for about `stops_s`."""
    chance = random.Random(f"strikes {seed}")
    while True:
        killed = chance.random() < 0.6
        stopped_s = chance.choice(stops_s) * chance.uniform(0.8, 1.2)
        yield Strike(chance.uniform(*pace), chance.randrange(1_000), None if killed else stopped_s)


def draw_faults(*, beyond_the_lag: bool, lag_s: float) -> list[dict[str, object]]:
    """What X does wrong, in 15 to 20 % of all requests; the emulator draws from its own seed.

    Reads are stale within the lag that Roost is set to; or, beyond it, some far longer.
    """
    faults: list[dict[str, object]] = []

    def add(operation: str, when: str, kind: str, probability: float, **more: object) -> None:
        faults.append(
            {
                "operation": operation, "when": when, "kind": kind,
                "probability": probability, "times": None, **more,
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
    add("read_timeline", "before", "stale", 0.3, seconds=lag_s)
    if beyond_the_lag:
        add("read_timeline", "before", "stale", 0.1, seconds=6 * lag_s)
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


def draw_skews(seed: int, skew: timedelta) -> Iterator[timedelta]:
    """How far the wall clocks of the workers are ahead, in domain time: one of two is right."""
    chance = random.Random(f"clocks {seed}")
    while True:
        wrong = [skew, -skew]
        chance.shuffle(wrong)
        for each in wrong:
            yield each
            yield timedelta(0)
