"""Findings in words: what, by how much, how sure, against which margin, and since when."""

from __future__ import annotations

import re

from canary.formatting import number, percentage
from canary.policy import Margin, Metric

WORSE = {
    "latency": ("slower", "faster"),
    "quantile": ("slower", "faster"),
    "throughput": ("less", "more"),
}
MANY_TIMES = 3.0
"""From this ratio on a change is said as "14 times as many", below it as "40 % more"."""


def subject(metric: Metric) -> str:
    """Return what a reader calls the metric: "p90 latency"."""
    words = re.split(r"[\W_]+", metric.name)
    if metric.kind == "quantile" and metric.statistic_name not in words:
        return f"{metric.statistic_name} {metric.name}"
    return metric.name


def directions(metric: Metric, sign: float) -> tuple[str, str]:
    """Return the words for harm and for its opposite."""
    if metric.kind in WORSE:
        return WORSE[metric.kind]
    more, less = ("more", "fewer") if metric.kind == "count" else ("higher", "lower")
    return (more, less) if sign > 0 else (less, more)


def size_words(metric: Metric, effect: float, sign: float) -> str:
    """Say an effect, of which positive is harm: "12 % slower", "3 points higher"."""
    worse, better = directions(metric, sign)
    if metric.limit.scale == "points":
        size = f"{number(abs(effect))} points"
    elif effect >= MANY_TIMES - 1 and sign > 0 and metric.kind == "count":
        return f"{number(1 + effect)} times as many"
    else:
        size = percentage(abs(effect))
    return f"{size} {worse if effect >= 0 else better}"


def interval_words(metric: Metric, low: float, high: float | None, sign: float) -> str:
    """Say an interval whose ends are harm where positive: "9 to 15 % slower"."""
    if high is None:
        return f"open, at least {size_words(metric, low, sign)}"
    if high >= MANY_TIMES - 1 and low >= 0 and sign > 0 and metric.kind == "count":
        return f"{number(1 + low)} to {number(1 + high)} times"
    if low >= 0 or high <= 0:
        near, far = sorted((abs(low), abs(high)))
        points = metric.limit.scale == "points"
        return f"{number(near if points else 100 * near)} to {size_words(metric, far, 1.0)}".rsplit(
            " ", 1
        )[0]
    return f"{size_words(metric, low, sign)} to {size_words(metric, high, sign)}"


def margin_words(metric: Metric) -> str:
    """Write a metric's margin: "5 %", "4 points", "1.5 times"."""
    margin: Margin = metric.limit
    if margin.scale == "points":
        words = f"{number(margin.value)} points"
    elif metric.kind == "count" and metric.harmful == "increase":
        words = f"{number(1 + margin.value)} times"
    else:
        words = percentage(margin.value)
    if metric.negligible_rate > 0:
        words += f" or {percentage(metric.negligible_rate)} of {chances_name(metric)}"
    return words


def chances_name(metric: Metric) -> str:
    """Return what a count is counted against."""
    return "periods" if metric.per == "time" else metric.per


def comparison_sentence(
    metric: Metric,
    sign: float,
    estimate: tuple[float, float, float | None],
    level: float,
    ending: str,
) -> str:
    """Return the sentence of a comparison that has data."""
    effect, low, high = estimate
    return (
        f"{subject(metric)} is {size_words(metric, effect, sign)} "
        f"({100 * level:.0f} % interval {interval_words(metric, low, high, sign)}), "
        f"margin {margin_words(metric)}: {ending}"
    )


def count_sentence(
    metric: Metric,
    sign: float,
    estimate: tuple[float, float, float | None],
    level: float,
    totals: dict[str, float],
    ending: str,
) -> str:
    """Return the sentence of a comparison of counts: the rates first, then the ratio."""
    g, b = totals["candidate_events"], totals["baseline_events"]
    n_g, n_b = totals["candidate_chances"], totals["baseline_chances"]
    chances = chances_name(metric)
    if g + b == 0:
        return (
            f"{subject(metric)}: none in {n_g:,.0f} {chances} of the candidate and {n_b:,.0f} of "
            f"the baseline, margin {margin_words(metric)}: {ending}"
        )
    effect, low, high = estimate
    return (
        f"{subject(metric)}: {percentage(g / n_g)} of {chances} ({g:,.0f} of {n_g:,.0f}) against "
        f"{percentage(b / n_b)} on the baseline, {size_words(metric, effect, sign)} "
        f"({100 * level:.0f} % interval {interval_words(metric, low, high, sign)}), "
        f"margin {margin_words(metric)}: {ending}"
    )


def no_data_sentence(metric: Metric, reason: str) -> str:
    """Return the sentence of a metric that cannot be compared."""
    return f"{subject(metric)} cannot be compared: {reason}"
