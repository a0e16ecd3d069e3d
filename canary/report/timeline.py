"""The timeline of a canary: traffic, evidence, and the verdict of every look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canary.formatting import duration, percent
from canary.model import Arm, Finding, Judgement, Recording, Verdict
from canary.report import geometry as g
from canary.report.axes import Plot, paint, readout, times, values
from canary.report.findings import share

MANY = 60
"""More looks than this are drawn as stretches of one verdict each."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the verdict strip."""

    left: str
    width: str
    verdict: Verdict
    title: str


def traffic(recording: Recording, start: int, end: int) -> Plot:
    """Plot the candidate's share of all traffic."""
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
    label = f"The candidate's share of traffic over time: {words}"
    return Plot(label, shapes, times(frame), values(frame, percent, 3))


def evidence(judgements: Sequence[Judgement], start: int, end: int) -> Plot:
    """Plot the progress to each decision at each look; 1 is enough."""
    frame = g.Frame(start, end, 0.0, 1.12)
    harm = [(j.at, _most(j)) for j in judgements]
    clear = [(j.at, _least(j)) for j in judgements]
    shapes = (
        g.Shape("line", g.level(frame, 1.0)),
        g.Shape("towards PASS", g.line(frame, [(at, value) for at, (value, _) in clear])),
        g.Shape("towards FAIL", g.line(frame, [(at, value) for at, (value, _) in harm])),
    )
    rows = {
        float(at): [f"harm {share(most)} % ({worst})", f"no harm {share(least)} % ({last})"]
        for (at, (most, worst)), (_, (least, last)) in zip(harm, clear, strict=True)
    }
    label = "Evidence for and against harm over time; 100 % decides"
    ticks = times(frame), values(frame, percent, 2)
    notes = (g.Tick(g.down(frame, 1.0), "decides"),)
    return Plot(label, shapes, *ticks, notes, readout(frame, rows))


def _most(judgement: Judgement) -> tuple[float, str]:
    """Return the metric closest to FAIL."""
    counted = [f for f in judgement.findings if not f.muted]
    worst = max(counted, key=lambda finding: finding.towards_fail, default=None)
    return _progress(worst, worst.towards_fail) if worst else (0.0, "no metric")


def _least(judgement: Judgement) -> tuple[float, str]:
    """Return the metric furthest from PASS, of those that must pass."""
    counted = [f for f in judgement.findings if not f.muted]
    needed = [f for f in counted if f.critical] or counted
    last = min(needed, key=lambda finding: finding.towards_pass, default=None)
    return _progress(last, last.towards_pass) if last else (0.0, "no metric")


def _progress(finding: Finding, progress: float) -> tuple[float, str]:
    return min(max(progress, 0.0), 1.0), finding.metric


def strip(judgements: Sequence[Judgement], start: int, end: int) -> tuple[Segment, ...]:
    """Return the verdict of every look, or stretches of them if there are many."""
    frame = g.Frame(start, end, 0, 1)
    before, segments = start, []
    for index, judgement in enumerate(judgements):
        after = judgements[index + 1].verdict if index + 1 < len(judgements) else None
        if len(judgements) > MANY and after is judgement.verdict:
            continue
        width = 100 * (judgement.at - before) / (end - start)
        title = f"{duration(judgement.at - start)}: {judgement.verdict}. {judgement.reason}"
        left = g.across(frame, before)
        segments.append(Segment(left, f"{width:.2f}%", judgement.verdict, title))
        before = judgement.at
    return tuple(segments)
