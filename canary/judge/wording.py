"""The sentences of findings: the size of a difference, its counts, and what the policy allows."""

from __future__ import annotations

import math
import re

from canary.formatting import (
    LARGEST_PERCENT,
    UNKNOWN,
    number,
    percent,
    points,
    quantity,
    says_nothing,
)
from canary.policy import Metric

WORSE = {
    "latency": ("slower", "faster"),
    "quantile": ("slower", "faster"),
    "throughput": ("less", "more"),
}
UNDECIDED = "Undecided"
"""The end of the sentence of a metric that is not decided yet. INCONCLUSIVE is only for
canaries."""
ACRONYMS = {"cpu": "CPU", "qps": "QPS", "rps": "RPS"}

MUCH_LESS = -0.9
"""From this relative change on, "20 times faster" says more than "95 % faster"."""
APART = 0.25
"""If the rates of the whole run differ from the deciding estimate by more than this log ratio, the
sentence names both."""

Estimate = tuple[float, float, float | None]
"""An effect, and the limits of its interval. Positive is harm. None: no upper limit."""


def subject(metric: Metric) -> str:
    """Return what a sentence calls the metric: "p90 latency"."""
    words = re.split(r"[\W_]+", metric.name)
    if metric.kind == "quantile" and metric.statistic_name not in words:
        return f"{metric.statistic_name} {metric.name}"
    return metric.name


def headline(metric: Metric) -> str:
    """Return the metric's name as the first word of a sentence: "Errors", "CPU", "p90 latency"."""
    first, space, rest = subject(metric).replace("_", " ").partition(" ")
    if first in ACRONYMS:
        first = ACRONYMS[first]
    elif first.isalpha():
        first = first.capitalize() if first.islower() else first
    return f"{first}{space}{rest}"


def directions(metric: Metric, sign: float) -> tuple[str, str]:
    """Return the words for harm and for its opposite."""
    if metric.kind in WORSE:
        return WORSE[metric.kind]
    more, less = ("more", "fewer") if metric.kind == "count" else ("higher", "lower")
    return (more, less) if sign > 0 else (less, more)


def size_words(metric: Metric, effect: float, sign: float) -> str:
    """Return an effect in words: "12 % slower", "3 points higher"."""
    worse, better = directions(metric, sign)
    if effect < MUCH_LESS and sign > 0 and metric.limit.scale == "relative":
        return f"{number(1 / max(1 + effect, 1e-9))} times {better}"
    if effect >= LARGEST_PERCENT / 100 and metric.limit.scale == "relative":
        return f"{number(1 + effect)} times {worse}"
    return f"{amount(metric, abs(effect))} {worse if effect >= 0 else better}"


def amount(metric: Metric, size: float) -> str:
    """Return a size on the scale of the metric's margin: "12 %", "3 points"."""
    return points(size) if metric.limit.scale == "points" else percent(size)


def interval_words(metric: Metric, low: float, high: float | None, sign: float) -> str:
    """Return an interval in words: "9 % to 15 % slower"."""
    if high is None:
        return f"at least {size_words(metric, low, sign)}" if low > 0 else UNKNOWN
    if says_nothing(low, high, metric.limit.value):
        return UNKNOWN
    if low < MUCH_LESS and high < MUCH_LESS and metric.limit.scale == "relative" and sign > 0:
        ends = (number(1 / max(1 + end, 1e-9)) for end in (high, low))
        return f"{' to '.join(ends)} times {directions(metric, sign)[1]}"
    if low >= 0 or high <= 0:
        near, far = sorted((low, high), key=abs)
        return f"{amount(metric, abs(near))} to {size_words(metric, far, sign)}"
    return f"{size_words(metric, low, sign)} to {size_words(metric, high, sign)}"


def harm_words(metric: Metric, value: float) -> str:
    """Return a least harm in words: "harm of 12 % or more", "a rise to 4 times the ...".

    From a doubling on, a multiple is easier to read than a percentage.
    """
    if metric.limit.scale == "points" or value < 1:
        return f"harm of {amount(metric, value)} or more"
    return f"a rise to {number(1 + value)} times the baseline or more"


def margin_words(metric: Metric) -> str:
    """Return a metric's margin: "5 %", "4 points", "1.5 times"."""
    margin = metric.limit
    if margin.scale == "relative" and metric.kind == "count" and metric.harmful == "increase":
        words = f"{number(1 + margin.value)} times"
    else:
        words = amount(metric, margin.value)
    if metric.negligible_rate > 0:
        words += f" or {percent(metric.negligible_rate)} of {chances_name(metric)}"
    return words


