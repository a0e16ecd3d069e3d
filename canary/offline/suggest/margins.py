"""The smallest margin of a metric that a canary can rule out and whose harm it finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from canary.formatting import plural
from canary.judge.batch import Trace
from canary.judge.comparison import Arms
from canary.learned import Calibration
from canary.model import Verdict
from canary.offline.plan import Workload, meets
from canary.offline.suggest.drift import drift_words, drifted
from canary.offline.suggest.harm import harmed, rate_of_events, tested
from canary.offline.suggest.trials import Windows
from canary.policy import Metric, Policy
from canary.stats.paired import Mask

SHARES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0)
TIMES = (1.5, 2.0, 3.0, 5.0)
RARE = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
MOST_FALL, MOST_EVENTS = 0.5, 0.1
TAIL, LEAST_TAIL = 0.95, 0.1
FOUND, PASSED, FALSE = 0.95, 0.8, 0.01
"""Least share of harm that is found, least share of equal arms that PASS, and most that FAIL."""
FOUND_APART = 0.8
"""Least share of harm that is found while the instances drift in the other direction."""


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
    """Return margins of more events; ``rate`` is their usual number per request."""
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


@dataclass(frozen=True, slots=True)
class Fitted:
    """A metric with its margin, and sentences about it, which may be empty."""

    metric: Metric
    note: str = ""


def fit(
    policy: Policy,
    metric: Metric,
    windows: Windows,
    known: Calibration,
    workload: Workload,
    drift: float = 0.0,
) -> Fitted | str:
    """Return the metric with its margin, or why none can be given.

    The margin must also suit instances that have drifted apart by ``drift``. If windows FAIL at
    every margin, as after an incident of one instance, the margin with the fewest FAILs is taken,
    unless too many FAIL for chance.
    """
    arms = windows.arms.get(metric.name)
    if arms is None:
        return "No value could be compared"
    why, apart = "", drift_words(drift) if drift else ""
    bears = f"{apart}, which the margin bears" if drift else ""
    least: tuple[int, Metric] | None = None
    for keys in rungs(metric, arms):
        one = Trial(policy, with_margin(metric, keys), windows, known, drift, _words(keys))
        why = one.unproven(workload)
        if why:
            continue
        failed = one.failed()
        if not failed.any() or failed.mean() <= FALSE:
            return Fitted(one.metric, bears)
        why, alarms = one.alarming(failed), windows.independent(failed)
        if not windows.surely_more(alarms, FALSE) and (least is None or alarms < least[0]):
            least = alarms, one.metric
    if least is None:
        return ". ".join(filter(None, (apart, why)))
    return Fitted(least[1], ". ".join(filter(None, (bears, _alarms(least[0], windows)))))


@dataclass(frozen=True)
class Trial:
    """One margin of one metric, and the windows that test it."""

    policy: Policy
    metric: Metric
    windows: Windows
    known: Calibration
    drift: float
    margin: str

    def unproven(self, workload: Workload) -> str:
        """Return why the margin can't be ruled out, or its harm found; empty if both can."""
        arms, noise = self._arms, self.known.get(self.metric.name)
        policy, margin = replaced(self.policy, self.metric), self.margin
        if not meets(policy, self.metric, workload, noise, tested(self.metric, arms)):
            return f"In this time a margin of {margin} can't be ruled out, or its harm found"
        if (share := float((self._equal.first_pass > 0).mean())) < PASSED:
            return (
                f"With a margin of {margin}, only {share:.0%} of equal instances pass in this time"
            )
        found = self._found(arms)
        if found >= FOUND and self.drift:
            apart = self._found(drifted(self.metric, arms, -self.drift))
            found = found if apart >= FOUND_APART else apart
        if found < FOUND:
            return f"Harm as large as a margin of {margin} is found in only {found:.0%} of cases"
        return ""

    def _found(self, arms: Arms) -> float:
        """Return the share of windows in which harm is found."""
        worse = harmed(self.metric, arms, tested(self.metric, self._arms))
        return float((self._judged(worse).verdicts() == str(Verdict.FAIL)).mean())

    def failed(self) -> Mask:
        """Return which windows of equal instances FAIL."""
        return np.asarray(self._equal.first_fail > 0)

    def alarming(self, failed: Mask) -> str:
        """Return a sentence about the instances whose equal windows FAIL."""
        return (
            f"Equal instances differ: with a margin of {self.margin}, {failed.mean():.1%} of them "
            "would FAIL"
        )

    @property
    def _arms(self) -> Arms:
        return self.windows.arms[self.metric.name]

    @cached_property
    def _equal(self) -> Trace:
        """The verdicts of the windows if only the drift separates the groups."""
        return self._judged(drifted(self.metric, self._arms, self.drift))

    def _judged(self, arms: Arms) -> Trace:
        policy = replaced(self.policy, self.metric)
        return self.windows.judge(policy, self.known, {self.metric.name: arms})


def replaced(policy: Policy, metric: Metric) -> Policy:
    """Return the policy with one of its metrics replaced."""
    metrics = tuple(metric if one.name == metric.name else one for one in policy.metrics)
    return policy.model_copy(update={"metrics": metrics})


def _alarms(alarms: int, windows: Windows) -> str:
    total = plural(windows.independent(), "independent window")
    return f"Equal instances would FAIL in {alarms} of {total} that chose the margin, at any margin"


def _words(keys: dict[str, Any]) -> str:
    more = f" or {keys['negligible']} more" if "negligible" in keys else ""
    return f"{keys['margin']}{more}"


def _percent(share: float) -> str:
    return f"{100 * share:g}%"
