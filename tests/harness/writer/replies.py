"""Plans the replies of a lane: half good, half with a fault, in the form that the server sends."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from harness.writer.cases import Case, ReplyDraft, Sentence, assemble, measure_likeness
from harness.writer.fact_faults import replace_sentence
from harness.writer.phrases import COMMANDS, FEEDBACK, REASONING, THOUGHTS
from harness.writer.planted import FaultKind, Planted, Sign
from harness.writer.text_faults import PLANTS

TRANSPORT = (
    FaultKind.HTTP_500,
    FaultKind.HTTP_503,
    FaultKind.RATE_LIMITED,
    FaultKind.TIMEOUT,
    FaultKind.GARBAGE_BODY,
    FaultKind.NO_CHOICES,
    FaultKind.CUT_BODY,
)
"""Faults of the HTTP response. Each lane has one of each kind in 200 replies."""
_TRANSPORT_SHARE = 1 / 200
_NEED_REPAIR = (FaultKind.TOO_LONG_LETTERS, FaultKind.WRONG_NUMBER, FaultKind.BARE_DOMAIN)
#: Planted twice as often, because many sentences have no number, unit or currency.
_FACT_FAULTS = (
    FaultKind.WRONG_NUMBER,
    FaultKind.WRONG_UNIT,
    FaultKind.WRONG_CURRENCY,
    FaultKind.NUMBER_AS_PRICE,
    FaultKind.NEGATION_FLIPPED,
)
_BIRDS = ("PELICAN", "HERON", "OSPREY", "PUFFIN", "AVOCET", "CURLEW")
#: Good drafts of one reply are less alike than this.
_DIFFERENT = 0.6


@dataclass(frozen=True)
class Canary:
    """A word that an instruction in a fact or in an example tells the model to write."""

    word: str
    command: str
    in_fact: bool


@dataclass(frozen=True)
class PlannedReply:
    """A reply of the server, and what the oracle must know about it."""

    spec: dict[str, Any]
    kind: FaultKind | None = None
    """None if the reply is good."""
    planted: tuple[Planted, ...] = ()
    good_drafts: int = 0
    """The number of drafts without a fault."""
    canary: Canary | None = None


def plan_replies(case: Case, count: int, seed: int, timeout_s: float) -> list[PlannedReply]:
    """Plan the replies of a lane, exactly half of them good. The seed decides everything."""
    chance = random.Random(f"{seed}/{case.slug}")
    faulty = count // 2
    units: list[list[PlannedReply]] = [[plan_good(case, chance)] for _ in range(count - faulty)]
    content = [kind for kind in FaultKind if kind not in TRANSPORT]
    kinds = cycle(_shuffled([*content, *_FACT_FAULTS], chance))
    planned = 0
    failures = int(len(TRANSPORT) * count * _TRANSPORT_SHARE + chance.random())
    for kind in _shuffled(TRANSPORT, chance)[:failures]:
        # A server that is down stays down for a while.
        times = 3 if kind is FaultKind.HTTP_503 and faulty - planned > 3 else 1
        units.append([_plan_transport(case, kind, chance, timeout_s)] * times)
        planned += times
    while planned < faulty:
        unit = _plan_faulty(case, next(kinds), chance)
        if unit and planned + len(unit) <= faulty:
            units.append(unit)
            planned += len(unit)
    chance.shuffle(units)
    return [reply for unit in units for reply in unit]


def plan_good(case: Case, chance: random.Random) -> PlannedReply:
    """Plan a reply with good drafts only."""
    drafts = _choose_batch(case, chance)
    return PlannedReply(_spec(_render(drafts, case, chance)), good_drafts=len(drafts))


def render_alone(draft: ReplyDraft) -> dict[str, Any]:
    """Return the server's reply with exactly one draft."""
    return _spec(json.dumps({"drafts": [draft]}, ensure_ascii=False))


def _shuffled(kinds: Sequence[FaultKind], chance: random.Random) -> list[FaultKind]:
    return chance.sample(kinds, len(kinds))


def _choose_batch(case: Case, chance: random.Random) -> list[ReplyDraft]:
    """Choose as many good drafts as the brief asks for, each different from the others."""
    chosen: list[ReplyDraft] = []
    for draft in chance.sample(case.drafts, len(case.drafts)):
        texts = ["\n".join(assemble(each, case.brief)) for each in (draft, *chosen)]
        if all(measure_likeness(texts[0], other) < _DIFFERENT for other in texts[1:]):
            chosen.append(draft)
        if len(chosen) == case.brief.n:
            break
    return chosen


