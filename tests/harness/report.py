"""The output of all benchmarks: a table for people, or a line of JSON for programs."""

import json
import operator
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measured value and its limit. `op` is `>=`, `<=` or `==`."""

    name: str
    value: float
    op: str
    limit: float

    @property
    def is_met(self) -> bool:
        """Whether the value is within its limit."""
        return _COMPARE[self.op](self.value, self.limit)


def report(
    bench: str,
    thresholds: Sequence[Threshold],
    figures: Mapping[str, float | int | str],
    as_json: bool,
) -> int:
    """Print thresholds and figures; return the exit code, 1 if a threshold is not met."""
    if as_json:
        bars = [
            {"name": t.name, "value": t.value, "op": t.op, "bar": t.limit, "holds": t.is_met}
            for t in thresholds
        ]
        print(json.dumps({"bench": bench, "bars": bars, "figures": dict(figures)}))
    else:
        width = max(map(len, [*(each.name for each in thresholds), *figures]))
        print(f"bench {bench}")
        for t in thresholds:
            verdict = "met" if t.is_met else "NOT MET"
            print(f"  {t.name:<{width}}  {t.value:>12.4g}  {t.op} {t.limit:<8g} {verdict}")
        for name, figure in figures.items():
            text = f"{figure:.4g}" if isinstance(figure, float) else str(figure)
            print(f"  {name:<{width}}  {text:>12}")
    return 0 if all(each.is_met for each in thresholds) else 1


def log_progress(text: str) -> None:
    """Print the wall time and a text to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
