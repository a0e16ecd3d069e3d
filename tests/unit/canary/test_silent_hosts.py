"""A host that reports no value of a metric is named, and nothing passes without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.judge import judge
from canary.model import Arm, Recording, Verdict
from canary.policy import parse_policy
from tests.unit.canary.test_evidence import PERIODS, recording, series


def shop(errors: tuple[str, ...], samples: float | None = 1000.0) -> Recording:
    """Return two healthy hosts per arm. The candidate's hosts in ``errors`` report errors.

    ``samples`` are those of the errors of c-2.
    """
    generator = np.random.default_rng(1)
    found = []
    for arm, hosts in ((Arm.BASELINE, ("b-1", "b-2")), (Arm.CANDIDATE, ("c-1", "c-2"))):
        for host in hosts:
            values = [float(x) for x in generator.poisson(20, PERIODS)]
            load = [float(x) for x in 40 + generator.normal(size=PERIODS)]
            found.append(series("cpu", arm, host, list(load), [None] * PERIODS))
            if arm is Arm.BASELINE or host in errors:
                chances = samples if host == "c-2" else 1000.0
                found.append(series("errors", arm, host, list(values), [chances] * PERIODS))
    return recording(*found)


TWO = parse_policy("""
version: 1
warmup: 0m
minimum: 5m
maximum: 12m
metrics: [{name: errors, kind: count, margin: x3}, {name: cpu, kind: gauge, margin: 40%}]
""")


@pytest.mark.parametrize("kept", [shop(("c-1",)), shop(("c-1", "c-2"), samples=None)])
def test_a_host_that_says_nothing_of_a_metric_is_named_and_nothing_passes(kept: Recording) -> None:
    """Otherwise the other hosts would PASS for the one that reports no errors."""
    judgement = judge(TWO, kept)
    errors = next(finding for finding in judgement.findings if finding.metric == "errors")
    assert judgement.verdict is errors.verdict is Verdict.INCONCLUSIVE
    said = "Undecided: the candidate's instance c-2 reported no value of errors"
    assert said in errors.sentence
    assert said in judgement.reason
    assert judge(TWO, shop(("c-1", "c-2"))).verdict is Verdict.PASS


def test_counts_of_which_no_host_reports_samples_are_a_sentence() -> None:
    """The error is a sentence, not a division by zero."""
    kept = shop(("c-1", "c-2"))
    bare = tuple(
        replace(one, samples=tuple([None] * PERIODS)) if one.metric == "errors" else one
        for one in kept.series
    )
    judgement = judge(TWO, replace(kept, series=bare))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "Errors" in judgement.reason


def test_a_level_that_is_always_0_does_not_hide_harm() -> None:
    """A division by zero would end the judgement of every other metric too."""
    kept = shop(("c-1", "c-2"))
    swap = [
        series("swap", arm, host, [0.0] * PERIODS)
        for arm, host in ((Arm.BASELINE, "b-1"), (Arm.CANDIDATE, "c-1"))
    ]
    policy = parse_policy("""
version: 1
warmup: 0m
minimum: 5m
maximum: 12m
metrics: [{name: errors, kind: count, margin: x3}, {name: swap, kind: level, margin: 4 points}]
""")
    harm = tuple(
        replace(one, values=tuple(20 * (value or 0.0) for value in one.values))
        if one.metric == "errors" and one.arm is Arm.CANDIDATE
        else one
        for one in kept.series
        if one.metric == "errors"
    )
    judgement = judge(policy, replace(kept, series=(*harm, *swap)))
    found = {finding.metric: finding for finding in judgement.findings}
    assert judgement.verdict is Verdict.FAIL
    assert found["swap"].verdict is not Verdict.FAIL
    assert np.isfinite(found["swap"].towards_fail)


def test_the_harm_on_the_other_hosts_still_fails() -> None:
    kept = shop(("c-1",))
    worse = [
        replace(one, values=tuple(20 * (value or 0.0) for value in one.values))
        if (one.metric, one.instance) == ("errors", "c-1")
        else one
        for one in kept.series
    ]
    assert judge(TWO, replace(kept, series=tuple(worse))).verdict is Verdict.FAIL


def test_a_baseline_host_may_be_left_out_of_what_depends_on_load() -> None:
    """Only the matched host represents the baseline's load."""
    kept = shop(("c-1", "c-2"))
    matched = tuple(s for s in kept.series if (s.metric, s.instance) != ("cpu", "b-2"))
    assert judge(TWO, replace(kept, series=matched)).verdict is Verdict.PASS