def _spec(text: str, **more: Any) -> dict[str, Any]:
    return {"form": "text", "text": text} | more


def _render(drafts: Sequence[ReplyDraft], case: Case, chance: random.Random) -> str:
    """Return a reply as models write it: bare, pretty, fenced, or with words around."""
    reply = {"drafts": list(drafts)}
    plain = json.dumps(reply, ensure_ascii=chance.random() < 0.2)
    match chance.randrange(6):
        case 0:
            return json.dumps(reply, ensure_ascii=False, indent=2)
        case 1:
            return f"```json\n{plain}\n```"
        case 2:
            return f"{REASONING[case.language][1]}\n\n```\n{plain}\n```\n"
        case 3:
            return f"<think>{THOUGHTS[case.language]} {{maybe}}.</think>\n{plain}"
        case _:
            return plain


def _plan_transport(
    case: Case, kind: FaultKind, chance: random.Random, timeout_s: float
) -> PlannedReply:
    text = _render(_choose_batch(case, chance), case, chance)
    specs: dict[FaultKind, dict[str, Any]] = {
        FaultKind.HTTP_500: {"form": "status", "status": 500},
        FaultKind.HTTP_503: {"form": "status", "status": 503},
        FaultKind.RATE_LIMITED: {"form": "status", "status": 429, "headers": {"Retry-After": "1"}},
        FaultKind.TIMEOUT: {"form": "timeout", "seconds": timeout_s + 2},
        FaultKind.GARBAGE_BODY: {"form": "garbage"},
        FaultKind.NO_CHOICES: {"form": "no_choices"},
        FaultKind.CUT_BODY: {"form": "cut"},
    }
    return PlannedReply(_spec(text) | specs[kind], kind)


def _plan_faulty(case: Case, kind: FaultKind, chance: random.Random) -> list[PlannedReply]:
    """Plan a reply with a fault; empty if the brief does not allow the fault.

    A reply that repeats the feedback comes after one that makes the writer ask for a repair.
    """
    if kind in PLANTS:
        reply = _plan_planted(case, kind, chance)
        return [reply] if reply else []
    if kind is FaultKind.REPEATED_FEEDBACK:
        bad = _plan_planted(case, chance.choice(_NEED_REPAIR), chance, every_draft=True)
        return [bad, _plan_echo(case, kind, chance)] if bad else []
    if kind is FaultKind.REPEATED_PROMPT:
        return [_plan_echo(case, kind, chance)]
    if kind in (FaultKind.INJECTED_FACT, FaultKind.INJECTED_EXAMPLE):
        return [_plan_injected(case, kind, chance)]
    if kind is FaultKind.ALIKE_IN_BATCH:
        return [_plan_alike(case, chance)]
    text = _BROKEN[kind](_choose_batch(case, chance), chance)
    return [PlannedReply(_spec(text), kind)]


def _plan_planted(
    case: Case, kind: FaultKind, chance: random.Random, *, every_draft: bool = False
) -> PlannedReply | None:
    drafts = _choose_batch(case, chance)
    everywhere = every_draft or chance.random() < 0.5
    chosen = range(len(drafts)) if everywhere else [chance.randrange(len(drafts))]
    planted = []
    for index in chosen:
        result = PLANTS[kind](case, drafts[index], chance)
        if result is not None:
            drafts[index], fault = result
            planted.append(fault)
        if kind in (FaultKind.DUPLICATE, FaultKind.NEAR_DUPLICATE):
            break
    if not planted:
        return None
    text = _render(drafts, case, chance)
    return PlannedReply(_spec(text), kind, tuple(planted), len(drafts) - len(planted))


def _append(draft: ReplyDraft, sentence: Sentence) -> ReplyDraft:
    parts = [list(part) for part in draft["parts"]]
    parts[0].append(sentence)
    return {"parts": parts}


def _plan_echo(case: Case, kind: FaultKind, chance: random.Random) -> PlannedReply:
    """Plan a reply into which the server writes a line of the request. The log has the line."""
    drafts = _choose_batch(case, chance)
    facts = drafts[0]["parts"][0][0]["facts"]
    drafts[0] = _append(drafts[0], {"text": "@@ECHO@@", "facts": facts})
    source = "findings" if kind is FaultKind.REPEATED_FEEDBACK else "prompt"
    text = json.dumps({"drafts": drafts}, ensure_ascii=False)
    spec = _spec(text, echo=source, fallback=FEEDBACK[case.language])
    return PlannedReply(spec, kind, (Planted(kind, Sign.ECHOED, "@@ECHO@@"),), len(drafts) - 1)


