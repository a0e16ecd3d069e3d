"""Harm that is negligible in absolute terms does not fail, however large it is in per cent."""

from __future__ import annotations

import pytest

from canary.errors import PolicyError
from canary.model import Recording, Verdict
from canary.policy import Policy, parse_policy
from canary.policy.amounts import negligible_by_default, parse_amount
from tests.unit.canary.suspect_windows import finding, judged, of, policy, times, window


def latencies(baseline: float, candidate: float, host: str = "candidate") -> Recording:
    """Return a window with these usual latencies."""
    other = of("latency", "", times(baseline / 100))
    return window(other, of("latency", host, times(candidate / baseline)))


def of_latency(**settings: object) -> Policy:
    return policy(latency=settings)


@pytest.mark.parametrize(
    ("settings", "baseline", "candidate", "verdict"),
    [
        ({"unit": "ms"}, 5, 10, Verdict.PASS),
        ({"unit": "s"}, 0.005, 0.010, Verdict.PASS),
        ({"unit": "us"}, 5_000, 10_000, Verdict.PASS),
        ({"unit": "ms"}, 5, 20, Verdict.FAIL),
        ({"unit": "s"}, 5, 10, Verdict.FAIL),
        ({"unit": "ms"}, 200, 230, Verdict.FAIL),
        ({"unit": "ms", "negligible": 0}, 5, 10, Verdict.FAIL),
        ({"unit": "ms", "negligible": "50ms"}, 200, 230, Verdict.PASS),
        ({"negligible": 8}, 5, 10, Verdict.PASS),
        ({}, 5, 10, Verdict.INCONCLUSIVE),
        ({}, 5, 20, Verdict.FAIL),
        ({}, 0.5, 1.0, Verdict.FAIL),
        ({}, 100, 120, Verdict.FAIL),
    ],
)
def test_a_latency_fails_for_harm_that_is_noticed(
    settings: dict[str, object], baseline: float, candidate: float, verdict: Verdict
) -> None:
    judgement = judged(latencies(baseline, candidate), of_latency(**settings))
    assert finding(judgement, "latency").verdict is verdict


def test_one_host_alone_does_not_fail_for_a_few_milliseconds() -> None:
    for settings in ({"unit": "ms"}, {}):
        judgement = judged(latencies(5, 10, "candidate-2"), of_latency(**settings))
        assert finding(judgement, "latency").verdict is not Verdict.FAIL


def test_without_a_unit_the_sentence_asks_for_it() -> None:
    found = finding(judged(latencies(5, 10)), "latency")
    assert "only about 5" in found.sentence
    assert "unit: ms" in found.sentence


def test_the_sentence_and_the_margin_tell_the_floor() -> None:
    found = finding(judged(latencies(5, 10), of_latency(unit="ms")), "latency")
    assert "Allowed: 5 % slower or 6 ms more" in found.sentence
    assert found.margin == pytest.approx(6 / 5, rel=0.02)


def test_memory_and_load_have_a_floor_of_their_own() -> None:
    recording = window(of("memory", "", times(0.1)), of("memory", "candidate", times(1.4)))
    assert finding(judged(recording), "memory").verdict is Verdict.FAIL
    small = policy(memory={"unit": "MB"})
    assert finding(judged(recording, small), "memory").verdict is not Verdict.FAIL


@pytest.mark.parametrize(
    ("unit", "amount"),
    [("ms", 6), ("s", 0.006), ("us", 6000), ("%", 2), ("MB", 16), ("bytes", 16e6), ("", 0)],
)
def test_the_default_follows_the_unit(unit: str, amount: float) -> None:
    assert negligible_by_default(unit) == pytest.approx(amount)


@pytest.mark.parametrize(
    ("value", "unit", "sentence"),
    [
        ("6ms", "", "has a unit, but the metric has no unit"),
        ("6ms", "MB", "the metric's unit is MB"),
        ("fast", "ms", "is not an amount"),
        (-1, "ms", "is not an amount"),
        (True, "ms", "is not an amount"),
    ],
)
def test_an_amount_that_cannot_be_meant_is_refused(value: object, unit: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_amount(value, unit)


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        ("{name: x, kind: latency, negligible: 6ms}", "write for example unit: ms"),
        ("{name: x, kind: count, negligible: 6ms}", "is not a share"),
        ("{name: x, kind: latency, unit: msec}", "Did you mean ms"),
    ],
)
def test_a_policy_names_what_is_wrong_with_its_floor(metric: str, sentence: str) -> None:
    with pytest.raises(PolicyError, match=sentence):
        parse_policy(f"version: 1\nmetrics:\n- {metric}\n")
