"""The judge for thousands of runs at once: for benchmarks and rehearsals.

Arrays are ``[runs, periods]``; a column is a period after the warm-up, NaN means missing. The same
code judges a single recording, so a measured error rate holds for a canary too::

    policy = load_policy("policy.yml")            # horizon = policy.periods
    arms = {"latency": Arms(candidate, baseline, candidate_n, baseline_n, spread=0.7),
            "errors": Arms(events_g, events_b, requests_g, requests_b)}
    known = {name: learn(policy, name, aa[name]) for name in aa}    # A/A windows; {} = cold
    trace = judge_many(policy, arms, known)
    trace.first_fail     # period of the first FAIL per run, 0 = never
    trace.first_pass     # period of the first PASS per run (before any FAIL counts), 0 = never
    trace.verdicts()     # what each run ends with: "FAIL", "PASS", "INCONCLUSIVE"
    trace.metric_fail    # {metric: first period in which that metric FAILs}

``candidate`` and ``baseline`` hold, by kind: the statistic (latency, quantile, gauge, level), the
events, with the requests as ``_chances`` (count), or the requests, with the intended share as
``sent`` (throughput). There is a look after every period unless ``looks`` names fewer. Rules for
data quality are not applied here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canary.judge.calibration import learn
from canary.judge.comparison import Arms, comparison_of, minus_lead_in, usual_level
from canary.judge.counts import Counts
from canary.judge.floor import floored
from canary.judge.level import Level
from canary.judge.priors import ALIKE, Setting
from canary.judge.ratio import Ratio
from canary.judge.rule import rule_of, signs_of
from canary.judge.typical import typical_latency, with_typical_comparison
from canary.learned import Learned
from canary.policy import Metric, Policy
from canary.stats.distributions import Floats

__all__ = ["Arms", "Trace", "judge_many", "learn"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trace:
    """The evidence of every run at every look, and the first look that decided each run.

    ``towards_fail`` and ``towards_pass`` hold arrays ``[runs, looks]`` by metric.
    """

    looks: tuple[int, ...]
    towards_fail: dict[str, Floats]
    towards_pass: dict[str, Floats]
    first_fail: Ints
    first_pass: Ints

    @property
    def metric_fail(self) -> dict[str, Ints]:
        """Each metric's first FAIL per run, as the period of its look; 0 for none."""
        return {
            name: first_look(values >= 1, self.looks) for name, values in self.towards_fail.items()
        }

    def verdicts(self) -> npt.NDArray[np.str_]:
        """Return the verdict of each run, which stops at its first FAIL or PASS."""
        failed = (self.first_fail > 0) & (
            (self.first_pass == 0) | (self.first_fail <= self.first_pass)
        )
        passed = ~failed & (self.first_pass > 0)
        return np.where(failed, "FAIL", np.where(passed, "PASS", "INCONCLUSIVE"))


def judge_many(
    policy: Policy,
    arms: Mapping[str, Arms],
    calibration: Mapping[str, Learned] | None = None,
    looks: Sequence[int] | None = None,
    setting: Setting = ALIKE,
    lead: Mapping[str, Arms] | None = None,
) -> Trace:
    """Judge every run of ``arms`` at every look. Metrics without arms are left out.

    ``setting`` says how the runs differ from those of the calibration. ``lead`` holds the lead-in
    of each run.
    """
    metrics = [metric for metric in policy.metrics if metric.name in arms and not metric.muted]
    looks = tuple(looks or range(1, policy.periods + 1))
    typical = typical_latency(policy, arms)
    beside: Sequence[Counts | Level | Ratio] = ()
    if typical is not None:
        learned = (calibration or {}).get(typical.name)
        beside = batch_comparisons(policy, typical, arms[typical.name], learned, setting)
    fail: dict[str, Floats] = {}
    passed: dict[str, Floats] = {}
    for metric in metrics:
        known = (calibration or {}).get(metric.name)
        single = batch_comparisons(policy, metric, arms[metric.name], known, setting)
        single = with_typical_comparison(single, beside)
        before = (lead or {}).get(metric.name)
        models = single if before is None else minus_lead_in(metric, single, before)
        seen = [[model.look(k) for model in models] for k in looks]
        fail[metric.name] = np.stack(
            [np.max([one.towards_fail for one in look], axis=0) for look in seen], axis=1
        )
        passed[metric.name] = np.stack(
            [np.min([one.towards_pass for one in look], axis=0) for look in seen], axis=1
        )
    any_fail = np.any([values >= 1 for values in fail.values()], axis=0)
    all_pass = np.all([values >= 1 for values in passed.values()], axis=0)
    served = np.array(looks) * policy.period + policy.warmup >= policy.minimum
    return Trace(
        looks, fail, passed, first_look(any_fail, looks), first_look(all_pass & served, looks)
    )


def first_look(hits: npt.NDArray[np.bool_], looks: Sequence[int]) -> Ints:
    """Return the first look at which each row is true, 0 for none."""
    at = np.array(looks)[hits.argmax(axis=1)]
    return np.where(hits.any(axis=1), at, 0)


def batch_comparisons(
    policy: Policy,
    metric: Metric,
    arms: Arms,
    known: Learned | None,
    setting: Setting = ALIKE,
) -> tuple[Counts | Level | Ratio, ...]:
    """Return one comparison of the metric for each direction of harm."""
    usual = usual_level(arms.baseline)
    points = usual if metric.limit.scale == "points" else 1.0
    rules = (rule_of(policy, metric, sign, known, points, setting) for sign in signs_of(metric))
    return tuple(comparison_of(metric, arms, floored(rule, metric, usual)) for rule in rules)
