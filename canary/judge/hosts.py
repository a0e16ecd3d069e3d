"""One host of an arm that is not like the others: found in the newest periods of each host.

A mean over an arm dilutes what happens to one host of eight. So each host is compared by itself,
over the newest periods: with the other arm to find a bad host of the candidate, and with the rest
of its own arm to find a sick host of the baseline. A burst of one host is common, so every part of
these periods must show the difference, and it must be large; chance is held off by a share of
alpha that is divided among the hosts and spread over the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canary.judge.newest import newest
from canary.judge.rule import Rule, share_of
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats, upper_tail_z
from canary.stats.effects import log_ratio, mean_variance, quantile_variance
from canary.stats.paired import Noise, inflation

Mask = npt.NDArray[np.bool_]

HOSTS = 0.04
"""The share of alpha for one bad host."""
PART = 3
SINCE_START, LATER, YOUNG = 12, 18, 17
"""Newest periods that must all show it, in parts of three. Fewer will do while a run is so young:
a burst seldom begins with it."""
HOLDING = 6
"""Newest periods that withhold PASS."""
MISSED = 4
"""Periods that may be missing among them."""
TIMES = {"latency": 1.25, "quantile": 1.25, "gauge": 1.5, "count": 3.0}
"""How many times the other value a host's must be."""
EACH = 0.7
"""The share of that, on the log scale, that each part must reach."""
FADED = 0.5
"""A last part that is smaller than this share of the first is a warm-up that fades."""
FEW_HOSTS, FEW, MANY = 4, 6, 4
"""Hosts of an arm, and the newest periods in which all of them must agree: with fewer hosts more
periods, for a burst hits one host, seldom several at once."""
SOON = 8
"""Until so many periods are seen; later it takes some more."""
HALVES = 0.5
"""The share of the ratio, on the log scale, that each host must reach in each half of them."""
LEAST_EVENTS, TIMED_EVENTS = 0.005, 0.5
"""Extra events per request, or per period: fewer are not worth a host's name."""
EXPECTED = 0.2
"""Noise that single hosts' counts may have in a period, whatever an arm has."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """One metric of some hosts, and what each is compared with: arrays ``[hosts, periods]``.

    ``chances`` are samples; for counts the requests, or the hosts.
    """

    values: Floats
    chances: Floats
    other: Floats
    other_chances: Floats


@dataclass(frozen=True, slots=True)
class Apart:
    """How far each host is from what it is compared with, over its newest periods.

    ``effect`` is positive where harmful: the log of a ratio. ``stands`` are the hosts that stand
    out beyond chance and bursts.
    """

    effect: Floats
    stands: Mask


def failing_periods(seen: int) -> int:
    """Return how many of the newest periods must show a host apart after ``seen`` periods."""
    return SINCE_START if seen <= YOUNG else LATER


def against(rows: Floats, chances: Floats, other: tuple[Floats, Floats]) -> Hosts:
    """Compare hosts with the pooled values and chances of another arm."""
    value, chance = (np.broadcast_to(one, rows.shape) for one in other)
    return Hosts(rows, chances, value, chance)


def against_hosts(
    arms: tuple[Floats, Floats, Floats, Floats], hosts: tuple[Floats, Floats]
) -> Hosts:
    """Compare the candidate, all hosts together, with each host of the baseline."""
    value, chance = (np.broadcast_to(one, hosts[0].shape) for one in arms[:2])
    return Hosts(value, chance, *hosts)


def against_rest(metric: Metric, rows: Floats, chances: Floats) -> Hosts:
    """Compare each host with the other hosts of its arm."""
    there = np.isfinite(rows)
    weight = chances if metric.kind in ("latency", "quantile") else np.ones_like(rows)
    if not np.isfinite(weight).any():
        weight = np.ones_like(rows)
    weight = np.where(there & np.isfinite(weight), weight, 0.0)
    if metric.kind == "count":
        rest = _but_own(np.where(there, rows, 0.0))
    else:
        total = _but_own(weight)
        rest = _but_own(np.where(there, rows, 0.0) * weight) / np.where(total > 0, total, np.nan)
    known = _but_own(np.where(there & np.isfinite(chances), chances, 0.0))
    return Hosts(rows, chances, rest, np.where(known > 0, known, np.nan))


def _but_own(values: Floats) -> Floats:
    rest: Floats = values.sum(axis=-2, keepdims=True) - values
    return rest


def agreeing_periods(candidate: int, baseline: int, seen: int) -> int:
    """Return how many of the newest periods must show harm on all hosts; 0 for single hosts."""
    fewest, more = min(candidate, baseline), 0 if seen <= SOON else SOON - MANY
    return 0 if fewest < 2 else more + (FEW if fewest < FEW_HOSTS else MANY)


def most_of(hosts: int) -> int:
    """Return how many hosts must agree: all, of many all but a quarter."""
    return hosts - hosts // FEW_HOSTS


def agree(metric: Metric, rule: Rule, hosts: Hosts, spread: float, periods: int) -> Mask:
    """Return which hosts show harm over the newest periods, and in each half of them.

    Chance is not held off here: that is for the arms, all hosts together.
    """
    if hosts.values.shape[1] < periods:
        return np.zeros(len(hosts.values), dtype=bool)
    effect, each, _, large = _measured(metric, hosts, rule, spread, periods, periods // 2)
    gate = math.log(TIMES[metric.kind])
    shown: Mask = large & (effect >= gate) & (each.min(axis=1) >= HALVES * gate)
    return shown


def beyond_chance(
    policy: Policy, metric: Metric, rule: Rule, arms: Hosts, spread: float, periods: int
) -> Mask:
    """Return whether chance does not explain the difference of two arms over the newest periods."""
    if arms.values.shape[1] < periods:
        return np.zeros(len(arms.values), dtype=bool)
    effect, _, error, large = _measured(metric, arms, rule, spread, periods, periods // 2)
    level = policy.alpha * HOSTS * share_of(policy, metric) / max(policy.periods / periods, 1.0)
    sure: Mask = large & (effect >= float(upper_tail_z(level)) * error)
    return sure


def apart(
    policy: Policy,
    metric: Metric,
    rule: Rule,
    hosts: Hosts,
    spread: float,
    periods: int,
    count: int = 1,
) -> Apart:
    """Return which of ``count`` hosts stand out in the harmful direction of ``rule``."""
    none = np.zeros(len(hosts.values))
    if hosts.values.shape[1] < periods:
        return Apart(none, none > 0)
    effect, each, error, large = _measured(metric, hosts, rule, spread, periods, PART)
    gate = math.log(TIMES[metric.kind])
    looks = max(policy.periods / PART, 1.0)
    level = policy.alpha * HOSTS * share_of(policy, metric) / max(count, 1) / looks
    beyond = effect >= np.maximum(gate, float(upper_tail_z(level)) * error)
    lasting = (each.min(axis=1) >= EACH * gate) & (each[:, -1] >= FADED * each[:, 0])
    return Apart(effect, large & beyond & lasting)


def _measured(
    metric: Metric, hosts: Hosts, rule: Rule, spread: float, periods: int, part: int
) -> tuple[Floats, Floats, Floats, Mask]:
    """Return the effect, that of each part of the periods, the error, and where it is large."""
    if metric.kind == "count":
        return _events(hosts, rule, periods, part, timed=metric.per == "time")
    return _series(metric, hosts, rule, spread, periods, part)


def _events(
    hosts: Hosts, rule: Rule, periods: int, part: int, *, timed: bool
) -> tuple[Floats, Floats, Floats, Mask]:
    columns = (hosts.values, hosts.other, hosts.chances, hosts.other_chances)
    good = np.all([np.isfinite(one) for one in columns], axis=0) & (hosts.chances > 0)
    good &= hosts.other_chances > 0
    enough, picked = newest(good, periods, *columns, reach=periods + MISSED)
    picked = [np.where(enough[:, None], one, 1.0) for one in picked]
    parts = [one.reshape(len(one), -1, part).sum(axis=2) for one in picked]
    whole = [one.sum(axis=1) for one in picked]
    g, b, n_g, n_b = whole
    share = n_g / (n_g + n_b)
    due = (g + b) * share + 0.5, (g + b) * (1 - share) + 0.5
    noise = rule.rough
    tau = max(noise.tau, EXPECTED)
    own = tau**2 * inflation(noise.phi, periods) / periods
    error = np.sqrt(1 / due[0] + 1 / due[1] + own + noise.host**2)
    extra = rule.sign * (g / n_g - b / n_b)
    least = max(rule.negligible, TIMED_EVENTS if timed else LEAST_EVENTS)
    return _rates(whole, rule), _rates(parts, rule), error, enough & (extra >= least)


def _rates(columns: list[Floats], rule: Rule) -> Floats:
    g, b, n_g, n_b = columns
    effect: Floats = rule.sign * (log_ratio(g + 0.5, b + 0.5) - log_ratio(n_g, n_b))
    return effect


def _series(
    metric: Metric, hosts: Hosts, rule: Rule, spread: float, periods: int, part: int
) -> tuple[Floats, Floats, Floats, Mask]:
    d = rule.sign * log_ratio(hosts.values, hosts.other)
    v = _known(metric, hosts, spread)
    good = np.isfinite(d) & np.isfinite(v)
    enough, (latest, known) = newest(good, periods, d, v, reach=periods + MISSED)
    latest, known = (np.where(enough[:, None], one, 0.0) for one in (latest, known))
    parts = latest.reshape(len(latest), -1, part).mean(axis=2)
    return latest.mean(axis=1), parts, _error(latest, known, rule.rough), enough


def _known(metric: Metric, hosts: Hosts, spread: float) -> Floats:
    """Return the sampling variance of each difference, 0 where samples are not known."""
    if metric.kind == "gauge":
        return np.zeros_like(hosts.values)
    chances = hosts.chances, hosts.other_chances
    if metric.quantile is None:
        found = mean_variance(spread, *chances)
    else:
        found = quantile_variance(spread, metric.quantile, *chances)
    return np.where(np.isfinite(found), found, 0.0)


def _error(latest: Floats, known: Floats, noise: Noise) -> Floats:
    """Return the error of the mean: the noise that is expected, or the scatter if it is larger."""
    count = latest.shape[1]
    seen = latest.var(axis=1, ddof=1)
    own = np.maximum(known.mean(axis=1) + noise.tau**2, seen) * inflation(noise.phi, count) / count
    error: Floats = np.sqrt(own + noise.host**2)
    return error
