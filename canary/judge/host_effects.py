"""The difference between a host and its reference over the newest periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from canary.judge.host_counts import count_error
from canary.judge.newest import newest
from canary.judge.rule import Rule
from canary.policy import Metric
from canary.stats.distributions import Floats
from canary.stats.effects import log_ratio, mean_variance, quantile_variance
from canary.stats.paired import Mask, Noise, inflation

PART = 3
"""The number of periods in a part."""
MISSED = 4
"""The number of newest periods that may be missing if older ones replace them."""
KNOWN = 0.75
"""The share of the newest periods that must be known if older ones do not replace them."""
LEAST_EVENTS, TIMED_EVENTS = 0.005, 0.5
"""The smallest number of extra events per request, or per period, for which a host is named."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """One metric of some hosts, and the reference of each: arrays ``[hosts, periods]``.

    ``chances`` are sample sizes; for counts the requests, or the number of hosts. ``spread`` is the
    standard deviation of the log of one observation (latencies only).
    """

    values: Floats
    chances: Floats
    other: Floats
    other_chances: Floats
    spread: float = 1.0

    def at(self, columns: Mask | slice) -> Hosts:
        """Return some of the periods."""
        parts = (self.values, self.chances, self.other, self.other_chances)
        values, chances, other, other_chances = (one[:, columns] for one in parts)
        return Hosts(values, chances, other, other_chances, self.spread)


@dataclass(frozen=True, slots=True)
class Effects:
    """Each host's effect over the newest periods: the log of a ratio, positive if harmful.

    Attributes:
        parts: the effect in parts of three periods, ``[hosts, parts]``; NaN where it is unknown.
        halves: the effect in each half, ``[hosts, 2]``.
        worse: the share of periods in which the host is worse.
        error: the standard error of the effect.
        known: whether enough periods are known, and enough events differ.
    """

    effect: Floats
    parts: Floats
    halves: Floats
    worse: Floats
    error: Floats
    known: Mask

    @classmethod
    def near(cls, effect: Floats, known: Mask) -> Effects:
        """Return the effects of hosts that are all too close to their reference to FAIL."""
        none = np.zeros((len(effect), 2))
        return cls(effect, none, none, none[:, 0], np.full(len(effect), np.inf), known)


@dataclass(frozen=True, slots=True)
class Span:
    """The number of newest periods, and whether older ones replace missing ones."""

    periods: int
    gaps: bool = False

    @property
    def reach(self) -> int:
        """The number of newest periods to read, replacements included."""
        return self.periods if self.gaps else self.periods + MISSED

    def pick(self, good: Mask, columns: tuple[Floats, ...]) -> tuple[Mask, Mask, list[Floats]]:
        """Return the known rows, their known periods, and the values of these; 0 if missing."""
        if not self.gaps:
            known, found = newest(good, self.periods, *columns, reach=self.reach)
            fine = np.broadcast_to(known[:, None], found[0].shape)
        else:
            fine, found = good[:, -self.periods :], [one[:, -self.periods :] for one in columns]
            known = fine.sum(axis=1) >= KNOWN * self.periods
        return known, fine, [np.where(fine, one, 0.0) for one in found]

    def sums(self, values: Floats, parts: int) -> Floats:
        """Return the sums over each of ``parts`` parts of the periods."""
        found: Floats = np.add.reduceat(values, _starts(values.shape[1], parts), axis=1)
        return found

    @property
    def thirds(self) -> int:
        """The number of parts of at least three periods."""
        return max(self.periods // PART, 1)


def _starts(count: int, parts: int) -> list[int]:
    """Return the start of each of nearly equal parts; the first ones are longer.

    >>> _starts(8, 3)
    [0, 3, 6]
    """
    size, longer = divmod(count, parts)
    return [part * size + min(part, longer) for part in range(parts)]


def effects_of(
    metric: Metric,
    hosts: Hosts,
    rule: Rule,
    noise: Noise,
    span: Span,
    gate: float = -np.inf,
) -> Effects:
    """Return the effects over the newest periods; ``noise`` is that of one period.

    If no effect reaches ``gate``, the remaining evidence cannot matter and is not computed.
    """
    hosts = hosts.at(slice(-span.reach, None))
    if metric.kind == "count":
        return _events(hosts, rule, noise, gate, span, timed=metric.per == "time")
    d = rule.sign * log_ratio(hosts.values, hosts.other)
    return _series(d, known_variance(metric, hosts), noise, gate, span)


def _far(effect: Floats, known: Mask, gate: float) -> bool:
    return bool((known & (effect >= gate)).any())


def _events(
    hosts: Hosts, rule: Rule, noise: Noise, gate: float, span: Span, *, timed: bool
) -> Effects:
    columns = (hosts.values, hosts.other, hosts.chances, hosts.other_chances)
    good = np.all([np.isfinite(one) for one in columns], axis=0) & (hosts.chances > 0)
    good &= hosts.other_chances > 0
    known, fine, picked = span.pick(good, columns)
    whole = [one.sum(axis=1) for one in picked]
    g, b, n_g, n_b = (np.where(known, one, 1.0) for one in whole)
    least = max(rule.negligible, TIMED_EVENTS if timed else LEAST_EVENTS)
    enough = known & (rule.sign * (g / n_g - b / n_b) >= least)
    effect = _rates([g, b, n_g, n_b], rule)
    if not _far(effect, enough, gate):
        return Effects.near(effect, enough)
    rates = np.where(known[:, None] & fine, rule.sign * _excess(picked), -1.0)
    return Effects(
        effect=effect,
        parts=_rates([span.sums(one, span.thirds) for one in picked], rule),
        halves=_rates([span.sums(one, 2) for one in picked], rule),
        worse=(rates > 0).sum(axis=1) / np.maximum(fine.sum(axis=1), 1),
        error=count_error((g, b, n_g, n_b), noise, picked, fine),
        known=enough,
    )


def _excess(columns: list[Floats]) -> Floats:
    g, b, n_g, n_b = columns
    excess: Floats = g * n_b - b * n_g
    return excess


def _rates(columns: list[Floats], rule: Rule) -> Floats:
    """Return the log rate ratio, with half an event added on the side with fewer chances."""
    g, b, n_g, n_b = columns
    there = (n_g > 0) & (n_b > 0)
    n_g, n_b = (np.where(there, one, 1.0) for one in (n_g, n_b))
    half = [0.5 * np.maximum(1.0, one) for one in (n_g / n_b, n_b / n_g)]
    effect = rule.sign * (log_ratio(g + half[0], b + half[1]) - log_ratio(n_g, n_b))
    found: Floats = np.where(there, effect, np.nan)
    return found


def _series(d: Floats, variance: Floats, noise: Noise, gate: float, span: Span) -> Effects:
    good = np.isfinite(d) & np.isfinite(variance)
    known, fine, (latest, sampled) = span.pick(good, (d, variance))
    count = np.maximum(fine.sum(axis=1), 1)
    effect = latest.sum(axis=1) / count
    if not _far(effect, known, gate):
        return Effects.near(effect, known)
    off = np.where(fine, latest - effect[:, None], 0.0)
    seen = (off**2).sum(axis=1) / np.maximum(count - 1, 1)
    mean = sampled.sum(axis=1) / count
    own = np.maximum(mean + noise.tau**2, seen) * inflation(noise.phi, span.periods) / count
    return Effects(
        effect=effect,
        parts=_means(latest, fine, span, span.thirds),
        halves=_means(latest, fine, span, 2),
        worse=(latest > 0).sum(axis=1) / count,
        error=np.sqrt(own + noise.host**2),
        known=known,
    )


def _means(values: Floats, fine: Mask, span: Span, parts: int) -> Floats:
    count = span.sums(fine.astype(float), parts)
    mean = span.sums(values, parts) / np.maximum(count, 1)
    found: Floats = np.where(count > 0, mean, np.nan)
    return found


def known_variance(metric: Metric, hosts: Hosts) -> Floats:
    """Return the sampling variance of each difference, 0 where sample sizes are unknown."""
    if metric.kind == "gauge":
        return np.zeros_like(hosts.values)
    chances = hosts.chances, hosts.other_chances
    if metric.quantile is None:
        found = mean_variance(hosts.spread, *chances)
    else:
        found = quantile_variance(hosts.spread, metric.quantile, *chances)
    return np.where(np.isfinite(found), found, 0.0)
