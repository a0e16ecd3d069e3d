"""The smallest margin of a metric that a canary can rule out, and whose harm it finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from canary.judge.comparison import Arms
from canary.learned import Calibration
from canary.offline.plan import Workload, meets
from canary.offline.suggest.trials import Windows, harmed, rate_of_events, tested
from canary.policy import Metric, Policy

SHARES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0)
TIMES = (1.5, 2.0, 3.0, 5.0)
RARE = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
MOST_FALL, MOST_EVENTS = 0.5, 0.1
TAIL, LEAST_TAIL = 0.95, 0.1
FOUND, PASSED, FALSE = 0.95, 0.8, 0.01
"""Least shares of harm that is found and of equal arms that pass, and most of those that FAIL."""


def with_margin(metric: Metric, keys: dict[str, Any]) -> Metric:
    """Return a metric with other keys."""
    return Metric.model_validate({**metric.model_dump(exclude_unset=True), **keys})


def rungs(metric: Metric, arms: Arms) -> Iterator[dict[str, Any]]:
    """Return the margins to try, the smallest harm first."""
    if metric.kind == "count" and metric.harmful != "decrease":
        yield from _of_events(metric, rate_of_events(arms))
        return
    least = LEAST_TAIL if (metric.quantile or 0.0) >= TAIL else SHARES[0]
    most = MOST_FALL if metric.harmful in ("decrease", "either") else SHARES[-1]
    yield from ({"margin": _percent(share)} for share in SHARES if least <= share <= most)


def _of_events(metric: Metric, rate: float) -> list[dict[str, Any]]:
    """Return margins of more events; ``rate`` is how often they happen."""
    if metric.per == "time":
        return [{"margin": f"x{times:g}"} for times in TIMES]
    found = [
        (max(rate * (times - 1), 2 * share), share, times) for times in TIMES for share in RARE
    ]
    return [
        {"margin": f"x{times:g}", "negligible": _percent(share)}
        for harm, share, times in sorted(found)
        if harm <= max(MOST_EVENTS, rate)
    ]


def fit(
    policy: Policy, metric: Metric, windows: Windows, known: Calibration, workload: Workload
) -> Metric | str:
    """Return the metric with its margin, or why none can be given."""
    arms = windows.arms.get(metric.name)
    if arms is None:
        return "No value could be compared"
    why = ""
    for keys in rungs(metric, arms):
        chosen = with_margin(metric, keys)
        trial = replaced(policy, chosen)
        harm = tested(chosen, arms)
        if meets(trial, chosen, workload, known.get(metric.name), harm):
            why = _shown(trial, chosen, windows, known, _words(keys))
            if not why:
                return chosen
        else:
            why = f"In this time a margin of {_words(keys)} can't be ruled out, or its harm found"
    return why


def replaced(policy: Policy, metric: Metric) -> Policy:
    """Return the policy with one of its metrics replaced."""
    metrics = tuple(metric if one.name == metric.name else one for one in policy.metrics)
    return policy.model_copy(update={"metrics": metrics})


def _shown(
    policy: Policy, metric: Metric, windows: Windows, known: Calibration, margin: str
) -> str:
    """Return what the windows say against a margin, or an empty string."""
    arms = windows.arms[metric.name]
    equal = windows.judge(policy, known, {metric.name: arms})
    if (share := float((equal.first_fail > 0).mean())) > FALSE:
        return f"Equal instances differ: with a margin of {margin}, {share:.1%} of them would FAIL"
    if (share := float((equal.first_pass > 0).mean())) < PASSED:
        return f"With a margin of {margin}, only {share:.0%} of equal instances pass in this time"
    worse = harmed(metric, arms, tested(metric, arms))
    found = windows.judge(policy, known, {metric.name: worse})
    first = np.where(found.first_fail > 0, found.first_fail, np.inf)
    before = np.where(found.first_pass > 0, found.first_pass, np.inf)
    if (share := float(((first <= before) & np.isfinite(first)).mean())) < FOUND:
        return f"Harm of the size of a margin of {margin} is found in only {share:.0%} of the cases"
    return ""


def _words(keys: dict[str, Any]) -> str:
    more = f" or {keys['negligible']} more" if "negligible" in keys else ""
    return f"{keys['margin']}{more}"


def _percent(share: float) -> str:
    return f"{100 * share:g}%"
