"""One bad host of the candidate: it fails the canary, withholds PASS, and is named in the finding.

The other hosts may be fine, and the mean over the arm too: the users of that host are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from canary.evidence.pairs import Pairs
from canary.evidence.pooling import GroupSeries
from canary.formatting import duration, listed, percent
from canary.judge.channels import ALMOST
from canary.judge.comparison import typical_spread, usual_level
from canary.judge.floor import least_effect
from canary.judge.hosts import HOLDING, TIMES, Apart, Hosts, against, apart, failing_periods
from canary.judge.priors import setting_of
from canary.judge.rule import Rule, rule_of, signs_of
from canary.judge.wording import headline, size_words
from canary.model import Finding, Recording, Verdict
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats
from canary.stats.effects import log_ratio
from canary.stats.paired import Mask

ACUTE_PERIODS = 3
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Case:
    """One metric of a canary in one direction of harm, with each host of the candidate."""

    policy: Policy
    metric: Metric
    pairs: Pairs
    rule: Rule
    hosts: Hosts

    def apart(self, periods: int) -> Apart:
        """Return which hosts stand out over the newest periods."""
        spread, count = typical_spread(self.pairs), len(self.pairs.candidate.hosts)
        found = apart(self.policy, self.metric, self.rule, self.hosts, spread, periods, count)
        usual = usual_level(self.pairs.baseline.values[None, :])
        least = least_effect(self.metric, usual, self.rule.sign)
        if least <= 0:
            return found
        return replace(found, stands=found.stands & (effects(self, slice(-periods, None)) > least))

    def named(self, stands: Mask) -> tuple[str, ...]:
        """Return the names of hosts that stand out, if most hosts do not."""
        names = self.pairs.candidate.hosts
        few = 0 < stands.sum() <= len(names) / 2
        return tuple(np.array(names)[stands].tolist()) if few else ()


def with_hosts(
    policy: Policy, metric: Metric, recording: Recording, pairs: Pairs, finding: Finding
) -> Finding:
    """Return the finding with what single hosts of the candidate show."""
    known = len(pairs.candidate.hosts) > 1 and pairs.both.any() and not pairs.fault
    if metric.kind not in TIMES or not known:
        return finding
    cases = [_case(policy, metric, recording, pairs, sign) for sign in signs_of(metric)]
    seen = int(pairs.both.sum())
    for case in cases:
        if finding.verdict is Verdict.FAIL:
            if names := case.named(_carriers(case, finding)):
                return _told(case, names, finding)
        elif names := case.named(case.apart(failing_periods(seen)).stands):
            return _failed(case, names, finding, recording.period)
        elif finding.verdict is Verdict.PASS and (names := case.named(case.apart(HOLDING).stands)):
            return _withheld(case, names, finding)
    return finding


def _case(policy: Policy, metric: Metric, recording: Recording, pairs: Pairs, sign: float) -> Case:
    """Compare each host with the baseline; noise is that of one host against an arm."""
    counts = 1, max(len(pairs.baseline.hosts), 1)
    known = recording.calibration.get(metric.name)
    setting = setting_of(recording.calibration.fingerprint, counts, HALF)
    rule = rule_of(policy, metric, sign, known, 1.0, setting)
    values = np.where(pairs.expected, pairs.candidate.host_values, np.nan)
    if metric.kind == "count" and metric.per == "time":
        chances, other = np.where(np.isfinite(values), 1.0, np.nan), present(pairs.baseline)
    else:
        chances, other = pairs.candidate.host_samples, pairs.baseline.samples
    return Case(
        policy, metric, pairs, rule, against(values, chances, (pairs.baseline.values, other))
    )


def present(side: GroupSeries) -> Floats:
    """Return how many hosts of an arm have a value."""
    count = np.isfinite(side.host_values).sum(axis=0).astype(float)
    return np.where(count > 0, count, np.nan)


def _carriers(case: Case, finding: Finding) -> Mask:
    """Return the hosts that make the harm found in the whole arm: far apart from the others."""
    periods = slice(-ACUTE_PERIODS, None) if "acute_periods" in finding.details else slice(None)
    effect = effects(case, periods)
    gate = math.log(TIMES[case.metric.kind])
    far = effect >= gate
    near = effect < gate * HALF
    return far & bool((far | near).all())


def effects(case: Case, periods: slice = slice(None)) -> Floats:
    """Return each host's difference to the baseline, positive where harmful."""
    hosts, sign = case.hosts, case.rule.sign
    if case.metric.kind != "count":
        d = sign * log_ratio(hosts.values[:, periods], hosts.other[:, periods])
        count = np.isfinite(d).sum(axis=1)
        mean: Floats = np.where(np.isfinite(d), d, 0.0).sum(axis=1) / np.maximum(count, 1)
        return mean
    g, b, n_g, n_b = _totals(hosts, periods)
    found: Floats = sign * (log_ratio(g + 0.5, b + 0.5) - log_ratio(n_g, n_b))
    return np.where(np.isfinite(found), found, 0.0)


