"""The judge's verdicts and sentences for releases with known harm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import PolicyError
from canary.judge import judge
from canary.learned import Calibration, Learned, MeasuredNoise
from canary.model import Arm, Finding, Judgement, Recording, Series, Step, Verdict
from canary.policy import Policy, parse_policy
from tests.unit.canary.verdict_recordings import healthy, policy


def finding(judgement: Judgement, metric: str) -> Finding:
    return next(one for one in judgement.findings if one.metric == metric)


def first(asked: Policy, recording: Recording) -> Judgement:
    """Return the judgement at which a run would stop."""
    for look in recording.looks:
        judgement = judge(asked, recording, look)
        if judgement.verdict is not Verdict.INCONCLUSIVE:
            return judgement
    return judge(asked, recording)


def test_a_good_release_passes_before_the_maximum_and_not_before_the_minimum() -> None:
    judgement = first(policy(), healthy())
    assert judgement.verdict is Verdict.PASS
    assert 600 <= judgement.at <= 3300
    assert judgement.reason.startswith("All 4 metrics are within their margins")
    assert judgement.advice == ""


@pytest.mark.parametrize(
    ("metric", "recording", "within"),
    [
        ("p90 latency", healthy(2, latency=1.25), 900),
        ("errors", healthy(2, errors=5.0), 600),
        ("cpu", healthy(2, cpu=1.5), 900),
        ("memory", healthy(2, leak=0.02), 2400),
    ],
)
def test_each_kind_of_harm_fails_in_time(metric: str, recording: Recording, within: int) -> None:
    judgement = first(policy(), recording)
    assert judgement.verdict is Verdict.FAIL
    assert [one.metric for one in judgement.findings if one.verdict is Verdict.FAIL] == [metric]
    assert judgement.at <= within
    assert finding(judgement, metric).sentence == judgement.reason
    assert judgement.reason.endswith(f"FAIL after {judgement.at // 60} min")


def test_the_sentence_of_a_latency_says_how_much_how_sure_and_against_which_margin() -> None:
    sentence = finding(judge(policy(), healthy(2, latency=1.25)), "p90 latency").sentence
    assert sentence.startswith("p90 latency: 2")
    assert "% slower than the baseline (90 % interval: 2" in sentence
    assert sentence.endswith("Allowed: 5 % slower. FAIL after 55 min")


def test_the_sentence_of_counts_says_the_rates_first() -> None:
    sentence = finding(judge(policy(), healthy(2, errors=5.0)), "errors").sentence
    assert sentence.startswith("Errors: 2.5 % of the candidate's requests failed (4,")
    assert ", 0.5 % of the baseline's (8" in sentence
    assert "Allowed: 1.5 times the baseline or 0.1 % more. FAIL after 55 min" in sentence


def test_a_level_that_fails_by_its_growth_says_so() -> None:
    sentence = finding(first(policy(), healthy(2, leak=0.02)), "memory").sentence
    assert "It grows 1.8 % a minute faster" in sentence
    assert "faster, allowed: 0.55 %. FAIL" in sentence
    assert "grows" not in finding(judge(policy(), healthy()), "memory").sentence


def test_no_errors_at_all_is_said_without_a_ratio_and_passes() -> None:
    judgement = judge(policy(), without_events(healthy()))
    sentence = finding(judgement, "errors").sentence
    assert sentence.startswith("Errors: none in ")
    assert judgement.verdict is Verdict.PASS


def without_events(recording: Recording, arm: Arm | None = None) -> Recording:
    def edit(one: Series) -> Series:
        if one.metric != "errors" or arm not in (None, one.arm):
            return one
        return replace(one, values=(0.0,) * len(one.values))

    return replace(recording, series=tuple(edit(one) for one in recording.series))


def test_errors_on_the_candidate_alone_fail() -> None:
    judgement = first(policy(), without_events(healthy(), Arm.BASELINE))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.at <= 600
    assert "0 % of the baseline's (0 of " in judgement.reason


def test_a_muted_metric_is_shown_and_does_not_count() -> None:
    muted = policy().model_copy(
        update={
            "metrics": tuple(
                metric.model_copy(update={"muted": metric.name == "errors"})
                for metric in policy().metrics
            )
        }
    )
    judgement = judge(muted, healthy(2, errors=5.0))
    assert judgement.verdict is Verdict.PASS
    assert finding(judgement, "errors").verdict is Verdict.FAIL
    assert finding(judgement, "errors").muted


def test_a_metric_that_is_not_critical_still_fails_the_canary() -> None:
    optional = parse_policy(
        "version: 1\nwarmup: 2m\nmaximum: 55m\nmetrics:\n"
        "- {name: p90 latency, kind: quantile}\n- {name: errors, kind: count, critical: false}\n"
    )
    assert first(optional, healthy(2, errors=5.0)).verdict is Verdict.FAIL


def test_pass_may_leave_a_fifth_of_what_is_not_critical_open() -> None:
    text = (
        "version: 1\nwarmup: 2m\nmaximum: 55m\nmetrics:\n- {name: p90 latency, kind: quantile}\n"
        "- {name: errors, kind: count, critical: false, weight: 9}\n"
        "- {name: nowhere, kind: count, critical: false, weight: WEIGHT}\n"
    )
    assert judge(parse_policy(text.replace("WEIGHT", "1")), healthy()).verdict is Verdict.PASS
    open_one = judge(parse_policy(text.replace("WEIGHT", "9")), healthy())
    assert open_one.verdict is Verdict.INCONCLUSIVE


def test_load_is_compared_on_equal_footing_only() -> None:
    steps = (Step(0, 0.05, 0.95, equal_footing=False), Step(1800, 0.5, 0.5, equal_footing=True))
    uneven = replace(healthy(), steps=steps)
    early, late = judge(policy(), uneven, 1800), judge(policy(), uneven)
    assert "have not yet carried the same load" in finding(early, "cpu").sentence
    assert finding(late, "cpu").periods == 25
    assert finding(late, "p90 latency").periods == 53


def test_a_period_in_which_a_weight_changed_is_not_judged() -> None:
    steps = (Step(0, 0.5, 0.5, equal_footing=True), Step(1830, 0.4, 0.6, equal_footing=True))
    assert finding(judge(policy(), replace(healthy(), steps=steps)), "errors").periods == 52


def test_several_instances_are_one_arm_and_one_instance_is_a_caution() -> None:
    one, two = judge(policy(), healthy(instances=1)), judge(policy(), healthy(instances=2))
    assert any("one instance per arm" in sentence for sentence in one.quality)
    assert not any("one instance per arm" in sentence for sentence in two.quality)
    assert finding(one, "cpu").details["host"] > finding(two, "cpu").details["host"]


def test_an_uncalibrated_run_says_so_and_a_calibrated_one_does_not() -> None:
    noise = MeasuredNoise(tau=0.02, phi=0.3, host=0.01)
    known = Learned(100, noise, noise)
    names = ("p90 latency", "errors", "cpu", "memory")
    calibrated = replace(healthy(), calibration=Calibration(dict.fromkeys(names, known)))
    assert "uncalibrated" in judge(policy(), healthy()).quality[-1]
    assert judge(policy(), calibrated).quality == ()


SLOS = "slos:\n- {metric: p90 latency, maximum: LATENCY}\n- {metric: errors, maximum: ERRORS}\n"


def limited(latency: str = "500", errors: str = "2%") -> Policy:
    return policy(SLOS.replace("LATENCY", latency).replace("ERRORS", errors))


def test_absolute_limits_that_hold_pass() -> None:
    judgement = judge(limited(), healthy())
    assert judgement.verdict is Verdict.PASS
    assert finding(judgement, "p90 latency limit").sentence.endswith("Allowed: at most 500. PASS")


def test_a_broken_limit_fails_even_where_the_baseline_is_near_it() -> None:
    judgement = judge(limited(errors="2%"), healthy(2, errors=8.0), 420)
    limit = finding(judgement, "errors limit")
    assert limit.verdict is Verdict.FAIL
    assert "Allowed: at most 2 % of requests. FAIL" in limit.sentence


def test_a_limit_that_the_baseline_breaks_too_is_not_the_candidate_s_fault() -> None:
    judgement = judge(limited(latency="50"), healthy())
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert (
        "on the baseline, which breaks the limit too"
        in finding(judgement, "p90 latency limit").sentence
    )


def test_a_total_counts_the_warm_up_too() -> None:
    asked = parse_policy(
        "version: 1\nwarmup: 2m\nmaximum: 55m\nmetrics: [{name: restarts, kind: count, per: time}]"
        "\nslos: [{metric: restarts, total: 3}]\n"
    )
    times = tuple(range(0, 3300, 60))
    crashes = (3.0, 2.0, *(0.0,) * 53)
    series = tuple(
        Series("restarts", arm, arm.value, times, values, (None,) * 55)
        for arm, values in ((Arm.CANDIDATE, crashes), (Arm.BASELINE, (0.0,) * 55))
    )
    judgement = judge(asked, replace(healthy(), series=series), 600)
    assert judgement.verdict is Verdict.FAIL
    assert "Restarts limit: 5 on the candidate. Allowed: at most 3. FAIL" in judgement.reason


def test_an_undecided_run_says_what_would_decide_it() -> None:
    early = judge(policy(), healthy(), 700)
    assert early.verdict is Verdict.INCONCLUSIVE
    assert "more at this split would decide" in early.advice
    near = judge(policy(), healthy(latency=1.045), 1500)
    assert near.verdict is Verdict.INCONCLUSIVE
    assert "accept a margin of" in near.advice


def test_a_run_is_judged_to_the_end_that_its_policy_names() -> None:
    short = policy().model_copy(update={"maximum": 1200})
    assert finding(judge(short, healthy()), "errors").periods == 18
    assert finding(judge(policy(), healthy()), "errors").periods == 53


def test_a_recording_of_another_period_is_refused() -> None:
    with pytest.raises(PolicyError, match="set period: 60s"):
        judge(policy().model_copy(update={"period": 30}), healthy())


def test_scores_lie_in_the_range_of_their_verdict() -> None:
    assert judge(policy(), healthy()).score == 100.0
    failed = judge(policy(), healthy(2, errors=5.0)).score
    undecided = judge(policy(), healthy(), 700).score
    assert failed is not None
    assert failed <= 49
    assert undecided is not None
    assert 50 <= undecided <= 89


def test_a_change_within_the_margin_neither_fails_nor_hides() -> None:
    slight = judge(policy(), healthy(2, latency=1.02))
    assert finding(slight, "p90 latency").effect == pytest.approx(0.02, abs=0.01)
    assert finding(slight, "p90 latency").verdict is not Verdict.FAIL
