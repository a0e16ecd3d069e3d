"""Each host of the candidate beside the baseline, in one direction of harm."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import GroupSeries
from canary.judge.comparison import typical_spread, usual_level
from canary.judge.floor import least_effect
from canary.judge.host_effects import PART, Hosts, known_variance
from canary.judge.hosts import (
    TIMES,
    Apart,
    against,
    against_hosts,
    against_rest,
    agree,
    agreeing_periods,
    apart,
    beyond_chance,
    most_of,
)
from canary.judge.priors import setting_of
from canary.judge.rule import Rule, rule_of
from canary.judge.warmup import fade_of
from canary.model import Recording
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.effects import log_ratio
from canary.stats.paired import Mask

EVEN = 0.5
"""The share of traffic for which noise is assumed."""
SIBLINGS, TOGETHER = 3, 1
"""A fresh process is compared with at least ``SIBLINGS`` hosts of its arm that started within
``TOGETHER`` periods of it. They show how latencies of this release fall after a start."""


@dataclass(frozen=True, slots=True)
class Case:
    """One metric of a canary in one direction of harm, for each host of the candidate.

    ``typical`` is the typical latency of the same hosts, if the metric is a tail.
    """

    policy: Policy
    metric: Metric
    pairs: Pairs
    rule: Rule
    hosts: Hosts
    typical: Case | None = None

    def apart(self, periods: int) -> Apart:
        """Return which hosts stand out over the newest periods that both arms measured."""
        hosts, both = self.hosts.at(self.pairs.both), self.pairs.both
        found = apart(self.policy, self.metric, self.rule, hosts, periods)
        if not found.stands.any():
            return found
        baseline = host_columns(self.metric, self.pairs.baseline)
        others = against_rest(self.metric, *baseline, hosts.spread).at(both)
        found = apart(self.policy, self.metric, self.rule, hosts, periods, others)
        return replace(found, stands=found.stands & self.noticeable(periods))

    def noticeable(self, periods: int) -> Mask:
        """Return which hosts differ by more than a negligible amount over the newest periods."""
        usual = usual_level(self.pairs.baseline.values[None, :])
        least = least_effect(self.metric, usual, self.rule.sign)
        found: Mask = (least <= 0) | (effects(self, slice(-periods, None)) > least)
        return found

    def all_agree(self) -> bool:
        """Return whether most hosts of both arms agree that the candidate does harm."""
        counts, periods = self._reporting(), self.agreeing()
        if not periods:
            return False
        shown = agree(self.metric, self.rule, self.hosts, periods)
        shown &= self.noticeable(periods)
        if not shown.any() or int(shown.sum()) < most_of(counts[0]):
            return False
        whole = arm_columns(self.metric, self.pairs)
        spread = self.hosts.spread
        reverse = against_hosts(whole, host_columns(self.metric, self.pairs.baseline), spread)
        shown = agree(self.metric, self.rule, reverse, periods)
        values, chances, other, other_chances = (one[None, :] for one in whole)
        arms = Hosts(values, chances, other, other_chances, spread)
        sure = beyond_chance(self.policy, self.metric, self.rule, arms, periods)
        return int(shown.sum()) >= most_of(counts[1]) and bool(sure.all())

    def agreeing(self) -> int:
        """Return how many of the newest periods must show harm on all hosts; 0 for one host."""
        return agreeing_periods(*self._reporting(), int(self.pairs.both.sum()))

    def _reporting(self) -> tuple[int, int]:
        """Return how many hosts of the candidate and of the baseline have a value."""
        candidate, baseline = (
            int(np.isfinite(side.host_values).any(axis=1).sum()) for side, _ in self.pairs.sides
        )
        return candidate, baseline

    def newest_numbers(self, periods: int) -> dict[str, float]:
        """Return the difference of the arms over the newest periods that both have."""
        g, n_g, b, n_b = (
            one[self.pairs.both][-periods:] for one in arm_columns(self.metric, self.pairs)
        )
        found = {"late_periods": float(len(g))}
        if self.metric.kind != "count":
            d = self.rule.sign * log_ratio(g, b)
            return found | {"late_effect": float(np.nanmean(d))}
        sums = [float(np.nansum(one)) for one in (g, b, n_g, n_b)]
        names = "candidate_events", "baseline_events", "candidate_chances", "baseline_chances"
        found |= {f"late_{name}": value for name, value in zip(names, sums, strict=True)}
        events = math.log((sums[0] + 0.5) / (sums[1] + 0.5))
        chances = math.log(max(sums[2], 1e-9) / max(sums[3], 1e-9))
        return found | {"late_effect": self.rule.sign * (events - chances)}

    def fades(self, row: int) -> bool:
        """Return whether a host's higher latency may still fall, as that of a fresh process does.

        The latencies of fresh processes of one release fall alike. A difference from the other
        hosts of the arm that stays is no warm-up.
        """
        return self._falls(row) and not self._apart_from_its_arm(row)

    def _falls(self, row: int) -> bool:
        """Return whether a host's latency falls, relative to the arm that it is compared with.

        A host that joined later starts at its first value.
        """
        if not self.rule.fade:
            return False
        hosts = self.hosts
        d = self.rule.sign * log_ratio(hosts.values[row], hosts.other[row])[None, :]
        v = known_variance(self.metric, hosts)[row][None, :]
        since = slice(int(np.isfinite(d[0]).argmax()), None)
        typical = None if self.typical is None else self._beside(self.typical, row, since)
        fade = fade_of(d[:, since], v[:, since], self.rule, typical, surely=True)
        return bool(fade.falling[0])

    def _apart_from_its_arm(self, row: int) -> bool:
        """Return whether a host is worse than the others of its arm, and does not approach them."""
        within = self._within_arm()
        starts = [int(one.argmax()) for one in np.isfinite(within.hosts.values)]
        alike = sum(abs(start - starts[row]) <= TOGETHER for start in starts) - 1
        if alike < SIBLINGS:
            return False
        effect = effects(within)[row], effects(within, slice(-PART, None))[row]
        return min(effect) >= math.log(TIMES[self.metric.kind]) and not within._falls(row)

    def _within_arm(self) -> Case:
        """Return the same case with each host compared with the others of its own arm."""
        columns = self.hosts.values, self.hosts.chances
        hosts = against_rest(self.metric, *columns, self.hosts.spread)
        typical = None if self.typical is None else self.typical._within_arm()
        return replace(self, hosts=hosts, typical=typical)

    def _beside(self, typical: Case, row: int, since: slice) -> tuple[Floats, Mask] | None:
        """Return the difference in the typical latency of the same host, and whether it falls."""
        host, names = self.pairs.candidate.hosts[row], typical.pairs.candidate.hosts
        if host not in names:
            return None
        at, hosts = names.index(host), typical.hosts
        d = typical.rule.sign * log_ratio(hosts.values[at, since], hosts.other[at, since])
        return d[None, :], np.array([typical.fades(at)])

    def named(self, stands: Mask) -> tuple[str, ...]:
        """Return the names of hosts that stand out, if most hosts do not."""
        names = self.pairs.candidate.hosts
        few = 0 < stands.sum() <= len(names) / 2
        return tuple(np.array(names)[stands].tolist()) if few else ()

    def lasting(self, stands: Mask) -> tuple[str, ...]:
        """Return the names of hosts that stand out, without those whose latency may still fall."""
        names = self.pairs.candidate.hosts
        return tuple(one for one in self.named(stands) if not self.fades(names.index(one)))


def host_case(
    policy: Policy, metric: Metric, recording: Recording, pairs: Pairs, sign: float
) -> Case:
    """Compare each host with the baseline, with the noise of one host against an arm."""
    counts = 1, max(len(pairs.baseline.hosts), 1)
    known = recording.calibration.get(metric.name)
    setting = setting_of(recording.calibration.fingerprint, counts, EVEN)
    rule = rule_of(policy, metric, sign, known, 1.0, setting)
    values, chances = host_columns(metric, pairs.candidate)
    values = np.where(pairs.expected, values, np.nan)
    other = pairs.baseline.values, arm_columns(metric, pairs)[3]
    hosts = against(values, chances, other, typical_spread(pairs))
    beside = pairs.typical if rule.tail else None
    typical = None if beside is None else host_case(policy, beside[0], recording, beside[1], sign)
    return Case(policy, metric, pairs, rule, hosts, typical)


def host_columns(metric: Metric, side: GroupSeries) -> tuple[Floats, Floats]:
    """Return the values of the hosts of an arm, and their chances."""
    if metric.kind == "count" and metric.per == "time":
        return side.host_values, np.where(np.isfinite(side.host_values), 1.0, np.nan)
    return side.host_values, side.host_samples


def arm_columns(metric: Metric, pairs: Pairs) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the values and chances of both arms in the order of ``Hosts``."""
    candidate, baseline = pairs.candidate, pairs.baseline
    values = np.where(pairs.expected, candidate.values, np.nan)
    if metric.kind == "count" and metric.per == "time":
        return values, present(candidate), baseline.values, present(baseline)
    return values, candidate.samples, baseline.values, baseline.samples


