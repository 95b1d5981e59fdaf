"""How every benchmark says what it measured: bars as a table for people, or JSON for programs."""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One measured value and the bar it is held to; `op` is `>=`, `<=` or `==`."""

    name: str
    value: float
    op: str
    bar: float

    @property
    def holds(self) -> bool:
        """Whether the value keeps to the bar."""
        return _COMPARE[self.op](self.value, self.bar)


def report(
    bench: str, bars: Sequence[Bar], figures: Mapping[str, float | int | str], as_json: bool
) -> int:
    """Print bars and figures, as one line of JSON or as a table; the exit code: 1 if a bar fell."""
    if as_json:
        shown = [
            {"name": b.name, "value": b.value, "op": b.op, "bar": b.bar, "holds": b.holds}
            for b in bars
        ]
        print(json.dumps({"bench": bench, "bars": shown, "figures": dict(figures)}))
    else:
        width = max(map(len, [*(bar.name for bar in bars), *figures]))
        print(f"bench {bench}")
        for bar in bars:
            verdict = "holds" if bar.holds else "FALLS SHORT"
            print(f"  {bar.name:<{width}}  {bar.value:>12.4g}  {bar.op} {bar.bar:<8g} {verdict}")
        for name, figure in figures.items():
            text = f"{figure:.4g}" if isinstance(figure, float) else str(figure)
            print(f"  {name:<{width}}  {text:>12}")
    return 0 if all(bar.holds for bar in bars) else 1
