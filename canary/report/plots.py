"""The plots of one metric: the values of both arms, and the candidate's difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from canary.evidence.pooling import is_rate
from canary.evidence.table import Table
from canary.formatting import number, percent
from canary.model import Arm, Finding, Recording
from canary.policy import Metric
from canary.report import geometry as g
from canary.report.axes import Plot, paint, readout, times, values
from canary.report.curves import Curve, Trail, group_curve, host_curves
from canary.report.findings import size

Stretch = tuple[int, int]
Stretches = tuple[tuple[int, int, str], ...]
NEAR = 12.0
"""Labels closer than this, in per cent of the height, would overlap."""


def measured(
    table: Table, metric: Metric | None, unit: str, unused: Stretches, span: Stretch, hosts: int
) -> Plot:
    """Plot the values of both arms. Thin lines are single instances, grey parts are not judged.

    A finding that is no metric of the policy, as an absolute limit, has no lines of its own.
    """
    recording, rate = table.recording, metric is not None and is_rate(metric)
    curves = {side: group_curve(metric, table, side) if metric else () for side in Arm}
    known = [value for curve in curves.values() for _, value in curve if value is not None]
    frame = g.frame(*span, [0.0, *known] if rate else known)
    shapes = [*_unused(frame, unused), *_steps(frame, recording)]
    if metric is not None:
        shapes += [shape for side in Arm for shape in _instances(frame, table, metric, side, hosts)]
    shapes += [g.Shape(paint(recording, side), g.line(frame, curves[side])) for side in Arm]
    write, rows = _writer(unit, rate=rate), dict[float, list[str]]()
    for side, time, value in ((who, *point) for who in Arm for point in curves[who]):
        said = "missing" if value is None else write(value)
        rows.setdefault(time, []).append(f"{side} {said}")
    label = f"{metric.name if metric else 'Values'} of baseline and candidate over time"
    ticks = times(frame), values(frame, write)
    return Plot(label, tuple(shapes), *ticks, readout=readout(frame, rows))


def effect(recording: Recording, trail: Trail, span: Stretch) -> Plot:
    """Plot the candidate's difference, with its interval, zero and the margin."""
    frame, last = g.frame(*span, _effect_range(trail)), trail.last
    low, high = trail.curve("low"), trail.curve("high")
    shapes = [*_steps(frame, recording)]
    if last.margin is not None:
        shapes.append(g.Shape("harm", g.box(frame, *span, last.margin, frame.high)))
        shapes.append(g.Shape("margin", g.level(frame, last.margin)))
    shapes.append(g.Shape("zero", g.level(frame, 0.0)))
    shapes.append(g.Shape("interval", _ribbon(frame, low, high)))
    shapes.append(g.Shape("effect", g.line(frame, trail.curve("effect"))))
    looks = zip(trail.looks, trail.findings, strict=True)
    rows = {float(look): [size(finding)] for look, finding in looks}
    label = f"Harm of the candidate in {last.metric} over time, with its interval"
    write = _signed_percent if last.relative else _signed
    ticks = times(frame), values(frame, write), _notes(frame, last)
    return Plot(label, tuple(shapes), *ticks, readout(frame, rows))


def _notes(frame: g.Frame, finding: Finding) -> tuple[g.Tick, ...]:
    """Return the labels of the two lines, or one if they would overlap."""
    zero = g.Tick(g.down(frame, 0.0), "no difference")
    if finding.margin is None:
        return (zero,)
    margin = g.Tick(g.down(frame, finding.margin), "margin")
    apart = abs(frame.y(0.0) - frame.y(finding.margin)) * 100 / g.HEIGHT
    return (zero, margin) if apart > NEAR else (margin,)


def _effect_range(trail: Trail) -> list[float]:
    """Return the range of the later half of the intervals, so that the margin is visible."""
    late = trail.findings[len(trail.findings) // 2 :]
    values = [v for f in late for v in (f.low, f.high) if v is not None and math.isfinite(v)]
    effects = [f.effect for f in late if f.effect is not None and math.isfinite(f.effect)]
    margin = trail.last.margin or max((abs(v) for v in values), default=0.1)
    most = max([5 * margin, *(1.5 * effect for effect in effects)])
    least = min([-3 * margin, *(1.5 * effect for effect in effects)])
    return [*(min(max(v, least), most) for v in values), -0.6 * margin, 1.6 * margin]


def _unused(frame: g.Frame, stretches: Stretches) -> Iterator[g.Shape]:
    for start, end, why in stretches:
        yield g.Shape("unused", g.box(frame, start, end, frame.low, frame.high), why)


def _ribbon(frame: g.Frame, low: Curve, high: Curve) -> str:
    both = [
        (t, a, b)
        for (t, a), (_, b) in zip(low, high, strict=True)
        if a is not None and b is not None
    ]
    return g.band(frame, [(t, a) for t, a, _ in both], [(t, b) for t, _, b in both])


def _steps(frame: g.Frame, recording: Recording) -> list[g.Shape]:
    return [g.Shape("step", g.upright(frame, step.start)) for step in recording.steps[1:]]


def _instances(frame: g.Frame, table: Table, metric: Metric, side: Arm, most: int) -> list[g.Shape]:
    look = f"instance {paint(table.recording, side)}"
    found = host_curves(metric, table, side, most)
    return [g.Shape(look, g.line(frame, curve), host) for host, curve in found]


def _writer(unit: str, *, rate: bool) -> Callable[[float], str]:
    """Return the formatter of a measured value."""
    return percent if rate else lambda value: f"{number(value)} {unit}".strip()


def _signed(value: float) -> str:
    return number(value, signed=True)


def _signed_percent(value: float) -> str:
    return percent(value, signed=True)
