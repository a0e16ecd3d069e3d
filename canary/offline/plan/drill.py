"""The time that a policy needs to refuse the errors or the delay of a drill."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import log_ndtr

from canary.formatting import duration, listed
from canary.learned import Learned
from canary.offline.plan.forecast import LIKELY_Z, Forecast, forecast, step_shares
from canary.offline.plan.outlook import ENOUGH_EVENTS
from canary.offline.plan.workload import TYPICAL_EVENTS, Workload
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.paired import Mask

TWICE = 2.0
"""If the size of the harm is unknown, it is assumed to be this many margins."""


def time_to_refuse(
    policy: Policy,
    metrics: Sequence[Metric],
    workload: Workload,
    calibration: Mapping[str, Learned],
    errors: float,
) -> int | None:
    """Return the seconds until one of ``metrics`` fails, with 80 % power; None for never.

    ``errors`` is the share of the candidate's requests that fail because of the drill. Without
    errors, harm of twice the margin is assumed.
    """
    times = [
        _time(policy, metric, workload, calibration.get(metric.name), errors) for metric in metrics
    ]
    known = [time for time in times if time is not None]
    return min(known, default=None)


def foreseen(
    policy: Policy,
    metrics: Sequence[Metric],
    rate: float,
    seconds: int | None,
    errors: float,
    *,
    writes: bool = False,
) -> str:
    """Return the plan of a drill as a sentence. Without ``writes``, only reads get errors."""
    names = listed([metric.name for metric in metrics])
    traffic = f"With {rate:.3g} requests per second, {names}"
    end = f"the policy's maximum is {duration(policy.maximum)}"
    if seconds is None:
        remedy = "more traffic, a larger share, a longer maximum, or a smaller negligible"
        return f"{traffic} will hardly show this drill, and {end}. The policy needs {remedy}"
    condition = ", if the delay is twice the margin"
    if errors:
        condition = "" if writes else ", if all requests are GET, HEAD or OPTIONS"
    soon = f"should refuse the candidate after about {duration(seconds)}{condition}"
    return f"{traffic} {soon}; {end}"


def _time(
    policy: Policy, metric: Metric, workload: Workload, known: Learned | None, errors: float
) -> int | None:
    seen = forecast(policy, metric, workload, known)
    if errors and metric.kind == "count" and metric.per != "time":
        if errors <= metric.negligible_rate:
            return None
        found = _events_found(policy, metric, workload, seen.harm or seen, errors)
    else:
        found = seen.visible <= TWICE * seen.rule.margin
    if not found.any():
        return None
    return policy.warmup + (int(np.argmax(found)) + 1) * policy.period


def _events_found(
    policy: Policy, metric: Metric, workload: Workload, seen: Forecast, errors: float
) -> Mask:
    """Return whether the extra events are found, period by period."""
    shares, requests = step_shares(policy, metric), workload.rate * policy.period
    candidate, baseline = np.cumsum(requests * shares), np.cumsum(requests * (1 - shares))
    usual = workload.events.get(metric.name, TYPICAL_EVENTS)
    enough = usual * (candidate + baseline) > ENOUGH_EVENTS
    found: Mask = np.where(
        enough,
        _compared(candidate, baseline, usual, errors, seen),
        _by_chance(candidate, baseline, errors, seen),
    )
    found &= candidate >= policy.traffic_rule.minimum_samples
    return found


def _compared(
    candidate: Floats, baseline: Floats, usual: float, errors: float, seen: Forecast
) -> Mask:
    """Return whether the comparison of both arms' rates finds the extra events."""
    some = np.maximum(baseline, 1e-9)
    alike = np.sqrt(usual / candidate + usual / some)
    harmed = np.sqrt((usual + errors) / candidate + usual / some)
    found: Mask = errors >= seen.to_fail * alike + LIKELY_Z * harmed
    return found & (math.log1p(errors / max(usual, 1e-9)) >= seen.rule.gate)


def _by_chance(candidate: Floats, baseline: Floats, errors: float, seen: Forecast) -> Mask:
    """Return whether events on the candidate alone are too many for chance."""
    looks = range(1, len(candidate) + 1)
    bounds = np.array([seen.rule.spending.fail_bound(look, 0.4) for look in looks])
    chance = np.minimum(candidate / (candidate + baseline), 0.99)
    events = log_ndtr(-bounds) / np.log(chance)
    found: Mask = errors * candidate >= events + LIKELY_Z * np.sqrt(events)
    return found
