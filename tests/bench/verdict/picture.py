"""The scoreboard's plot: false alarms of every rule, and power against size-matched Kayenta."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.verdict.cells import OURS, Cell
from tests.bench.verdict.comparators import MATCHED

KINDS = {
    "latency": (("latency", "p99"), "#6b46d6", "o"),
    "errors, checkouts": (("5xx", "4xx", "checkouts"), "#c81e3a", "s"),
    "cpu, throughput": (("cpu", "throughput"), "#07875d", "^"),
    "leak": (("leak",), "#a35f00", "D"),
}
FLOOR = 0.02


def draw(equal: Sequence[Cell], harmed: Sequence[Cell], path: Path) -> None:
    """Write the picture as PNG."""
    mpl.rcParams["font.size"] = 9
    figure = Figure(figsize=(11, 4.6), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    cell = next((c for c in equal if (c.scenario, c.periods) == ("S1", 60)), equal[0])
    _alarms(left, cell)
    _power(right, [c for c in harmed if MATCHED in c.alarms])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": ""})


def _alarms(axes: Axes, cell: Cell) -> None:
    """Draw each rule's family-wise false alarms with its interval, on a logarithmic axis."""
    rules = sorted(cell.alarms, key=lambda rule: cell.alarms[rule].share)
    for row, rule in enumerate(rules):
        count = cell.alarms[rule]
        share, (low, high) = 100 * count.share, (100 * end for end in count.interval)
        colour = "#6b46d6" if rule == OURS else "#5b6472"
        axes.plot([max(low, FLOOR), high], [row, row], color=colour, lw=2.5, alpha=0.5)
        axes.plot(max(share, FLOOR), row, "o", color=colour)
        axes.annotate(
            f"{share:.2g} %", (high, row), (5, 0), textcoords="offset points", va="center"
        )
    axes.axvline(1.0, color="#c81e3a", ls="--", lw=1)
    axes.set(xscale="log", xlim=(FLOOR, 250), yticks=range(len(rules)), yticklabels=rules)
    axes.set_xlabel("canaries of two equal releases that are called bad, %")
    axes.set_title(
        f"False alarms: 10 metrics, {cell.periods} looks, {cell.scenario}",
        loc="left",
        weight="bold",
    )
    axes.spines[["top", "right"]].set_visible(False)


def _power(axes: Axes, cells: Sequence[Cell]) -> None:
    """Draw every cell of the grid. Above the diagonal, our judge finds more."""
    cells = [cell for cell in cells if MATCHED in cell.alarms]
    for kind, (words, colour, marker) in KINDS.items():
        chosen = [c for c in cells if any(word in c.harm for word in words)]
        x = [100 * c.alarms[MATCHED].share for c in chosen]
        y = [100 * c.alarms[OURS].share for c in chosen]
        axes.plot(x, y, marker, color=colour, label=kind, ms=5, alpha=0.75)
    axes.plot([0, 100], [0, 100], color="#5b6472", lw=1)
    axes.fill_between([0, 15, 100], [0, 0, 85], 0, color="#c81e3a", alpha=0.06, lw=0)
    axes.set(xlim=(-3, 103), ylim=(-3, 103), aspect="equal")
    axes.set_xlabel("found by Kayenta's rule held to 1 % false alarms, %")
    axes.set_ylabel("found by cart-canary, %")
    axes.set_title("Power, every cell of the grid", loc="left", weight="bold")
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
