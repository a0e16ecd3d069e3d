"""The error budget: the candidate's failures beyond those that the baseline's rate explains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.judge import judge
from canary.model import Arm, Finding, Judgement, Release, Series, Verdict
from canary.policy import parse_policy
from tests.unit.canary.verdict_recordings import healthy

PERIODS = 53
TIMES = tuple(range(0, 60 * PERIODS, 60))


def judged(
    budget: float, candidate: float | None, baseline: float, share: float = 0.5
) -> Judgement:
    """Judge constant events per 1,000 requests. The candidate gets its share of the requests."""
    policy = parse_policy(
        "version: 1\nmetrics: [{name: errors, kind: count}]\n"
        f"slos: [{{metric: errors, excess: {budget}}}]\n"
    )
    series = []
    for arm, rate, part in (
        (Arm.CANDIDATE, candidate, share),
        (Arm.BASELINE, baseline, 1 - share),
    ):
        requests = 2000 * part
        values = (None if rate is None else rate * requests / 1000,) * PERIODS
        series.append(Series("errors", arm, arm.value, TIMES, values, (requests,) * PERIODS))
    recording = replace(
        healthy(),
        series=tuple(series),
        baseline=Release("v1", "", "blue", ("baseline",)),
        candidate=Release("v2", "", "green", ("candidate",)),
    )
    return judge(policy, recording)


def budget_of(judgement: Judgement) -> Finding:
    return next(found for found in judgement.findings if found.metric == "errors budget")


def test_a_spent_budget_fails_and_says_what_it_cost() -> None:
    judgement = judged(50, candidate=12.0, baseline=10.0)
    found = budget_of(judgement)
    assert found.verdict is Verdict.FAIL
    assert judgement.verdict is Verdict.FAIL
    # 2 of 1,000 too many in 53 periods with 1,000 requests: 106
    assert found.details == {"value": pytest.approx(106), "limit": 50}
    assert (
        "Errors budget: 106 more on the candidate than at the baseline's rate. Allowed: at most 50."
        in found.sentence
    )


def test_what_the_baseline_suffers_too_costs_nothing() -> None:
    assert budget_of(judged(50, candidate=40.0, baseline=40.0)).verdict is Verdict.PASS


def test_fewer_users_cost_less() -> None:
    assert budget_of(judged(50, candidate=12.0, baseline=10.0, share=0.1)).verdict is Verdict.PASS


def test_a_budget_within_the_noise_is_not_spent_by_noise() -> None:
    assert budget_of(judged(5, candidate=10.2, baseline=10.0)).verdict is Verdict.PASS


def test_without_values_nothing_is_known() -> None:
    assert budget_of(judged(5, candidate=None, baseline=10.0)).verdict is Verdict.INCONCLUSIVE