def allowed_words(metric: Metric, sign: float) -> str:
    """Return what the policy allows: "1.5 times the baseline or 1 % more", "5 % slower"."""
    margin = metric.limit
    if margin.scale == "relative" and metric.kind == "count" and metric.harmful == "increase":
        words = f"{number(1 + margin.value)} times the baseline"
    elif metric.harmful == "either":
        words = f"{amount(metric, margin.value)} in either direction"
    else:
        words = f"{amount(metric, margin.value)} {directions(metric, sign)[0]}"
    if metric.negligible_rate > 0:
        rate = metric.negligible_rate
        more = (
            f"{number(rate)} more per period" if metric.per == "time" else f"{percent(rate)} more"
        )
        words += f" or {more}"
    if metric.negligible_amount > 0 and metric.limit.scale == "relative":
        more = "less" if sign < 0 else "more"
        words += f" or {quantity(metric.negligible_amount, metric.unit or '')} {more}"
    return words


def chances_name(metric: Metric) -> str:
    """Return the unit that a count is divided by."""
    return "periods" if metric.per == "time" else metric.per


def comparison_sentence(
    metric: Metric, sign: float, estimate: Estimate, level: float, ending: str
) -> str:
    """Return the sentence of a metric other than a count."""
    effect, low, high = estimate
    return (
        f"{headline(metric)}: {size_words(metric, effect, sign)} than the baseline "
        f"({percent(level)} interval: {interval_words(metric, low, high, sign)}). "
        f"Allowed: {allowed_words(metric, sign)}. {ending}"
    )


def growth_sentence(metric: Metric, growth: float, allowed: float) -> str:
    """Return the sentence of a level that grows faster than the policy allows."""
    return f"It grows {amount(metric, growth)} a minute faster, allowed: {amount(metric, allowed)}."


def count_sentence(
    metric: Metric,
    sign: float,
    totals: dict[str, float],
    estimate: Estimate,
    level: float,
    ending: str,
) -> str:
    """Return the sentence of a count: both rates, with the numbers behind them."""
    rates = f"{_rate(metric, totals, 'candidate')}, {_rate(metric, totals, 'baseline')}"
    if metric.per != "time" and totals["candidate_events"] + totals["baseline_events"] == 0:
        rates = (
            f"none in {totals['candidate_chances']:,.0f} {metric.per} of the candidate and "
            f"{totals['baseline_chances']:,.0f} of the baseline"
        )
    decides = _decides(metric, sign, totals, estimate, level)
    return f"{headline(metric)}: {rates}. {decides}Allowed: {allowed_words(metric, sign)}. {ending}"


def _decides(
    metric: Metric, sign: float, totals: dict[str, float], estimate: Estimate, level: float
) -> str:
    """Return the deciding estimate in words, if it differs from the rates of the whole run.

    If the baseline had no event, a multiple of its rate is meaningless.
    """
    effect, low, high = estimate
    if totals["baseline_events"] == 0:
        return ""
    crude = (totals["candidate_events"] + 0.5) / (totals["baseline_events"] + 0.5)
    chances = totals["baseline_chances"] / max(totals["candidate_chances"], 1e-9)
    change = sign * (crude * chances - 1)
    least = min(1 + sign * change, 1 + sign * effect)
    if least <= 0 or abs(math.log((1 + sign * change) / (1 + sign * effect))) < APART:
        return ""
    return (
        f"The estimate that decides weighs single periods less: {size_words(metric, effect, sign)} "
        f"({percent(level)} interval: {interval_words(metric, low, high, sign)}). "
    )


def _rate(metric: Metric, totals: dict[str, float], arm: str) -> str:
    """Return one arm's rate: "20 % of the candidate's requests failed (61 of 298)"."""
    events, chances = totals[f"{arm}_events"], totals[f"{arm}_chances"]
    if metric.per == "time":
        return f"{number(events)} on the {arm}"
    if chances <= 0:
        return f"no {metric.per} of the {arm} are known"
    failed = " failed" if metric.is_failure and arm == "candidate" else ""
    whose = f"the candidate's {metric.per}{failed}" if arm == "candidate" else "the baseline's"
    return f"{percent(events / chances)} of {whose} ({events:,.0f} of {chances:,.0f})"


def no_data_sentence(metric: Metric, reason: str) -> str:
    """Return the sentence of a metric that cannot be compared."""
    return f"{headline(metric)} cannot be compared: {reason}"
