"""Sentences and scores that cannot contradict themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.judge import judge
from canary.judge.advice import wider_margin as advised_margin
from canary.judge.wording import count_sentence, interval_words, size_words
from canary.model import Verdict
from canary.policy import Metric, parse_policy
from tests.unit.canary.suspect_windows import finding, judged, of, policy, times, window
from tests.unit.canary.test_judge_hosts import hurt
from tests.unit.canary.verdict_recordings import healthy
from tests.unit.canary.verdict_recordings import policy as shop

LATENCY = Metric(name="latency", kind="latency")
ERRORS = Metric(name="errors", kind="count")
ROUGH = np.exp(np.random.default_rng(3).normal(0, 0.5, 40)).tolist()
"""The variation of a period's mean of two requests."""


def totals(candidate: float, baseline: float) -> dict[str, float]:
    return {
        "candidate_events": candidate,
        "baseline_events": baseline,
        "candidate_chances": 100_000.0,
        "baseline_chances": 100_000.0,
    }


def test_crude_rates_stand_beside_crude_rates() -> None:
    """9.2 % against 0.5 % is not "6.2 % more": the deciding estimate is named separately."""
    said = count_sentence(ERRORS, 1.0, totals(9200, 500), (0.062, -0.053, 0.19), 0.9, "FAIL")
    assert "9.2 % of the candidate's requests failed (9,200 of 100,000), 0.5 %" in said
    assert (
        "The estimate that decides weighs single periods less: 6.2 % more "
        "(90 % interval: 5.3 % fewer to 19 % more)"
    ) in said


@pytest.mark.parametrize("effect", [0.05, -0.05])
def test_an_estimate_that_agrees_with_the_rates_is_not_said_twice(effect: float) -> None:
    said = count_sentence(ERRORS, 1.0, totals(510, 500), (effect, -0.2, 0.2), 0.9, "PASS")
    assert "estimate" not in said


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_no_interval_ends_at_a_hundred_per_cent_less(sign: float) -> None:
    assert interval_words(LATENCY, -1.0, None, sign) == "not known yet"
    assert interval_words(LATENCY, 0.5, None, 1.0) == "at least 50 % slower"
    assert size_words(LATENCY, -0.999, 1.0) == "1,000 times faster"
    assert interval_words(LATENCY, -0.999, -0.99, 1.0) == "100 to 1,000 times faster"
    assert size_words(LATENCY, -0.5, 1.0) == "50 % faster"


def test_a_failure_that_users_feel_comes_before_one_of_the_host() -> None:
    recording = window(of("memory", "candidate", times(30)), errors=0.02)
    judgement = judge(policy(memory={"critical": True}), recording, recording.looks[9])
    assert {finding(judgement, name).verdict for name in ("memory", "errors")} == {Verdict.FAIL}
    assert judgement.reason.startswith("Errors: 2 % of the candidate's requests failed")


def test_a_total_failure_scores_near_zero_and_a_small_one_near_fifty() -> None:
    total = judged(window(of("errors", "candidate", lambda _: [3000.0] * 40)))
    slight = judge(shop(), healthy(2, latency=1.08))
    assert total.verdict is slight.verdict is Verdict.FAIL
    assert total.score is not None
    assert total.score < 1
    assert slight.score is not None
    assert 20 < slight.score <= 49


def test_kayentas_verdict_names_its_metrics() -> None:
    rules = shop().model_copy(update={"judge": "kayenta"})
    judgement = judge(rules, healthy(2, errors=5.0, cpu=3.0))
    assert judgement.verdict is Verdict.FAIL
    assert "Not passed: errors (critical) and cpu (critical)" in judgement.reason
    assert "Not passed" not in judge(rules, healthy()).reason


def test_advice_accepts_no_margin_that_is_smaller_than_the_policys() -> None:
    rules = parse_policy(
        "version: 1\nwarmup: 0s\nminimum: 10m\nmaximum: 60m\nmetrics:\n"
        "- {name: errors, kind: count}\n"
    )
    late = of("errors", "candidate", lambda values: [*values[:-3], 60.0, 60.0, 60.0])
    judgement = judge(rules, window(late))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.advice == "About 1 min more at this split would decide errors"


