"""Find one host that differs from the others of its arm, in the newest periods of each host.

The mean over an arm dilutes the harm on one host of eight. So each host is compared by itself: with
the other arm to find a bad host of the candidate, and with the rest of its own arm to find a sick
host of the baseline. Bursts on one host are common. So a difference since the first period must not
come from one part of the periods alone, and the host must be worse in most of them. A later change
must show in every part. A share of alpha, divided among the hosts and spread over the run, limits
false alarms by chance. The differences among the baseline's hosts count as noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from canary.judge.host_effects import PART, Effects, Hosts, Span, effects_of
from canary.judge.priors import cold_noise
from canary.judge.rule import Rule, share_of
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats, upper_tail_z
from canary.stats.paired import Mask, Noise

HOSTS = 0.04
"""The share of alpha for the search for one bad host."""
SINCE_START, LATER = 14, 18
"""The number of newest periods that must show the difference: all periods since the start, from
``SINCE_START`` up to ``LATER``. A burst of twelve periods is too short for them."""
HOLDING = 6
"""The number of newest periods that must show a difference to withhold PASS."""
TIMES = {"latency": 1.25, "quantile": 1.25, "gauge": 1.5, "count": 3.0}
"""The smallest ratio of a host's value to its reference, by kind."""
EACH, REST = 0.7, 0.85
"""The share of ``TIMES``, on the log scale, that each part must reach, and the mean of all parts
but the largest."""
MOST = 2 / 3
"""The share of periods in which a host must be worse."""
FADED = 0.5
"""A difference whose last part is below this share of its first part is taken as a warm-up."""
FEW_HOSTS, FEW, MANY = 4, 6, 4
"""All hosts must show harm in the newest ``FEW`` periods if an arm has fewer than ``FEW_HOSTS``
hosts, else in the newest ``MANY``: a burst seldom hits several hosts at once."""
SOON = 8
"""After this many periods, more of the newest ones are required."""
HALVES = 0.5
"""The share of ``TIMES``, on the log scale, that each host must reach in each half of the
periods."""
MIDDLE, CHANCE, PRIOR_HOSTS = 1.4826, 2.0, 4.0
"""The ratio of a normal variable's standard deviation to its median absolute value; the factor by
which chance may raise the variance of a few hosts; and the weight, in hosts, of the assumption that
equal hosts do not differ."""


@dataclass(frozen=True, slots=True)
class Apart:
    """The difference between each host and its reference, over the newest periods.

    ``effect`` is the log of a ratio, positive where harmful. ``stands`` marks the hosts whose
    difference neither chance nor a burst explains.
    """

    effect: Floats
    stands: Mask


def failing_periods(seen: int) -> int:
    """Return how many of the newest periods must show a difference after ``seen`` periods."""
    return min(max(seen, SINCE_START), LATER)


def against(rows: Floats, chances: Floats, other: tuple[Floats, Floats], spread: float) -> Hosts:
    """Compare hosts with the pooled values and chances of another arm."""
    value, chance = (np.broadcast_to(one, rows.shape) for one in other)
    return Hosts(rows, chances, value, chance, spread)


def against_hosts(
    arms: tuple[Floats, Floats, Floats, Floats], hosts: tuple[Floats, Floats], spread: float
) -> Hosts:
    """Compare the candidate, all hosts together, with each host of the baseline."""
    value, chance = (np.broadcast_to(one, hosts[0].shape) for one in arms[:2])
    return Hosts(value, chance, *hosts, spread=spread)


def against_rest(metric: Metric, rows: Floats, chances: Floats, spread: float) -> Hosts:
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
    return Hosts(rows, chances, rest, np.where(known > 0, known, np.nan), spread)


def _but_own(values: Floats) -> Floats:
    rest: Floats = values.sum(axis=-2, keepdims=True) - values
    return rest


def agreeing_periods(candidate: int, baseline: int, seen: int) -> int:
    """Return how many of the newest periods must show harm on all hosts; 0 for single hosts."""
    fewest, more = min(candidate, baseline), 0 if seen <= SOON else SOON - MANY
    return 0 if fewest < 2 else more + (FEW if fewest < FEW_HOSTS else MANY)


def most_of(hosts: int) -> int:
    """Return how many hosts must agree: all of a few, or three quarters of many."""
    return hosts - hosts // FEW_HOSTS