def present(side: GroupSeries) -> Floats:
    """Return how many hosts of an arm have a value."""
    count = np.isfinite(side.host_values).sum(axis=0).astype(float)
    return np.where(count > 0, count, np.nan)


def effects(case: Case, periods: slice = slice(None)) -> Floats:
    """Return each host's difference from the baseline, positive where harmful."""
    hosts, sign = case.hosts, case.rule.sign
    if case.metric.kind != "count":
        d = sign * log_ratio(hosts.values[:, periods], hosts.other[:, periods])
        count = np.isfinite(d).sum(axis=1)
        mean: Floats = np.where(np.isfinite(d), d, 0.0).sum(axis=1) / np.maximum(count, 1)
        return mean
    g, b, n_g, n_b = totals(hosts, periods)
    found = sign * events_ratio(g, b, n_g, n_b)
    return np.where(np.isfinite(found), found, 0.0)


def events_ratio(g: Floats, b: Floats, n_g: Floats, n_b: Floats) -> Floats:
    """Return the log ratio of two rates of events.

    One more event is divided by the requests, so that no events at all mean no difference.
    """
    own = n_g / np.maximum(n_g + n_b, 1e-9)
    found: Floats = log_ratio(g + own, b + 1 - own) - log_ratio(n_g, n_b)
    return found


def totals(hosts: Hosts, periods: slice) -> tuple[Floats, Floats, Floats, Floats]:
    columns = (hosts.values, hosts.other, hosts.chances, hosts.other_chances)
    cut = [one[:, periods] for one in columns]
    good = np.all([np.isfinite(one) for one in cut], axis=0)
    g, b, n_g, n_b = (np.where(good, one, 0.0).sum(axis=1) for one in cut)
    return g, b, n_g, n_b
