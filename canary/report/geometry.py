"""SVG paths of plots: frames that stretch to any width, round ticks, lines with gaps.

Plots are drawn in a box of 1000 x 400, which the browser stretches. Strokes do not scale, and
labels are text outside the box, so that the same drawing fits a desktop and a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from canary.report.limits import MOST_POINTS

WIDTH, HEIGHT = 1000, 400
Point = tuple[float, float | None]
TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place, as per cent of the frame from the left or from the top."""

    place: str
    label: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One SVG path and the class that paints it; ``title`` is shown under the pointer."""

    paint: str
    path: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The rectangle of times and values that a plot shows."""

    start: float
    end: float
    low: float
    high: float

    def x(self, time: float) -> float:
        return WIDTH * (time - self.start) / (self.end - self.start)

    def y(self, value: float) -> float:
        return HEIGHT * (self.high - value) / (self.high - self.low)

    def inside(self, value: float) -> float:
        """Return the value, limited to a little beyond the frame."""
        room = 0.1 * (self.high - self.low)
        return min(max(value, self.low - room), self.high + room)

    def at(self, time: float, value: float) -> str:
        return f"{self.x(time):.1f} {self.y(self.inside(value)):.1f}"


def frame(start: float, end: float, values: Iterable[float]) -> Frame:
    """A frame around these values with a little air, never of height zero."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    air = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    floor = low - air if low < 0 or low - air > 0 else 0.0
    return Frame(start, max(end, start + 1), floor, high + air)


def line(frame: Frame, points: Sequence[Point]) -> str:
    """A path through the points, broken where a value is missing; a lone point is a dot."""
    parts: list[str] = []
    for run in _runs(_thinned(points)):
        parts.append("M" + "L".join(frame.at(time, value) for time, value in run))
        if len(run) == 1:
            parts.append("h0.01")
    return "".join(parts)


def band(frame: Frame, low: Sequence[Point], high: Sequence[Point]) -> str:
    """The area between two curves with the same times."""
    bottom = [(time, value) for time, value in low if value is not None]
    top = [(time, value) for time, value in high if value is not None]
    if not top or len(top) != len(bottom):
        return ""
    stride = -(-len(top) // MOST_POINTS)
    top, bottom = ([*side[:-1:stride], side[-1]] for side in (top, bottom))
    edge = [frame.at(time, value) for time, value in [*top, *reversed(bottom)]]
    return "M" + "L".join(edge) + "Z"


def level(frame: Frame, value: float) -> str:
    """A horizontal line."""
    return f"M0 {frame.y(value):.1f}H{WIDTH}"


def upright(frame: Frame, time: float) -> str:
    """A vertical line."""
    return f"M{frame.x(time):.1f} 0V{HEIGHT}"


def box(frame: Frame, start: float, end: float, low: float, high: float) -> str:
    """A rectangle from one time and value to another."""
    left, right = frame.x(start), frame.x(end)
    bottom, top = frame.y(frame.inside(low)), frame.y(frame.inside(high))
    return f"M{left:.1f} {top:.1f}H{right:.1f}V{bottom:.1f}H{left:.1f}Z"


def value_ticks(frame: Frame, count: int = 4) -> tuple[float, ...]:
    """About ``count`` round values inside the frame.

    >>> value_ticks(Frame(0, 1, 0.0, 0.31))
    (0.0, 0.1, 0.2, 0.3)
    """
    rough = (frame.high - frame.low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= 0.999 * rough)
    first, last = math.ceil(frame.low / step - 1e-9), math.floor(frame.high / step + 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))


def time_ticks(span: float, count: int = 6) -> tuple[int, ...]:
    """About ``count`` round distances from the start, in seconds.

    >>> time_ticks(150)
    (0, 30, 60, 90, 120, 150)
    """
    step = next((step for step in TIME_STEPS if span / step <= count), 86400)
    return tuple(range(0, int(span) + 1, step))


def across(frame: Frame, time: float) -> str:
    """A time as per cent from the left."""
    return f"{100 * frame.x(time) / WIDTH:.2f}%"


def down(frame: Frame, value: float) -> str:
    """A value as per cent from the top."""
    return f"{100 * frame.y(value) / HEIGHT:.2f}%"


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Return fewer points of a long line: the highest and the lowest of each stretch, and gaps."""
    if len(points) <= MOST_POINTS:
        return points
    stretch, kept = -(-2 * len(points) // MOST_POINTS), []
    for first in range(0, len(points), stretch):
        part = points[first : first + stretch]
        known = [point for point in part if point[1] is not None]
        if not known:
            kept.append(part[0])
            continue
        ends = {min(known, key=_value), max(known, key=_value)}
        kept += sorted(ends)
    return kept


def _value(point: Point) -> float:
    return point[1] or 0.0


def _runs(points: Sequence[Point]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for time, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((time, value))
    return [run for run in runs if run]
