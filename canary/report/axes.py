"""Shared by all plots: axes, readings under the pointer, colours of the arms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from canary.formatting import duration
from canary.model import Arm, Recording
from canary.report import geometry as g
from canary.report.limits import MOST_READINGS
from canary.report.wording import clock

COLOURS = ("blue", "green")
Readout = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing with its axes. ``label`` describes it for screen readers."""

    label: str
    shapes: tuple[g.Shape, ...]
    across: tuple[g.Tick, ...]
    down: tuple[g.Tick, ...]
    notes: tuple[g.Tick, ...] = ()
    readout: tuple[Readout, ...] = ()


def paint(recording: Recording, side: Arm) -> str:
    """Return the CSS class of an arm: its own colour if the two differ."""
    colours = {recording.baseline.colour, recording.candidate.colour}
    release = recording.candidate if side is Arm.CANDIDATE else recording.baseline
    if len(colours) == 2 and colours <= set(COLOURS):
        return f"arm {side} is-{release.colour}"
    return f"arm {side} is-{'green' if side is Arm.CANDIDATE else 'blue'}"


def times(frame: g.Frame) -> tuple[g.Tick, ...]:
    """Return the ticks of the time axis."""
    span = frame.end - frame.start
    return tuple(
        g.Tick(g.across(frame, frame.start + s), duration(s) if s else clock(int(frame.start)))
        for s in g.time_ticks(span, 5)
        if s <= 0.95 * span
    )


def values(frame: g.Frame, write: Callable[[float], str], count: int = 4) -> tuple[g.Tick, ...]:
    """Return the ticks of the value axis."""
    return tuple(g.Tick(g.down(frame, v), write(v)) for v in g.value_ticks(frame, count))


def readout(frame: g.Frame, rows: Mapping[float, Sequence[str]]) -> tuple[Readout, ...]:
    """Return the reading under the pointer at each time; in a long canary, at fewer times."""
    said = [(time, words) for time, words in sorted(rows.items()) if words]
    stride = -(-len(said) // MOST_READINGS)
    return tuple(
        (round(100 * frame.x(time) / g.WIDTH, 2), ", ".join([_after(frame, time), *words]))
        for time, words in said[:: max(stride, 1)]
    )


def _after(frame: g.Frame, time: float) -> str:
    return f"after {duration(time - frame.start)}"
