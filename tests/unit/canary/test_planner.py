"""A plan before a run depends on traffic, time, hosts and margins, and comes true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.judge import judge
from canary.judge.batch import Arms, judge_many
from canary.judge.shrinkage import Worth
from canary.learned import Learned, MeasuredNoise
from canary.model import Verdict
from canary.offline.plan import (
    Outlook,
    Workload,
    achieved,
    draw,
    monthly_cost,
    plan,
    workload_of,
)
from canary.offline.rehearse import rehearse
from canary.offline.replay import judge_looks
from canary.policy import Policy, parse_policy
from tests.unit.canary.verdict_recordings import healthy, policy

ERRORS = {"errors": 0.005}


def outlook(rate: float, *, instances: int = 2, maximum: str = "60m") -> Outlook:
    asked = parse_policy(
        f"version: 1\nsteps: [50%]\nminimum: 10m\nmaximum: {maximum}\nmetrics:\n"
        "- {name: latency, kind: latency}\n- {name: errors, kind: count}\n"
    )
    return plan(asked, Workload(rate, ERRORS, instances=(instances, instances)))


def reach(found: Outlook) -> list[float]:
    return [metric.reachable for metric in found.metrics]


def test_more_traffic_more_time_and_more_hosts_rule_out_smaller_harm() -> None:
    plain = reach(outlook(20))
    for better in (outlook(200), outlook(20, maximum="4h")):
        assert all(a < b for a, b in zip(reach(better), plain, strict=True))
    assert reach(outlook(20, instances=8))[0] < plain[0]


def test_a_plan_says_when_margins_cannot_be_met_and_what_can() -> None:
    found = outlook(2)
    assert "cannot pass within 1 h" in found.sentence
    errors = found.metrics[1]
    assert errors.passes is None or errors.passes > 3600
    assert "can be ruled out" in errors.sentence or "never be ruled out" in errors.sentence


def test_events_that_never_happen_are_planned_as_a_share() -> None:
    asked = policy().model_copy(update={"steps": (0.5,)})
    found = plan(asked, Workload(50.0, {"errors": 0.0}))
    assert "if there were none before" in found.metrics[1].sentence


def test_curves_never_rise_and_can_be_drawn() -> None:
    found = outlook(50)
    for metric in found.metrics:
        harms = [harm for _, harm in metric.curve]
        assert harms == sorted(harms, reverse=True)
    assert draw(found).lstrip().startswith("<svg")
    assert draw(found) == draw(outlook(50))


def calm_policy(minutes: int) -> Policy:
    return parse_policy(
        f"version: 1\nwarmup: 0s\nsteps: [50%]\nminimum: 10m\nmaximum: {minutes}m\n"
        "metrics: [{name: latency, kind: latency}]\n"
    )


NOISE = MeasuredNoise(tau=0.03, phi=0.3, host=0.01)
KNOWN = Learned(200, NOISE, NOISE)


@pytest.mark.long
@pytest.mark.parametrize(("minutes", "harm"), [(30, 0.03), (30, 0.05), (60, 0.04)])
def test_what_is_foreseen_comes_true(minutes: int, harm: float) -> None:
    """With noise as the plan assumes, the power at its 80 % point is 80 %, within 12 points."""
    asked = calm_policy(minutes)
    foreseen = plan(asked, Workload(100.0), {"latency": KNOWN}).metrics[0]
    seconds = next((t for t, visible in foreseen.curve if visible <= harm), None)
    generator = np.random.default_rng(minutes)
    runs = 1500
    noise = 0.03 * generator.standard_normal((runs, minutes))
    for t in range(1, minutes):
        noise[:, t] = 0.3 * noise[:, t - 1] + np.sqrt(1 - 0.09) * noise[:, t]
    sampling = np.sqrt(np.expm1(0.49) * 2 / 3000) * generator.standard_normal((runs, minutes))
    hosts = 0.01 * generator.standard_normal((runs, 1))
    x = np.exp(np.log1p(harm) + hosts + noise + sampling)
    n = np.full((runs, minutes), 3000.0)
    trace = judge_many(asked, {"latency": Arms(x, np.ones_like(x), n, n)}, {"latency": KNOWN})
    if seconds is None:
        assert (trace.first_fail > 0).mean() < 0.92
        return
    found = ((trace.first_fail > 0) & (trace.first_fail <= seconds // 60)).mean()
    assert found == pytest.approx(0.8, abs=0.12)


def test_traffic_is_measured_from_a_past_canary() -> None:
    found = workload_of(policy(), healthy())
    assert found.rate == pytest.approx(100, rel=0.15)
    assert found.events["errors"] == pytest.approx(0.005, rel=0.1)
    assert (found.spread, found.instances) == (0.7, (2, 2))


def test_a_run_says_what_it_would_have_found() -> None:
    said = achieved(policy(), judge(policy(), healthy()))
    assert len(said) == 4
    assert said[0].startswith("p90 latency: harm beyond its margin of ")
    assert all("is ruled out" in sentence for sentence in said)


def test_harm_that_needs_many_times_the_margin_is_told_as_too_little_data() -> None:
    """A dozen requests must not give "errors: harm of 1,193 % or more would have been found"."""
    early = judge(policy(), healthy(), 120)
    errors = next(one for one in early.findings if one.metric == "errors")
    few = {"candidate_events": 0, "baseline_events": 3, "candidate_chances": 12}
    details = {**errors.details, **few, "baseline_chances": 48, "fail_bound": 2.0}

    def said(error: float, verdict: Verdict = Verdict.INCONCLUSIVE) -> str:
        one = replace(errors, verdict=verdict, details={**details, "error": error})
        return achieved(policy(), replace(early, findings=(one,)))[0]

    assert said(0.9) == (
        "errors: too little data to find harm of any usual size (3 in 12 requests of the candidate "
        "and 48 of the baseline)"
    )
    assert said(0.4) == "errors: a rise to 3.12 times the baseline or more would have been found"
    assert said(0.1) == "errors: harm of 33 % or more would have been found"
    assert said(0.4, Verdict.PASS) == (
        "errors: harm beyond its margin is ruled out, and a rise to 3.12 times the baseline or "
        "more would have failed"
    )


def test_a_plan_for_hardly_any_traffic_names_no_harm_of_thousands_of_per_cent() -> None:
    latency, errors = outlook(0.005, maximum="20m").metrics
    for found in (latency, errors):
        assert (
            "there is too little traffic for harm of any usual size to be found" in found.sentence
        )
    assert latency.visible > 3
    assert "a margin of 5 % can never be ruled out. Use more instances" in latency.sentence


@pytest.mark.parametrize(
    ("error", "words"),
    [(0.0, "its values did not change"), (30.0, "too little data to find harm of any usual size")],
)
def test_a_run_that_could_find_nothing_says_so(error: float, words: str) -> None:
    """It must not say "harm of unbounded or more", or "harm of 0 points or more"."""
    judgement = judge(policy(), healthy())
    first = replace(judgement.findings[0], verdict=Verdict.INCONCLUSIVE)
    blind = replace(first, details={**first.details, "error": error})
    assert words in achieved(policy(), replace(judgement, findings=(blind,)))[0]


def test_a_metric_that_failed_is_not_said_to_have_needed_more_harm() -> None:
    """After FAIL, it must not say "errors: harm of 9,971 % or more would have been found"."""
    judgement = judge(policy(), healthy())
    first, *others = judgement.findings
    failed = (replace(first, verdict=Verdict.FAIL), *others)
    said = achieved(policy(), replace(judgement, findings=failed))
    assert len(said) == len(others)
    assert not any(sentence.startswith("p90 latency") for sentence in said)


def test_past_canaries_teach_noise() -> None:
    past = [healthy(seed) for seed in range(10)]
    known = rehearse(policy(), past, "csv", Worth(10, 3)).calibration.metrics
    assert set(known) == {"p90 latency", "errors", "cpu", "memory"}
    assert 0.03 < known["cpu"].noise.tau < 0.06, "ten short windows halve the default of 0.1"
    assert known["cpu"].windows == 10


def test_a_replay_stops_where_a_run_would_have() -> None:
    good, bad = (judge_looks(policy(), one) for one in (healthy(), healthy(2, errors=5.0)))
    assert (good[-1].verdict, bad[-1].verdict) == (Verdict.PASS, Verdict.FAIL)
    assert len(bad) < len(good)


# Prices as in AWS's list of 2026: 40 metrics at $0.30, three alarms at $0.10, a dashboard at $3.
def test_costs_add_up() -> None:
    cost = monthly_cost(policy(), instances=4, published=10, alarms=3, dashboards=1, canaries=0)
    assert cost.metrics == 12.0
    assert cost.alarms == pytest.approx(0.3)
    assert cost.dashboards == 3.0
    assert cost.publishing == pytest.approx(4 * 43_200 * 0.01 / 1000)
    assert cost.sentence.startswith("CloudWatch costs about $17.03 a month")
