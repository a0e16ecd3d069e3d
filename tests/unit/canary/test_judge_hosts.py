"""Single hosts: a bad host is found and named, and a sick baseline host does not decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.judge import judge
from canary.judge.hosts import against, apart
from canary.judge.rule import rule_of
from canary.model import Arm, Recording, Verdict
from canary.policy import parse_policy
from tests.unit.canary.verdict_recordings import PERIODS, POLICY, healthy, policy, scaled

EIGHT = 8


def hurt(
    kept: Recording, host: str, metric: str, factor: float, since: int = 0, until: int = 10**6
) -> Recording:
    """Multiply a metric of one host from period ``since`` up to, not including, ``until``."""
    factors = [factor if since <= at < until else 1.0 for at in range(PERIODS)]
    return scaled(kept, host, (metric,), factors)


@pytest.mark.parametrize(
    ("metric", "factor", "words"),
    [
        ("errors", 8.0, "candidate-3 failed"),
        ("p90 latency", 1.5, "candidate-3 is 50 % slower than the baseline"),
    ],
)
def test_one_bad_host_of_eight_fails_and_is_named(metric: str, factor: float, words: str) -> None:
    """The mean over eight hosts dilutes the harm to less than the margin."""
    kept = hurt(healthy(instances=EIGHT), "candidate-3", metric, factor)
    judgement = judge(policy(), kept, until=60 * 17)
    assert judgement.verdict is Verdict.FAIL
    assert words in judgement.reason
    assert "the candidate's other 7 hosts" in judgement.reason
    assert judge(policy(), healthy(instances=EIGHT), until=60 * 17).verdict is not Verdict.FAIL


def test_a_bad_host_that_begins_late_is_found_too() -> None:
    kept = hurt(healthy(instances=EIGHT), "candidate-3", "p90 latency", 1.5, since=30)
    assert judge(policy(), kept, until=60 * 50).verdict is Verdict.FAIL
    assert "candidate-3" in judge(policy(), kept, until=60 * 50).reason


def test_a_burst_of_one_host_does_not_fail() -> None:
    """Bursts of eight periods are common, and they end."""
    kept = hurt(healthy(instances=EIGHT), "candidate-3", "p90 latency", 1.5, since=20)
    kept = hurt(kept, "candidate-3", "p90 latency", 1 / 1.5, since=28)
    looks = (judge(policy(), kept, until=60 * minute) for minute in range(20, 55, 3))
    assert Verdict.FAIL not in {look.verdict for look in looks}


@pytest.mark.parametrize("until", [7, 9])
def test_a_burst_that_begins_with_the_run_does_not_fail(until: int) -> None:
    """Over all periods the host has five times the errors, but they stop."""
    kept = hurt(healthy(instances=EIGHT), "candidate-3", "errors", 10.0, until=until)
    looks = (judge(policy(), kept, until=60 * minute) for minute in range(14, 25))
    assert Verdict.FAIL not in {look.verdict for look in looks}


def test_a_bad_host_is_found_although_one_part_of_few_events_does_not_show_it() -> None:
    """With 10 errors per minute on average, three quiet minutes occur by chance."""
    kept = hurt(healthy(instances=EIGHT), "candidate-3", "errors", 8.0)
    kept = hurt(kept, "candidate-3", "errors", 1 / 8.0, since=6, until=9)
    judgement = judge(policy(), kept, until=60 * 17)
    assert judgement.verdict is Verdict.FAIL
    assert "candidate-3 failed" in judgement.reason


def test_hosts_of_the_baseline_that_differ_as_much_excuse_a_host_of_the_candidate() -> None:
    """No host stands out if equal hosts differ as much from each other."""
    kept = hurt(healthy(instances=EIGHT), "candidate-3", "p90 latency", 1.4)
    assert judge(policy(), kept, until=60 * 17).verdict is Verdict.FAIL
    for number in range(1, EIGHT + 1):
        factor = 1.15 if number % 2 else 0.87
        kept = hurt(kept, f"baseline-{number}", "p90 latency", factor)
    assert judge(policy(), kept, until=60 * 17).verdict is not Verdict.FAIL


def test_one_bad_host_of_two_is_named_when_the_arm_fails() -> None:
    kept = hurt(healthy(instances=2), "candidate-2", "errors", 30.0)
    judgement = judge(policy(), kept, until=60 * 8)
    assert judgement.verdict is Verdict.FAIL
    assert "candidate-2 failed" in judgement.reason
    assert "the candidate's other host" in judgement.reason


def test_one_bad_host_of_two_is_named_if_nothing_else_fails_and_it_has_few_requests() -> None:
    """The candidate has a tenth of the requests, and no other host has any error."""
    kept = hurt(healthy(instances=2), "candidate-2", "errors", 2.0)
    for host in ("candidate-1", "baseline-1", "baseline-2"):
        kept = hurt(kept, host, "errors", 0.0)
    few = tuple(
        replace(one, samples=tuple((x or 0.0) / 10 for x in one.samples))
        if one.arm is Arm.CANDIDATE and one.metric == "errors"
        else one
        for one in kept.series
    )
    judgement = judge(policy(), replace(kept, series=few), until=60 * 8)
    assert judgement.verdict is Verdict.FAIL
    assert "candidate-2 failed" in judgement.reason
    assert "the candidate's other host 0 %" in judgement.reason


def test_a_sick_baseline_host_of_three_does_not_hide_harm_and_is_named() -> None:
    """8 % of the candidate's requests fail. A baseline mean with the sick host would be higher."""
    kept = healthy(instances=3, errors=8.0)
    sick = hurt(kept, "baseline-2", "errors", 40.0)
    judgement = judge(policy(), sick)
    assert judgement.verdict is Verdict.FAIL
    named = "the baseline's baseline-2 is not like the others and is left out"
    assert any(named in sentence for sentence in judgement.quality)