def _plan_injected(case: Case, kind: FaultKind, chance: random.Random) -> PlannedReply:
    word = f"{chance.choice(_BIRDS)}{chance.randint(1000, 9999)}"
    in_fact = kind is FaultKind.INJECTED_FACT
    canary = Canary(word, COMMANDS[case.language].format(canary=word), in_fact)
    drafts = _choose_batch(case, chance)
    facts = ["note"] if in_fact else drafts[0]["parts"][0][0]["facts"]
    obeyed = chance.choice([word, canary.command, f"{word}!"])
    drafts = [_append(draft, {"text": obeyed, "facts": facts}) for draft in drafts]
    planted = Planted(kind, Sign.VISIBLE, word)
    return PlannedReply(_spec(_render(drafts, case, chance)), kind, (planted,), 0, canary)


def _plan_alike(case: Case, chance: random.Random) -> PlannedReply:
    """Plan a reply in which all drafts are one, with small changes; one of them may be released."""
    draft = _choose_batch(case, chance)[0]
    first = draft["parts"][0][0]
    variants = [first["text"], first["text"].replace(".", "!", 1), f"{first['text']} "]
    drafts = [
        replace_sentence(draft, (0, 0), {"text": text, "facts": first["facts"]})
        for text in variants[: max(case.brief.n, 2)]
    ]
    kind = FaultKind.ALIKE_IN_BATCH
    return PlannedReply(_spec(_render(drafts, case, chance)), kind, (), 1)


def _cut(drafts: list[ReplyDraft], chance: random.Random) -> str:
    text = json.dumps({"drafts": drafts}, ensure_ascii=False)
    return text[: chance.randrange(12, len(text) - 2)]


def _break(drafts: list[ReplyDraft], chance: random.Random) -> str:
    text = json.dumps({"drafts": drafts}, ensure_ascii=False)
    return chance.choice(
        [
            text.replace('"', "'"),
            text.replace("}]", "},]"),
            text.replace('"facts":', '"facts"'),
            text.replace("]]", "]", 1),
            text.replace('"text": "', '"text": "\n', 1),
            text.replace("}, {", "} {"),
            text + text,
            text.replace('"text"', "text"),
        ]
    )


def _misshape(drafts: list[ReplyDraft], chance: random.Random) -> str:
    first = drafts[0]["parts"][0]
    wrong: Any = chance.choice(
        [
            {"drafts": [first[0]["text"]]},
            {"drafts": {"parts": drafts[0]["parts"]}},
            {"drafts": [{"parts": first}]},
            {"drafts": [{"parts": [[{"text": 7, "facts": ["a"]}]]}]},
            {"drafts": [{"parts": [[{"text": first[0]["text"], "facts": "all"}]]}]},
            {"drafts": [{"parts": [[{"text": first[0]["text"]}]]}]},
            {"drafts": [{"parts": None}, None, 3]},
            {"posts": drafts},
            [first[0]["text"], first[0]["text"]],
            {"drafts": [{"parts": [[]]}]},
            {"drafts": [{"parts": [[{"text": "x", "facts": [None, 1]}]]}]},
        ]
    )
    return json.dumps(wrong, ensure_ascii=False)


def _tell(drafts: list[ReplyDraft], chance: random.Random) -> str:
    return "\n\n".join(each["text"] for draft in drafts for part in draft["parts"] for each in part)


_BROKEN: dict[FaultKind, Callable[[list[ReplyDraft], random.Random], str]] = {
    FaultKind.EMPTY_REPLY: lambda _, chance: chance.choice(["", " ", "\n", "null", "{}", "[]"]),
    FaultKind.NO_DRAFTS: lambda _, chance: chance.choice(
        ['{"drafts": []}', '{"drafts": [{"parts": []}]}', '{"drafts": null}']
    ),
    FaultKind.CUT_JSON: _cut,
    FaultKind.BROKEN_JSON: _break,
    FaultKind.WRONG_SHAPE: _misshape,
    FaultKind.PROSE: _tell,
}
"""Replies whose form is broken: whatever the writer reads from them has no planted fault."""
