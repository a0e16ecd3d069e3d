"""Whether a calibration is valid for this environment and policy."""

from __future__ import annotations

from dataclasses import replace

from canary.learned import Calibration, Fingerprint
from canary.policy import Metric, Policy

AGAIN = "Learn it again: canary rehearse"


def fingerprint_of(policy: Policy, source: str, hosts: int | None) -> Fingerprint:
    """Return the fingerprint of a policy over ``source``, with ``hosts`` of the live release."""
    metrics = {metric.name: definition(metric) for metric in policy.metrics}
    return Fingerprint(policy.period, source, hosts, metrics)


def definition(metric: Metric) -> str:
    """Describe how a metric is measured, and the scale of its noise."""
    words = [metric.kind, metric.statistic_name, "of", metric.source_name]
    words += [f"per {metric.per}"] * (metric.kind == "count")
    words += ["in points"] * (metric.limit.scale == "points")
    return " ".join(filter(None, words))


def usable(calibration: Calibration, here: Fingerprint) -> tuple[Calibration, tuple[str, ...]]:
    """Return the valid part of a calibration, and a warning for each invalid part."""
    if not calibration.metrics:
        return calibration, ()
    if why := _elsewhere(calibration.fingerprint, here):
        return Calibration(), (f"The calibration is not used: {why}. {AGAIN}",)
    learned = calibration.fingerprint.metrics if calibration.fingerprint else {}
    other = [
        name
        for name in calibration.metrics
        if name in here.metrics and learned.get(name) != here.metrics[name]
    ]
    kept = {name: known for name, known in calibration.metrics.items() if name not in other}
    warnings = tuple(
        f"The calibration of {name} is not used: it was learned as {learned.get(name)}, and is now "
        f"{here.metrics[name]}. {AGAIN}"
        for name in other
    )
    return replace(calibration, metrics=kept), warnings


def _elsewhere(there: Fingerprint | None, here: Fingerprint) -> str:
    """Return how two environments differ, or an empty string."""
    if there is None:
        return "it does not name the environment that it was learned in"
    both = (
        (f"{there.period} s periods", f"{here.period} s periods", there.period == here.period),
        (there.source, here.source, there.source == here.source),
    )
    old = " and ".join(one for one, _, same in both if not same)
    new = " and ".join(other for _, other, same in both if not same)
    return f"it was learned with {old}, and this environment has {new}" if old else ""
