"""Find sick hosts of the baseline, so that they neither hide the candidate's harm nor cause a FAIL.

Each host of the baseline is compared with the rest of the baseline. A host that is far better or
worse is left out of every comparison, as long as most hosts remain. If only two hosts are left and
they disagree, both are named: the canary is judged against each, and it is decided only if both
verdicts are the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from canary.evidence.pairs import Pairs
from canary.formatting import listed, number, percent
from canary.judge.comparison import typical_spread
from canary.judge.host_case import EVEN, host_columns
from canary.judge.host_effects import Hosts
from canary.judge.hosts import TIMES, against_rest, apart, failing_periods
from canary.judge.priors import setting_of
from canary.judge.rule import rule_of, sign_of
from canary.judge.wording import subject
from canary.model import Recording
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats


@dataclass(frozen=True, slots=True)
class Stray:
    """A host of the baseline that is far from the others: the log of the ratio, and a sentence."""

    host: str
    effect: float
    words: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline's hosts that differ from the others.

    ``sick`` hosts are left out. ``rivals`` disagree, and there is no majority to decide between
    them.
    """

    sick: tuple[Stray, ...] = ()
    rivals: tuple[Stray, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a sentence for each host that is left out."""
        return tuple(
            f"the baseline's {one.host} is not like the others and is left out: {one.words}"
            for one in self.sick
        )

    @property
    def dispute(self) -> str:
        """Return how the two hosts disagree, or an empty string."""
        if not self.rivals:
            return ""
        words = "; ".join(one.words for one in self.rivals)
        return f"the baseline's {listed([one.host for one in self.rivals])} disagree: {words}"


def baseline_of(policy: Policy, recording: Recording, pairs: Mapping[str, Pairs]) -> Baseline:
    """Find the baseline's hosts that are far from the others, the most distant first."""
    hosts = sorted({host for one in pairs.values() for host in one.baseline.hosts})
    sick: list[Stray] = []
    while len(hosts) > 1:
        gone = [one.host for one in sick]
        found = [
            stray
            for metric in policy.metrics
            if metric.kind in TIMES and not metric.muted
            for stray in _strays(policy, metric, recording, pairs[metric.name], gone)
        ]
        if not found:
            break
        found.sort(key=lambda one: (-abs(one.effect), one.host))
        if len(hosts) == 2:
            named = {one.host: one for one in reversed(found)}
            sides = tuple(named.get(host) or Stray(host, 0.0, "") for host in hosts)
            return Baseline(tuple(sick), tuple(one for one in sides if one.words))
        sick.append(found[0])
        hosts.remove(found[0].host)
    return Baseline(tuple(sick))


def _strays(
    policy: Policy, metric: Metric, recording: Recording, pairs: Pairs, gone: list[str]
) -> list[Stray]:
    side = pairs.baseline
    kept = np.array([host not in gone for host in side.hosts], dtype=bool)
    seen = int(pairs.both.sum())
    if kept.sum() < 2 or pairs.fault:
        return []
    values = np.where(pairs.expected, side.host_values[kept], np.nan)
    chances = host_columns(metric, side)[1][kept]
    rows = against_rest(metric, values, chances, typical_spread(pairs)).at(pairs.both)
    names = [host for host, keep in zip(side.hosts, kept, strict=True) if keep]
    known = recording.calibration.get(metric.name)
    setting = setting_of(recording.calibration.fingerprint, (1, len(names) - 1), EVEN)
    periods = failing_periods(seen)
    found = []
    rule = rule_of(policy, metric, sign_of(metric), known, 1.0, setting)
    gate = math.log(TIMES[metric.kind])
    better = False
    for sign in (1.0, -1.0):
        if sign < 0 and not better:
            break  # no host is that far in the other direction either
        each = apart(policy, metric, replace(rule, sign=sign), rows, periods)
        better = bool((-each.effect >= gate).any())
        for row in np.flatnonzero(each.stands):
            words = _words(metric, names[row], row_of(rows, int(row), periods))
            found.append(Stray(names[row], sign * float(each.effect[row]), words))
    return found


def row_of(rows: Hosts, row: int, periods: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the newest periods of one host and of the rest, where both are known."""
    columns = (rows.values, rows.other, rows.chances, rows.other_chances)
    g, b, n_g, n_b = (one[row, -periods:] for one in columns)
    good = np.isfinite(g) & np.isfinite(b)
    return g[good], b[good], n_g[good], n_b[good]


def _words(metric: Metric, host: str, row: tuple[Floats, Floats, Floats, Floats]) -> str:
    g, b, n_g, n_b = row
    if metric.kind == "count":
        own, rest = (
            float(np.nansum(x)) / max(float(np.nansum(n)), 1e-9) for x, n in ((g, n_g), (b, n_b))
        )
        if metric.per == "time":
            return f"{number(own)} {metric.name} a period on {host}, {number(rest)} on the rest"
        verb = "failed" if metric.is_failure else f"{metric.name} in"
        return f"{host} {verb} {percent(own)} of its {metric.per}, the rest {percent(rest)}"
    times = math.exp(float(np.mean(np.log(g / b))))
    return f"{subject(metric)} of {host} is {number(times)} times that of the rest"
