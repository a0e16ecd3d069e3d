"""Findings in words: what, by how much, how sure, against which margin, and since when."""

from __future__ import annotations

import math

from canary.model import Verdict
from canary.policy import Margin, Metric

WORSE = {
    "latency": ("slower", "faster"),
    "quantile": ("slower", "faster"),
    "throughput": ("less", "more"),
}


def subject(metric: Metric) -> str:
    """Return what a reader calls the metric: "p90 latency"."""
    if metric.kind == "quantile" and metric.statistic_name not in metric.name.split():
        return f"{metric.statistic_name} {metric.name}"
    return metric.name


def duration(seconds: int) -> str:
    """Write seconds as a reader says them: "6 minutes", "90 seconds"."""
    if seconds < 120:
        return f"{seconds} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if seconds % 60 == 0 else f"{minutes:.1f} minutes"


def number(value: float) -> str:
    """Write a size with two or three telling digits: 0.4, 9.5, 12, 140."""
    size = abs(value)
    if size >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 1 else f"{value:.2g}"


def percentage(share: float) -> str:
    """Write a fraction as a percentage: "12 %"."""
    return f"{number(share * 100)} %"


def change_words(metric: Metric, effect: float, sign: float) -> str:
    """Say a relative change, of which positive is harm, in the metric's own direction."""
    if metric.kind in WORSE:
        return WORSE[metric.kind][0 if effect >= 0 else 1]
    rising = (effect >= 0) == (sign > 0)
    if metric.kind == "count":
        return "more frequent" if rising else "less frequent"
    return "higher" if rising else "lower"


def interval_words(low: float, high: float, *, worse: str, better: str, points: bool) -> str:
    """Say an interval whose ends are harm where positive."""
    unit = "points" if points else "%"

    def end(value: float) -> str:
        return number(abs(value) * (1 if points else 100))

    if low >= 0:
        return f"{end(low)} to {end(high)} {unit}"
    if high <= 0:
        return f"{end(high)} to {end(low)} {unit}"
    return f"{end(low)} {unit} {better} to {end(high)} {unit} {worse}"


def comparison_sentence(
    metric: Metric,
    sign: float,
    verdict: Verdict,
    estimate: tuple[float, float, float],
    level: float,
    seconds: int,
) -> str:
    """Return the sentence of a comparison that has data."""
    effect, low, high = estimate
    points = metric.limit.scale == "points"
    worse, better = change_words(metric, 1.0, sign), change_words(metric, -1.0, sign)
    size = f"{number(abs(effect))} points" if points else percentage(abs(effect))
    inside = interval_words(low, high, worse=worse, better=better, points=points)
    if not math.isfinite(high):
        inside = f"from {number(abs(low) * (1 if points else 100))} {'points' if points else '%'}"
    return (
        f"{subject(metric)} is {size} {worse if effect >= 0 else better} "
        f"({level:.0%} interval {inside}), margin {margin_words(metric.limit)}: "
        f"{verdict} after {duration(seconds)}"
    ).replace(f"{level:.0%}", f"{level * 100:.0f} %", 1)


def margin_words(margin: Margin) -> str:
    """Write a margin as a sentence does: "5 %", "4 points"."""
    if margin.scale == "points":
        return f"{number(margin.value)} points"
    return percentage(margin.value)


def no_data_sentence(metric: Metric, reason: str) -> str:
    """Return the sentence of a metric that cannot be compared."""
    return f"{subject(metric)} cannot be compared: {reason}"
