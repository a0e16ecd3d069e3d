"""Advice after INCONCLUSIVE: more time, more hosts, or a wider margin."""

from __future__ import annotations

import math

from canary.formatting import duration, is_wide, listed, number, percent, points
from canary.judge.reasons import Case
from canary.judge.wording import amount, margin_words, subject
from canary.model import Finding
from canary.policy import Metric

MOST_TIMES = 20.0
"""More time is not advised if it would exceed this many times the run so far."""
FEW = 3
"""The sentences of this many metrics that cannot be compared are shown."""


def advice_of(case: Case) -> str:
    """Return what would lead to a PASS, from the metric that needs the most time."""
    if case.quality.blocking:
        return "Fix the data first. A longer run does not help."
    if unmeasured := [one for one in case.undecided if one.effect is None]:
        return _measurable(unmeasured)
    if doubted := [one.metric for one in case.undecided if "doubted" in one.details]:
        return f"Correct the data of {listed(doubted)} first. A longer run does not help."
    metrics = {metric.name: metric for metric in case.policy.metrics}
    needs = [
        (needed_time(finding, case), finding)
        for finding in case.undecided
        if finding.metric in metrics and _measured(finding)
    ]
    if not needs:
        return _without_estimates(case)
    worst, finding = max(needs, key=lambda need: need[0])
    return _sentence(case, metrics[finding.metric], finding, worst)


def _measurable(unmeasured: list[Finding]) -> str:
    """Return which metrics need data first; the headline holds the sentence of the first one."""
    names = listed([one.metric for one in unmeasured])
    others = "".join(f". {one.sentence}" for one in unmeasured[1:FEW])
    return f"First make {names} measurable; the reason says how{others}"


def _measured(finding: Finding) -> bool:
    return finding.effect is not None and "error" in finding.details and finding.periods > 0


def needed_time(finding: Finding, case: Case) -> float:
    """Return how many more seconds would rule out harm beyond the margin if the estimate stays."""
    own, host, bound = _parts(finding)
    room = (_log_margin(finding) - _log_effect(finding)) / bound
    left = room**2 - host**2
    times = own**2 / left if room > 0 and left > 0 else math.inf
    if times > MOST_TIMES:
        return math.inf
    return max(times - 1.0, 0.0) * max(case.elapsed - case.policy.warmup, 0)


def _parts(finding: Finding) -> tuple[float, float, float]:
    details = finding.details
    host, error = details["host"], details["error"]
    return math.sqrt(max(error**2 - host**2, 0.0)), host, max(details["bound"], 1.0)


def _log_margin(finding: Finding) -> float:
    return _as_log(finding, finding.margin or 0.0)


def _log_effect(finding: Finding) -> float:
    return _as_log(finding, finding.effect or 0.0)


def _as_log(finding: Finding, value: float) -> float:
    return math.log1p(max(value, -0.99)) if finding.relative else value


def passing_margin(finding: Finding, case: Case) -> float:
    """Return the margin beyond which the longest run would rule out harm."""
    own, host, bound = _parts(finding)
    seen = max(case.elapsed - case.policy.warmup, 1)
    longest = max(case.policy.maximum - case.policy.warmup, seen)
    reach = _log_effect(finding) + bound * math.sqrt(own**2 * seen / longest + host**2)
    return math.expm1(reach) if finding.relative else reach


def _sentence(case: Case, metric: Metric, finding: Finding, seconds: float) -> str:
    wider = passing_margin(finding, case)
    margin = wider_margin(metric, finding, wider)
    if grows := _growth(case, metric, finding):
        return grows
    if wider <= (finding.margin or 0.0):  # the newest periods withhold PASS, not the margin
        return _soon(case, metric, finding, seconds)
    name = subject(metric)
    left = max(case.policy.maximum - case.elapsed, 0)
    if math.isinf(seconds) and _noisy(finding):
        return (
            f"{name} needs far more data than a longer run gives: give both releases more traffic "
            f"or use more instances{margin}"
        )
    if math.isinf(seconds):
        return (
            f"A longer run does not decide {name}: its hosts differ too much, or its effect is too "
            f"close to the margin. Use more instances per release{margin}"
        )
    more = duration(max(math.ceil(seconds), case.policy.period))
    if seconds <= left:
        return f"About {more} more at this split would decide {name}{margin}"
    end = f"only {duration(left)} are left" if left > 0 else "the run has ended"
    return (
        f"{name} needs about {more} more, but {end}. Make the run longer or give the candidate "
        f"more traffic{margin}"
    )


def wider_margin(metric: Metric, finding: Finding, wider: float) -> str:
    """Return the margin that would let the metric pass, if it is of use and differs visibly."""
    if is_wide(wider, finding.margin or 1.0):
        return ""  # nobody would accept such a margin
    if finding.relative and metric.kind == "count" and metric.harmful == "increase":
        words = f"{number(1 + wider)} times"
    else:
        words = percent(wider) if finding.relative else points(wider)
    now = margin_words(metric)
    return "" if words == now else f", or accept a margin of {words} instead of {now}"


def _growth(case: Case, metric: Metric, finding: Finding) -> str:
    """Return what to do about a level that grows faster than the policy accepts, or ""."""
    slope, drift = finding.details.get("slope"), case.policy.drift_of(metric).value
    growth = 0.0 if slope is None else slope * 60 / case.policy.period
    if metric.kind != "level" or growth <= drift:
        return ""
    return (
        f"{subject(metric)} grows {amount(metric, growth)} a minute faster than the baseline's, "
        f"{amount(metric, drift)} is accepted. See in a longer run whether that ends, or accept "
        "more (drift)"
    )


def _noisy(finding: Finding) -> bool:
    """Return whether more data would help: noise exceeds the difference between hosts."""
    own, host, _ = _parts(finding)
    return own > host and _log_effect(finding) < _log_margin(finding)


def _soon(case: Case, metric: Metric, finding: Finding, seconds: float) -> str:
    ended = max(case.policy.maximum - case.elapsed, 0) <= 0
    if ended and "newest_periods" not in finding.details:
        return f"A longer run would decide {subject(metric)}: it is within its margin so far"
    if ended:
        return (
            f"See what happened to {subject(metric)} in the newest periods: only they keep it from "
            "PASS. Then run it again"
        )
    more = case.policy.period if math.isinf(seconds) else max(seconds, case.policy.period)
    return f"About {duration(math.ceil(more))} more at this split would decide {subject(metric)}"


def _without_estimates(case: Case) -> str:
    left = max(case.policy.minimum - case.elapsed, 0)
    return f"The minimum duration is reached in {duration(left)}" if left else ""