def _totals(hosts: Hosts, periods: slice) -> tuple[Floats, Floats, Floats, Floats]:
    columns = (hosts.values, hosts.other, hosts.chances, hosts.other_chances)
    cut = [one[:, periods] for one in columns]
    good = np.all([np.isfinite(one) for one in cut], axis=0)
    g, b, n_g, n_b = (np.where(good, one, 0.0).sum(axis=1) for one in cut)
    return g, b, n_g, n_b


def host_words(case: Case, names: tuple[str, ...], periods: slice = slice(None)) -> str:
    """Return what some hosts did, and what the others and the baseline did.

    As "green-2 failed 9 % of its requests (270 of 3,000), the candidate's other 7 hosts 0.5 %, the
    baseline 0.5 %".
    """
    mine = np.isin(case.pairs.candidate.hosts, names)
    others = int((~mine).sum())
    rest = "the candidate's other host" if others == 1 else f"the candidate's other {others} hosts"
    if case.metric.kind != "count":
        effect = effects(case, periods)
        sign = case.rule.sign
        own, other = (
            _size(case.metric, float(effect[some].mean()), sign) for some in (mine, ~mine)
        )
        verb, verbs = ("is", "are") if len(names) == 1 else ("are", "are")
        verbs = "is" if others == 1 else verbs
        return f"{listed(list(names))} {verb} {own} than the baseline, {rest} {verbs} {other}"
    return _count_words(case, names, mine, (rest, periods))


def _count_words(case: Case, names: tuple[str, ...], mine: Mask, told: tuple[str, slice]) -> str:
    rest, periods = told
    g, b, n_g, n_b = _totals(case.hosts, periods)
    who, metric = listed(list(names)), case.metric
    own, own_chances = g[mine].sum(), n_g[mine].sum()
    left = percent(g[~mine].sum() / max(n_g[~mine].sum(), 1e-9))
    base = percent(float(b.max()) / max(float(n_b.max()), 1e-9))
    if metric.per == "time":
        rates = (own / max(own_chances, 1e-9), g[~mine].sum() / max(n_g[~mine].sum(), 1e-9))
        return f"{rates[0]:.2g} a period on {who}, {rates[1]:.2g} on {rest}"
    its = "its" if len(names) == 1 else "their"
    share = f"{percent(own / max(own_chances, 1e-9))} of {its} {metric.per}"
    verb = "failed" if metric.is_failure else "counted in"
    first = f"{who} {verb} {share}" if metric.is_failure else f"{who}: {share}"
    return f"{first} ({own:,.0f} of {own_chances:,.0f}), {rest} {left}, the baseline {base}"


def _size(metric: Metric, effect: float, sign: float) -> str:
    relative = math.expm1(effect) if sign > 0 else -math.expm1(-effect)
    return size_words(metric, relative, sign)


def _told(case: Case, names: tuple[str, ...], finding: Finding) -> Finding:
    """Name the hosts behind the harm of an arm, before the numbers of the arm."""
    acute = "acute_periods" in finding.details
    words = host_words(case, names, slice(-ACUTE_PERIODS, None) if acute else slice(None))
    start = f"{headline(case.metric)}: "
    sentence = f"{start}{words}. In all: {finding.sentence.removeprefix(start)}"
    return replace(finding, sentence=sentence)


def _failed(case: Case, names: tuple[str, ...], finding: Finding, period: int) -> Finding:
    after = duration(len(case.pairs.expected) * period + case.policy.warmup)
    words = host_words(case, names, slice(-failing_periods(int(case.pairs.both.sum())), None))
    several = "one bad host is enough" if len(names) == 1 else "some bad hosts are enough"
    return replace(
        finding,
        verdict=Verdict.FAIL,
        sentence=f"{headline(case.metric)}: {words}. FAIL after {after}: {several}",
        towards_fail=1.0,
        score=0.0,
    )


def _withheld(case: Case, names: tuple[str, ...], finding: Finding) -> Finding:
    words = host_words(case, names, slice(-HOLDING, None))
    return replace(
        finding,
        verdict=Verdict.INCONCLUSIVE,
        sentence=f"{headline(case.metric)}: in the last {HOLDING} periods {words}. INCONCLUSIVE",
        towards_pass=min(finding.towards_pass, ALMOST),
        score=None if finding.score is None else min(finding.score, 99.0),
    )