def test_what_cannot_be_compared_is_said_before_what_is_undecided() -> None:
    recording = window(of("errors", "baseline", lambda _: [None] * 40))
    judgement = judge(policy(), recording, recording.looks[9])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "latency and errors. Errors cannot be compared" in judgement.reason


def test_two_metrics_are_both() -> None:
    two = policy().model_copy(update={"metrics": policy().metrics[:2]})
    assert judge(two, window()).reason.startswith("Both metrics are within their margins")


def test_an_interval_that_says_nothing_is_not_told() -> None:
    swap = Metric.model_validate({"name": "swap", "kind": "level", "margin": "4 points"})
    assert interval_words(swap, -217_902.0, 217_902.0, 1.0) == "not known yet"
    assert interval_words(swap, -2.0, 3.0, 1.0) == "2 points lower to 3 points higher"


def test_advice_mends_what_cannot_be_compared_before_all_else() -> None:
    """The advice names the queue that is empty on the baseline, not errors near their margin."""
    empty = of("requests", "baseline", lambda values: [0.0] * len(values))
    dead = of("memory", "baseline", lambda values: [None] * len(values))
    rules = policy(requests={"critical": True}, memory={"critical": True})
    judgement = judge(rules, window(empty, dead, errors=0.006))
    assert judgement.advice.startswith("First make requests and memory measurable; the reason says")
    assert "Memory cannot be compared: the baseline has no value" in judgement.advice


def test_advice_mends_the_data_of_a_host_that_reports_nothing() -> None:
    """The advice does not describe it as a metric that is close to its margin."""
    judgement = judged(window(of("errors", "candidate-2", lambda values: [None] * len(values))))
    assert "candidate-2 reported no value of errors" in judgement.reason
    assert judgement.advice.startswith("Correct the data of errors first")


def test_little_traffic_is_not_told_as_hosts_that_differ() -> None:
    few = window(
        of("latency", "", lambda values: [v * f for v, f in zip(values, ROUGH, strict=True)])
    )
    few = replace(few, series=tuple(replace(one, samples=(2.0,) * 40) for one in few.series))
    latency = policy().model_copy(update={"metrics": policy().metrics[:1]})
    judgement = judge(latency, few)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "there is little traffic, about 4 requests a period" in judgement.reason
    assert "more traffic" in judgement.advice
    assert "hosts differ" not in judgement.advice


def test_a_sick_host_that_is_left_out_is_no_other_split() -> None:
    """Without one of three hosts, the candidate has 60 % of the requests: no wrong split."""
    sick = hurt(healthy(instances=3), "baseline-2", "errors", 60.0)
    judgement = judge(shop(), sick, until=60 * 30)
    assert any("baseline-2 is not like the others" in note for note in judgement.quality)
    assert not any("--share" in note for note in judgement.quality)


@pytest.mark.parametrize(
    ("wider", "said"), [(0.57, "1.57 times instead of 1.5 times"), (0.502, "")]
)
def test_a_wider_margin_differs_visibly(wider: float, said: str) -> None:
    one = replace(finding(judged(window()), "errors"), margin=0.5)
    assert said in advised_margin(Metric(name="errors", kind="count", negligible=0), one, wider)
    latency = replace(finding(judged(window()), "latency"), margin=0.05)
    assert advised_margin(LATENCY, latency, 0.0504) == ""


def test_advice_on_a_level_that_grows_names_its_growth() -> None:
    """Its mean is lower, so the newest periods do not explain why it does not pass."""
    ramp = [0.3 * 1.02**at for at in range(40)]
    grown = of("memory", "candidate", lambda values: [v * f for v, f in zip(values, ramp)])  # noqa: B905
    rules = policy(memory={"critical": True})
    judgement = judged(window(grown), rules)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "memory grows 2 % a minute faster than the baseline's" in judgement.advice


def test_a_million_times_is_a_number() -> None:
    assert size_words(LATENCY, 1_046_596.0, 1.0) == "1,046,597 times slower"
    assert interval_words(LATENCY, 1e6, None, 1.0) == "at least 1,000,001 times slower"