def test_a_sick_baseline_host_makes_no_harm() -> None:
    """It answers errors quickly, so the mean latency of the baseline falls."""
    kept = hurt(healthy(instances=3), "baseline-2", "p90 latency", 0.4)
    judgement = judge(policy(), kept)
    assert judgement.verdict is not Verdict.FAIL
    assert any("baseline-2" in sentence for sentence in judgement.quality)


def test_two_baseline_hosts_that_disagree_are_both_named_and_nothing_is_decided() -> None:
    """The candidate is harmful against one host but not the other, and there is no third host."""
    kept = hurt(healthy(instances=2, errors=6.0), "baseline-1", "errors", 6.0)
    judgement = judge(policy(), kept)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "baseline-1" in judgement.reason
    assert "baseline-2" in judgement.reason


def test_both_arms_equally_broken_pass_only_with_a_warning() -> None:
    asked = parse_policy(POLICY)
    broken = healthy(instances=2)
    for host in ("baseline-1", "baseline-2", "candidate-1", "candidate-2"):
        broken = hurt(broken, host, "errors", 40.0)
    judgement = judge(asked, broken)
    assert judgement.verdict is not Verdict.FAIL
    assert any("both arms are bad" in sentence for sentence in judgement.quality)
    assert not any("both arms" in sentence for sentence in judge(asked, healthy()).quality)


def test_harm_that_every_host_shows_fails_sooner_than_one_host_could() -> None:
    """A burst affects one host, so harm on all hosts at once is no burst."""
    kept = healthy(instances=4, errors=6.0)
    judgement = judge(policy(), kept, until=60 * 6)
    assert judgement.verdict is Verdict.FAIL
    kept = healthy(instances=4)
    assert judge(policy(), kept, until=60 * 6).verdict is not Verdict.FAIL
    for host in ("candidate-1", "candidate-2"):
        kept = hurt(kept, host, "errors", 6.0)
    assert "every host" not in judge(policy(), kept, until=60 * 6).reason


@pytest.mark.parametrize("hosts", [2, 4])
def test_errors_in_batches_are_chance_where_as_many_steady_ones_are_not(hosts: int) -> None:
    """Both have four times the errors of the baseline, in each part of the time."""
    asked = policy()
    metric = next(one for one in asked.metrics if one.name == "errors")
    batches, steady = np.tile([2.0, 2.0, 32.0], 5)[:15], np.full(15, 12.0)
    baseline = np.tile([12.0, 3.0, 3.0], 5) / 2
    requests = np.full((hosts, 15), 1500.0)
    for errors, stands in ((batches, False), (steady, True)):
        rows = np.vstack([errors, *[baseline] * (hosts - 1)])
        both = 2 * baseline, np.full(15, 3000.0)
        found = apart(
            asked, metric, rule_of(asked, metric, 1.0), against(rows, requests, both, 1.0), 15
        )
        assert bool(found.stands[0]) is stands


def test_one_bad_host_of_many_with_few_events_is_named_when_the_arm_fails() -> None:
    """One or two events of another host by chance do not make it a cause, nor hide the cause."""
    kept = hurt(healthy(instances=20), "candidate-7", "errors", 200.0)
    judgement = judge(policy(), kept, until=60 * 12)
    assert judgement.verdict is Verdict.FAIL
    assert "Errors: candidate-7 failed" in judgement.reason
    assert "the candidate's other 19 hosts" in judgement.reason


@pytest.mark.parametrize("metric", ["p90 latency", "errors", "cpu"])
def test_late_harm_is_told_by_the_periods_that_show_it(metric: str) -> None:
    """The mean of the whole run is still small. A FAIL with that number would be a riddle."""
    kept = healthy(instances=2)
    for host in ("candidate-1", "candidate-2"):
        kept = hurt(kept, host, metric, 4.0 if metric == "errors" else 1.35, since=36)
    looks = (judge(policy(), kept, until=60 * minute) for minute in range(38, 56))
    failed = next(look for look in looks if look.verdict is Verdict.FAIL)
    found = next(one for one in failed.findings if one.metric == metric)
    assert "in the last" in failed.reason
    assert "The estimate that decides" not in failed.reason
    assert found.effect is not None
    assert found.margin is not None
    assert found.effect > found.margin
