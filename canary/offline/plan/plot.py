"""A plan as an SVG picture: the smallest harm that would be found, over time."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from canary.formatting import duration, percent
from canary.offline.plan.outlook import MetricOutlook, Outlook
from canary.report import geometry as g

WORST = 2.0
"""Larger harm than this is left out of the picture."""
COLOURS = ("#1f77b4", "#d95f02", "#2ca02c", "#c2185b", "#6a51a3", "#8c564b", "#17869e", "#7f7f7f")
LEFT, TOP, BOTTOM, RIGHT = 80, 30, 60, 190
STYLE = (
    "text{font:15px sans-serif;fill:#444}path{fill:none}"
    ".grid{stroke:#ddd}.curve{stroke-width:2.5}.margin{stroke-dasharray:2 5;stroke-width:1.5}"
)


def draw(outlook: Outlook) -> str:
    """Return the picture: a curve for each metric, and its margin as a dotted line."""
    curves = {metric.metric: _curve(metric) for metric in outlook.metrics}
    drawn = [metric for metric in outlook.metrics if curves[metric.metric]]
    harms = [harm for curve in curves.values() for _, harm in curve]
    highest = max([*harms, *(metric.margin for metric in drawn)], default=0.1)
    frame = g.Frame(0, outlook.maximum, 0.0, 1.05 * highest)
    parts = [*_axes(frame)]
    for number, metric in enumerate(drawn):
        parts += _metric(frame, metric, curves[metric.metric], number)
    width, height = LEFT + g.WIDTH + RIGHT, TOP + g.HEIGHT + BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-LEFT} {-TOP} {width} {height}" '
        f'width="{width}" height="{height}">'
    )
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def _curve(metric: MetricOutlook) -> list[tuple[float, float]]:
    return [(seconds, harm) for seconds, harm in metric.curve if harm <= WORST]


def _axes(frame: g.Frame) -> Iterator[str]:
    for value in g.value_ticks(frame, 6):
        yield f'<path class="grid" d="{g.level(frame, value)}"/>'
        yield _text(-8, frame.y(value) + 5, percent(value), "end")
    for seconds in g.time_ticks(frame.end):
        yield f'<path class="grid" d="{g.upright(frame, seconds)}"/>'
        yield _text(frame.x(seconds), g.HEIGHT + 22, duration(seconds), "middle")
    yield _text(g.WIDTH / 2, g.HEIGHT + 48, "time since the first traffic", "middle")
    yield _text(-LEFT + 4, -12, "smallest harm found (dotted: margin)", "start")


def _metric(
    frame: g.Frame, metric: MetricOutlook, curve: list[tuple[float, float]], number: int
) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    margin = g.level(frame, metric.margin)
    yield f'<path class="margin" stroke="{colour}" d="{margin}"/>'
    yield f'<path class="curve" stroke="{colour}" d="{g.line(frame, curve)}"/>'
    height = 16 + 24 * number
    yield f'<path class="curve" stroke="{colour}" d="M{g.WIDTH + 12} {height}h24"/>'
    yield _text(g.WIDTH + 42, height + 5, metric.metric, "start")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
