"""Counts what the runs of the writer's benchmark released, refused, called and spent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from harness.writer.cases import Case
from harness.writer.oracle import copies_example, count_alike, find_provenance_gaps, find_violations
from harness.writer.planted import Planted
from harness.writer.replies import PlannedReply
from roost.agents.brief import Brief
from roost.agents.model import ModelPrice
from roost.agents.written import RefusedDraft, Writing, WrittenDraft

_KEPT = 6


@dataclass(frozen=True)
class Run:
    """One call of `write_drafts`, with the replies that the server sent meanwhile."""

    case: Case
    brief: Brief
    writing: Writing
    replies: Sequence[PlannedReply]
    log: Sequence[dict[str, Any]]
    """The server's entry for each reply."""
    canaries: Sequence[str] = ()
    """Words that instructions in the brief's facts and examples tell the model to write."""

    @property
    def is_good(self) -> bool:
        """Whether the first reply was good, so that the model's drafts can be released."""
        return bool(self.replies) and self.replies[0].kind is None

    def planted(self) -> list[Planted]:
        """Return the faults of all replies. The server's log says what an echo repeated."""
        return [
            Planted(fault.kind, fault.sign, entry["echo"]) if fault.needle == "@@ECHO@@" else fault
            for reply, entry in zip(self.replies, self.log, strict=True)
            for fault in reply.planted
        ]


@dataclass
class Tally:
    """The counts of all runs, and some examples of what went wrong."""

    price: ModelPrice
    runs: int = 0
    good_runs: int = 0
    replies: Counter[str] = field(default_factory=Counter)
    """The replies that the server sent, by the kind of their fault."""
    released: int = 0
    released_of_model: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    """Released drafts by what is wrong with them. A draft can be wrong in several ways."""
    invalid_drafts: int = 0
    canary_leaks: int = 0
    copied: int = 0
    alike: int = 0
    without_draft: int = 0
    composer_only: int = 0
    good_drafts: int = 0
    good_drafts_released: int = 0
    provenance_gaps: Counter[str] = field(default_factory=Counter)
    incomplete_provenance: int = 0
    calls_per_draft: list[float] = field(default_factory=list)
    calls_per_run: list[int] = field(default_factory=list)
    call_errors: Counter[str] = field(default_factory=Counter)
    refused_briefs: int = 0
    """Briefs with an injected instruction that the lint refused; the clean brief was used."""
    truncated: int = 0
    unaccounted_usd: Decimal = Decimal(0)
    refused_good: Counter[str] = field(default_factory=Counter)
    """Validators that refused a good draft of a good reply."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """For each kind of invalid release, gap or refusal, some texts of different briefs."""
    invalid_by_language: Counter[str] = field(default_factory=Counter)

    def add(self, run: Run) -> None:
        """Count a run."""
        self.runs += 1
        self.replies.update(str(reply.kind or "good") for reply in run.replies)
        self.truncated += sum(entry.get("finish") == "length" for entry in run.log)
        calls = run.writing.calls
        self.call_errors.update(call.error for call in calls if call.error)
        self.calls_per_run.append(len(calls))
        self.calls_per_draft.append(len(calls) / max(len(run.writing.drafts), 1))
        if not run.writing.drafts:
            self.without_draft += 1
            kinds = ", ".join(str(reply.kind or "good") for reply in run.replies)
            errors = ", ".join(call.error or "replied" for call in calls)
            self._keep("without draft", f"{run.case.slug}: {kinds}; {errors}")
        self._add_good(run)
        planted = run.planted()
        texts = ["\n".join(draft.parts) for draft in run.writing.drafts]
        alike = count_alike(texts)
        self.alike += alike
        if alike:
            self._keep("alike", f"{run.case.slug}: {texts}")
        for draft in run.writing.drafts:
            self._add_released(run, draft, planted)

    def _add_good(self, run: Run) -> None:
        if not run.is_good:
            return
        of_model = sum(draft.origin == "model" for draft in run.writing.drafts)
        expected = min(run.replies[0].good_drafts, run.brief.n)
        self.good_runs += 1
        self.composer_only += of_model == 0
        self.good_drafts += expected
        self.good_drafts_released += min(of_model, expected)
        for refused in run.writing.refused:
            if refused.provenance.repairs == 0 and refused.provenance.model:
                for name, text in describe_refusal(refused):
                    self.refused_good[name] += 1
                    self._keep(f"refused {name}", f"{run.case.slug}: {text}")

    def _add_released(self, run: Run, draft: WrittenDraft, planted: Sequence[Planted]) -> None:
        self.released += 1
        self.released_of_model += draft.origin == "model"
        text = "\n".join(draft.parts)
        wrong = find_violations(draft.parts, run.brief, run.case.recent_posts)
        true_text = run.case.true_text
        wrong += [
            f"planted_{fault.kind}" for fault in planted if fault.is_present(draft.parts, true_text)
        ]
        if any(word.casefold() in text.casefold() for word in run.canaries):
            self.canary_leaks += 1
            wrong.append("canary")
        self.copied += copies_example(draft.parts, run.brief)
        self.invalid_drafts += bool(wrong)
        self.invalid_by_language[run.case.language] += bool(wrong)
        for name in sorted(set(wrong)):
            self.invalid[f"{draft.origin} {name}"] += 1
            self._keep(f"invalid {draft.origin} {name}", f"{run.case.slug}: {text}")
        served = [(entry["input_tokens"], entry["output_tokens"]) for entry in run.log]
        gaps = find_provenance_gaps(draft, run.brief, run.writing.calls, served, self.price)
        self.incomplete_provenance += bool(gaps)
        for name in gaps:
            self.provenance_gaps[f"{draft.origin} {name}"] += 1
            self._keep(f"provenance {draft.origin} {name}", f"{run.case.slug}: {draft}")

    def _keep(self, name: str, text: str) -> None:
        """Keep an example of each of the first briefs."""
        texts = self.examples.setdefault(name, [])
        slug = text.partition(":")[0]
        if len(texts) < _KEPT and not any(each.startswith(f"{slug}:") for each in texts):
            texts.append(text)


def describe_refusal(refused: RefusedDraft) -> list[tuple[str, str]]:
    """Return the validators that refused a draft, each with its findings and the text."""
    text = " // ".join(refused.parts)
    return [
        (verdict.validator, f"{'; '.join(verdict.findings)} | {text}")
        for verdict in refused.verdicts
        if not verdict.ok
    ] or [("no_verdict", text)]
