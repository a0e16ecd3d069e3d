"""The report's plots as plain values: shapes, ticks and a legend; the template only prints them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from canary.model import Arm, Finding, Judgement, Recording, Verdict
from canary.report import geometry as g
from canary.report.curves import RATE, Curve, Trail, arm, together
from canary.report.words import change, clock, duration, number, percent

COLOURS = ("blue", "green")
Readout = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing with its axes; ``label`` says in words what is seen, for those who cannot see."""

    label: str
    shapes: tuple[g.Shape, ...]
    across: tuple[g.Tick, ...]
    down: tuple[g.Tick, ...]
    notes: tuple[g.Tick, ...] = ()
    readout: tuple[Readout, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the verdict strip."""

    left: str
    width: str
    verdict: Verdict
    title: str


def paint(recording: Recording, side: Arm) -> str:
    """The class that paints an arm: its own colour where the two differ."""
    colours = {recording.baseline.colour, recording.candidate.colour}
    release = recording.candidate if side is Arm.CANDIDATE else recording.baseline
    if len(colours) == 2 and colours <= set(COLOURS):
        return f"arm {side} is-{release.colour}"
    return f"arm {side} is-{'green' if side is Arm.CANDIDATE else 'blue'}"


def traffic(recording: Recording, start: int, end: int) -> Plot:
    """The candidate's share of all traffic, step by step."""
    edges = [step.start for step in recording.steps[1:]] + [end]
    shares = [step.candidate for step in recording.steps]
    frame = g.Frame(start, end, 0.0, max(0.1, *shares) * 1.15)
    stairs = [
        point
        for step, until in zip(recording.steps, edges, strict=True)
        for point in ((step.start, step.candidate), (until, step.candidate))
    ]
    floor = [(time, 0.0) for time, _ in stairs]
    shapes = (
        g.Shape(f"area {paint(recording, Arm.CANDIDATE)}", g.band(frame, floor, stairs)),
        g.Shape(paint(recording, Arm.CANDIDATE), g.line(frame, stairs)),
        *(g.Shape("moment", g.upright(frame, e.time), e.sentence) for e in recording.events),
    )
    words = ", ".join(percent(share) for share in shares) or "none"
    label = f"Share of traffic on the candidate over time: {words}"
    return Plot(label, shapes, _times(frame), _values(frame, percent, 3))


def strip(judgements: Sequence[Judgement], start: int, end: int) -> tuple[Segment, ...]:
    """The verdict of every look, from the look before it."""
    frame = g.Frame(start, end, 0, 1)
    before, segments = start, []
    for judgement in judgements:
        width = 100 * (judgement.at - before) / (end - start)
        title = f"{duration(judgement.at - start)}: {judgement.verdict}. {judgement.reason}"
        left = g.across(frame, before)
        segments.append(Segment(left, f"{width:.2f}%", judgement.verdict, title))
        before = judgement.at
    return tuple(segments)


def measured(recording: Recording, metric: str, how: str, unit: str, span: tuple[int, int]) -> Plot:
    """What both arms measured; thin lines are single instances."""
    curves = {side: arm(recording, metric, side, how) for side in Arm}
    known = [value for curve in curves.values() for _, value in curve if value is not None]
    frame = g.frame(*span, [0.0, *known] if how == RATE else known)
    shapes = [*_steps(frame, recording)]
    for side in Arm:
        shapes += _instances(frame, recording, metric, how, side)
    shapes += [g.Shape(paint(recording, side), g.line(frame, curves[side])) for side in Arm]
    write, rows = _writer(how, unit), dict[float, list[str]]()
    for side, time, value in ((who, *point) for who in Arm for point in curves[who]):
        said = "missing" if value is None else write(value)
        rows.setdefault(time, []).append(f"{side} {said}")
    label = f"{metric} of baseline and candidate over time"
    ticks = _times(frame), _values(frame, write)
    return Plot(label, tuple(shapes), *ticks, readout=_readout(frame, rows))


def effect(recording: Recording, trail: Trail, span: tuple[int, int]) -> Plot:
    """How much worse the candidate is, with its interval, against zero and the margin."""
    frame, last = g.frame(*span, _effect_range(trail)), trail.last
    low, high = trail.curve("low"), trail.curve("high")
    shapes = [*_steps(frame, recording)]
    notes = [g.Tick(g.down(frame, 0.0), "no difference")]
    if last.margin is not None:
        shapes.append(g.Shape("harm", g.box(frame, *span, last.margin, frame.high)))
        shapes.append(g.Shape("margin", g.level(frame, last.margin)))
        notes.append(g.Tick(g.down(frame, last.margin), "margin"))
    shapes.append(g.Shape("zero", g.level(frame, 0.0)))
    shapes.append(g.Shape("interval", _ribbon(frame, low, high)))
    shapes.append(g.Shape("effect", g.line(frame, trail.curve("effect"))))
    rows = {
        float(look): [_interval(finding)]
        for look, finding in zip(trail.looks, trail.findings, strict=True)
    }
    label = f"Harm of the candidate in {last.metric} over time, with its interval"
    write = _signed_percent if last.relative else _signed
    ticks = _times(frame), _values(frame, write), tuple(notes)
    return Plot(label, tuple(shapes), *ticks, _readout(frame, rows))


def _interval(finding: Finding) -> str:
    if finding.effect is None:
        return "not enough data"
    words = change(finding, finding.effect)
    if finding.low is not None and finding.high is not None:
        words += f" ({change(finding, finding.low)} to {change(finding, finding.high)})"
    return words


def _effect_range(trail: Trail) -> list[float]:
    late = trail.findings[len(trail.findings) // 3 :]
    values = [v for f in late for v in (f.low, f.high) if v is not None and math.isfinite(v)]
    values += [f.effect for f in trail.findings[-3:] if f.effect is not None]
    margin = trail.last.margin or max((abs(v) for v in values), default=0.1)
    return [*(min(max(v, -4 * margin), 12 * margin) for v in values), -0.6 * margin, 1.6 * margin]


def _ribbon(frame: g.Frame, low: Curve, high: Curve) -> str:
    both = [
        (t, a, b)
        for (t, a), (_, b) in zip(low, high, strict=True)
        if a is not None and b is not None
    ]
    return g.band(frame, [(t, a) for t, a, _ in both], [(t, b) for t, _, b in both])


def _steps(frame: g.Frame, recording: Recording) -> list[g.Shape]:
    return [g.Shape("step", g.upright(frame, step.start)) for step in recording.steps[1:]]


def _instances(
    frame: g.Frame, recording: Recording, metric: str, how: str, side: Arm
) -> list[g.Shape]:
    chosen = [s for s in recording.series if s.metric == metric and s.arm is side]
    if len(chosen) < 2:
        return []
    look = f"instance {paint(recording, side)}"
    return [g.Shape(look, g.line(frame, together([s], how)), s.instance) for s in chosen]


def _readout(frame: g.Frame, rows: dict[float, list[str]]) -> tuple[Readout, ...]:
    """What the pointer reads at each time."""
    return tuple(
        (round(100 * frame.x(time) / g.WIDTH, 2), ", ".join([_after(frame, time), *words]))
        for time, words in sorted(rows.items())
        if words
    )


def _after(frame: g.Frame, time: float) -> str:
    return f"after {duration(time - frame.start)}"


def _times(frame: g.Frame) -> tuple[g.Tick, ...]:
    span = frame.end - frame.start
    return tuple(
        g.Tick(g.across(frame, frame.start + s), duration(s) if s else clock(int(frame.start)))
        for s in g.time_ticks(span, 5)
        if s <= 0.95 * span
    )


def _values(frame: g.Frame, write: Callable[[float], str], count: int = 4) -> tuple[g.Tick, ...]:
    return tuple(g.Tick(g.down(frame, v), write(v)) for v in g.value_ticks(frame, count))


def _writer(how: str, unit: str) -> Callable[[float], str]:
    """How a measured value is written."""
    if how == RATE:
        return percent
    return lambda value: f"{number(value)} {unit}".strip()


def _signed(value: float) -> str:
    return number(value, signed=True)


def _signed_percent(value: float) -> str:
    return percent(value, signed=True)
