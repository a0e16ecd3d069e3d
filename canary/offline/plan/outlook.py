"""Forecast, before a run, the harm that it will find and the time to rule out the margins."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from canary.formatting import duration, is_wide, percent, points
from canary.judge.wording import chances_name, harm_words, margin_words, subject
from canary.learned import Learned
from canary.offline.plan.forecast import LIKELY_Z, Forecast, forecast
from canary.offline.plan.workload import TYPICAL_EVENTS, Workload
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

ENOUGH_EVENTS = 10.0
LONGEST = 32
"""Runs up to this many times the policy's maximum are considered before a plan says "never"."""


@dataclass(frozen=True, slots=True)
class MetricOutlook:
    """The results that a run can reach on one metric with 80 % power.

    Attributes:
        visible: the smallest harm found by the end, on the margin's scale.
        passes: seconds until a release without harm passes; None for never.
        fails: seconds until harm of twice the margin fails; None if not within the maximum.
        curve: (seconds, smallest harm found by then), to be drawn.
        reachable: the margin that the longest run can rule out.
        share: for counts of rare events, the smallest share of requests that is found.
    """

    metric: str
    margin: float
    visible: float
    passes: int | None
    fails: int | None
    reachable: float
    share: float | None
    curve: tuple[tuple[int, float], ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """The results that a run can reach on all its metrics."""

    maximum: int
    metrics: tuple[MetricOutlook, ...]

    @property
    def passes(self) -> int | None:
        """Seconds until a release without harm passes on all metrics; None for never."""
        times = [metric.passes for metric in self.metrics]
        known = [time for time in times if time is not None]
        return max(known) if len(known) == len(times) else None

    @property
    def sentence(self) -> str:
        """Whether the policy's time suffices, as a sentence."""
        slow = [m for m in self.metrics if m.passes is None or m.passes > self.maximum]
        if not slow:
            return f"A release without harm passes after about {duration(self.passes or 0)}"
        names = ", ".join(metric.metric for metric in slow)
        return f"A release without harm cannot pass within {duration(self.maximum)}: see {names}"


def plan(
    policy: Policy,
    workload: Workload,
    calibration: Mapping[str, Learned] | None = None,
    tell: Callable[[], object] = lambda: None,
) -> Outlook:
    """Forecast what a canary under ``policy`` can show; ``tell`` is called after each metric."""
    found = []
    for metric in policy.metrics:
        if not metric.muted:
            known = (calibration or {}).get(metric.name)
            found.append(_metric(policy, metric, workload, known))
        tell()
    return Outlook(policy.maximum, tuple(found))


def _metric(
    policy: Policy, metric: Metric, workload: Workload, known: Learned | None
) -> MetricOutlook:
    seen = forecast(policy, metric, workload, known)
    visible = _shown(metric, seen, seen.visible)
    curve = tuple(
        (_seconds(policy, at + 1), float(harm))
        for at, harm in enumerate(visible)
        if math.isfinite(harm)
    )
    fails = _first(seen.visible <= 2 * seen.rule.margin)
    passes = _time_to_pass(policy, metric, workload, known)
    outlook = MetricOutlook(
        metric=metric.name,
        margin=metric.limit.value,
        visible=float(visible[-1]),
        passes=passes,
        fails=None if fails is None else _seconds(policy, fails),
        reachable=float(_shown(metric, seen, seen.excluded)[-1]),
        share=_least_share(metric, workload, seen, policy),
        curve=curve,
        sentence="",
    )
    return replace(outlook, sentence=_sentence(policy, metric, outlook))


def _seconds(policy: Policy, periods: int) -> int:
    return policy.warmup + periods * policy.period


def _shown(metric: Metric, seen: Forecast, values: Floats) -> Floats:
    """Return differences on the margin's scale: 0.12 is 12 % worse."""
    if metric.limit.scale == "points":
        return values
    wide = np.minimum(values, 50.0)
    shown: Floats = np.expm1(wide) if seen.rule.sign > 0 else -np.expm1(-wide)
    return shown


def _first(hits: Mask) -> int | None:
    return int(np.argmax(hits)) + 1 if hits.any() else None


def _time_to_pass(
    policy: Policy, metric: Metric, workload: Workload, known: Learned | None
) -> int | None:
    """Return the seconds until a release without harm passes in a run that is long enough."""
    longer = policy
    while longer.maximum <= LONGEST * policy.maximum:
        seen = forecast(longer, metric, workload, known)
        periods = _first(_ruled_out(longer, metric, workload, seen))
        if periods is not None:
            return max(_seconds(policy, periods), policy.minimum)
        longer = longer.model_copy(update={"maximum": 2 * longer.maximum})
    return None


def meets(
    policy: Policy, metric: Metric, workload: Workload, known: Learned | None, harm: float
) -> bool:
    """Return whether a run can rule out a metric's margin in time, and find ``harm``.

    ``harm`` is relative, or in points; for more events it is a number per request.
    """
    seen = forecast(policy, metric, workload, known)
    if not _ruled_out(policy, metric, workload, seen).any():
        return False
    if metric.kind == "count" and seen.rule.sign > 0:
        least = _least_share(metric, workload, seen, policy)
        if least is not None:
            return least <= harm
        harm /= workload.events.get(metric.name, TYPICAL_EVENTS)
    return bool(_shown(metric, seen, seen.visible)[-1] <= harm)


def _ruled_out(policy: Policy, metric: Metric, workload: Workload, seen: Forecast) -> Mask:
    """Return whether harm beyond the margin is ruled out, period by period."""
    return _slight(policy, metric, workload, seen) | (seen.excluded <= seen.rule.margin)


def _slight(policy: Policy, metric: Metric, workload: Workload, seen: Forecast) -> Mask:
    """Return whether more than negligible extra events are ruled out, period by period."""
    count = len(seen.error)
    negligible = metric.negligible_rate
    if negligible <= 0:
        return np.zeros(count, dtype=bool)
    rate = workload.events.get(metric.name, TYPICAL_EVENTS)
    k = np.arange(1, count + 1)
    share = np.array(policy.steps)[-1]
    g, b = (
        (workload.rate * policy.period * share * k, workload.rate * policy.period * (1 - share) * k)
        if metric.per != "time"
        else (k * float(workload.instances[0]), k * float(workload.instances[1]))
    )
    z = np.minimum(seen.to_pass, 12.0)
    reach = (z + LIKELY_Z) * np.sqrt(rate / g + rate / np.maximum(b, 1e-9)) + z**2 / 2 / g
    fits: Mask = reach <= negligible
    return fits


def _sentence(policy: Policy, metric: Metric, outlook: MetricOutlook) -> str:
    name, margin = subject(metric), margin_words(metric)
    sees = f"{_found(metric, outlook)} found within {duration(policy.maximum)}"
    wide = is_wide(outlook.reachable, outlook.margin)
    reachable = "" if wide else _size(metric, outlook.reachable)
    if outlook.passes is None:
        only = f", only {reachable}" if reachable else ""
        return (
            f"{name}: {sees}; a margin of {margin} can never be ruled out{only}. "
            "Use more instances, or a wider margin"
        )
    needs = f"ruling out a margin of {margin} takes {duration(outlook.passes)}"
    if outlook.passes > policy.maximum:
        needs += ", longer than the maximum"
        needs += f", in which {reachable} can be ruled out" if reachable else ""
    return f"{name}: {sees}; {needs}"


def _found(metric: Metric, outlook: MetricOutlook) -> str:
    share = outlook.share
    if is_wide(outlook.visible, outlook.margin) if share is None else share >= 1:
        return "there is too little traffic for harm of any usual size to be"
    if share is None:
        return f"{harm_words(metric, outlook.visible)} is"
    events = f"an event in {percent(share)} of {chances_name(metric)}"
    return f"{events}, if there were none before, is"


def _size(metric: Metric, value: float) -> str:
    return points(value) if metric.limit.scale == "points" else percent(value)


def _least_share(
    metric: Metric, workload: Workload, seen: Forecast, policy: Policy
) -> float | None:
    """Return the share of requests with events that is found if the baseline has almost none.

    The probability that all ``a`` events fall on the candidate is its share to the power of ``a``.
    """
    rate = workload.events.get(metric.name, TYPICAL_EVENTS)
    count = len(seen.error)
    share = 0.5 if metric.per == "time" else policy.steps[-1]
    chances = count * (
        workload.instances[0] if metric.per == "time" else workload.rate * policy.period * share
    )
    if metric.kind != "count" or seen.rule.sign < 0 or rate * chances > ENOUGH_EVENTS:
        return None
    bound = seen.rule.spending.fail_bound(count, 0.4)
    events = math.log(float(ndtr(-bound))) / math.log(min(share, 0.99))
    return min((events + LIKELY_Z * math.sqrt(events)) / chances, 1.0)