def agree(metric: Metric, rule: Rule, hosts: Hosts, periods: int) -> Mask:
    """Return which hosts show harm over the newest periods, and in each half of them.

    This is no test against chance: ``beyond_chance`` tests the arms, all hosts together.
    """
    if hosts.values.shape[1] < periods:
        return np.zeros(len(hosts.values), dtype=bool)
    gate = math.log(TIMES[metric.kind])
    found = effects_of(metric, hosts, rule, rule.rough, Span(periods), gate)
    lasting = found.halves.min(axis=1) >= HALVES * gate
    shown: Mask = found.known & (found.effect >= gate) & lasting
    return shown


def beyond_chance(policy: Policy, metric: Metric, rule: Rule, arms: Hosts, periods: int) -> Mask:
    """Return whether two arms differ beyond chance over the newest periods."""
    if arms.values.shape[1] < periods:
        return np.zeros(len(arms.values), dtype=bool)
    found = effects_of(metric, arms, rule, rule.rough, Span(periods))
    bound = _bound(policy, metric, policy.periods / periods)
    sure: Mask = found.known & (found.effect >= bound * found.error)
    return sure


def _bound(policy: Policy, metric: Metric, looks: float, hosts: int = 1) -> float:
    """Return the smallest difference of one of ``hosts`` that counts, in standard errors."""
    level = policy.alpha * HOSTS * share_of(policy, metric) / hosts / max(looks, 1.0)
    return float(upper_tail_z(level))


def apart(
    policy: Policy,
    metric: Metric,
    rule: Rule,
    hosts: Hosts,
    periods: int,
    others: Hosts | None = None,
) -> Apart:
    """Return which hosts stand out in the harmful direction of ``rule``.

    ``others`` are hosts compared with the rest of their own arm. They show how far equal hosts
    differ.
    """
    none = np.zeros(len(hosts.values))
    if hosts.values.shape[1] < periods:
        return Apart(none, none > 0)
    span = Span(periods, gaps=True)
    noise = _noise(policy, metric, rule, periods)
    gate = math.log(TIMES[metric.kind])
    found = effects_of(metric, hosts, rule, noise, span, gate)
    stands = found.known & (found.effect >= gate) & _lasts(metric, found, gate, periods)
    between = 0.0 if others is None else _between(metric, rule, others, noise, span)
    error = np.sqrt(found.error**2 + between)
    looks = policy.periods / (periods if _young(periods) else PART)
    stands &= found.effect >= _bound(policy, metric, looks, len(none)) * error
    return Apart(found.effect, stands)


def _young(periods: int) -> bool:
    """Return whether these are all periods since the start, enough of them for a FAIL."""
    return SINCE_START <= periods < LATER


def _noise(policy: Policy, metric: Metric, rule: Rule, periods: int) -> Noise:
    """Return the noise of a period, without bursts while a run is young.

    A rehearsal may have learned a large noise from bursts. Here the parts of the periods reveal a
    burst.
    """
    if not _young(periods):
        return rule.rough
    cold = cold_noise(metric, policy.period)
    tau, phi = min(rule.noise.tau, cold.tau), min(rule.noise.phi, cold.phi)
    return replace(rule.noise, tau=tau, phi=phi)


def _lasts(metric: Metric, found: Effects, gate: float, periods: int) -> Mask:
    """Return which hosts are worse all the time, not in a burst alone.

    Parts with few events vary much. So while a run is young, the halves are compared instead.
    """
    parts, missing = found.parts, np.isnan(found.parts)
    if _young(periods) and metric.kind == "count":
        each: Mask = found.halves.min(axis=1) >= HALVES * gate
    else:
        least = np.where(missing, np.inf, parts).min(axis=1)
        each = (least >= EACH * gate) & ~(parts[:, -1] < FADED * parts[:, 0])
    if periods < SINCE_START:
        return each
    largest = np.where(missing, -np.inf, parts).max(axis=1)
    others = np.maximum((~missing).sum(axis=1) - 1, 1)
    rest = (np.where(missing, 0.0, parts).sum(axis=1) - largest) / others
    lasting: Mask = each & (rest >= REST * gate) & (found.worse >= MOST)
    return lasting


def _between(metric: Metric, rule: Rule, others: Hosts, noise: Noise, span: Span) -> float:
    """Return the variance between equal hosts that chance does not explain.

    It is 0 for counts, where a burst of events cannot be told from it.
    """
    found = effects_of(metric, others, rule, noise, span)
    typical = np.abs(found.effect)[found.known]
    if len(typical) < 2 or metric.kind == "count":
        return 0.0
    chance = CHANCE * float(np.median(found.error[found.known])) ** 2
    beyond = (MIDDLE * float(np.median(typical))) ** 2 - chance
    worth = len(typical) - 1
    return max(beyond, 0.0) * worth / (worth + PRIOR_HOSTS)
