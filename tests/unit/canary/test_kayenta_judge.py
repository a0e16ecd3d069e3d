"""Kayenta's rules on a recording, its score, and the conversion of its configurations."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from canary.errors import PolicyError
from canary.kayenta.configuration import convert
from canary.kayenta.judge import judge_kayenta
from canary.kayenta.rules import (
    Classification,
    Direction,
    Gates,
    Label,
    Member,
    Rules,
    classify,
    score,
)
from canary.model import Arm, Recording, Release, Series, Step, Verdict
from canary.policy import Policy
from tests.unit.canary.kayenta_config import CONFIG

START, PERIODS = 600, 40
POLICY = Policy.model_validate(
    {
        "version": 1,
        "warmup": 0,
        "metrics": [
            {"name": "latency", "kind": "latency"},
            {"name": "errors", "kind": "count"},
            {"name": "requests", "kind": "throughput"},
        ],
    }
)


def arm(name: str, side: Arm, values: list[float | None]) -> Series:
    times = tuple(START + 60 * index for index in range(len(values)))
    samples = tuple(1000.0 if side is Arm.BASELINE else 100.0 for _ in values)
    return Series(name, side, f"i-{side}", times, tuple(values), samples)


def recording(slower: float = 1.0, failing: float = 1.0) -> Recording:
    """Return ten times the traffic on the baseline, and a candidate ``slower`` and ``failing``."""
    generator = np.random.default_rng(11)
    series = []
    for side, volume in ((Arm.BASELINE, 1000), (Arm.CANDIDATE, 100)):
        harmed = side is Arm.CANDIDATE
        latency = 40 * (slower if harmed else 1) * np.exp(0.05 * generator.normal(size=PERIODS))
        errors = generator.binomial(volume, 0.05 * (failing if harmed else 1), size=PERIODS)
        requests = generator.poisson(volume, size=PERIODS)
        for name, values in (("latency", latency), ("errors", errors), ("requests", requests)):
            series.append(arm(name, side, [float(value) for value in values]))
    steps = (Step(START, 0.1, 1.0, equal_footing=False),)
    release = Release("v1", "abc", "blue", ("i-1",))
    return Recording("local", 60, release, release, steps, tuple(series))


def without(recording: Recording, metric: str) -> Recording:
    """Return the recording of a candidate whose metric has a misspelt name."""
    kept = [s for s in recording.series if s.metric != metric or s.arm is Arm.BASELINE]
    releases = recording.baseline, recording.candidate
    return Recording("local", 60, *releases, recording.steps, tuple(kept))


def test_equal_arms_pass_although_one_has_ten_times_the_traffic() -> None:
    judgement = judge_kayenta(POLICY, recording())
    assert judgement.verdict is Verdict.PASS
    assert judgement.score == 100.0


@pytest.mark.parametrize("harm", [{"slower": 1.3}, {"failing": 3.0}])
def test_a_critical_metric_that_is_high_fails(harm: dict[str, float]) -> None:
    judgement = judge_kayenta(POLICY, recording(**harm))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.score == 0.0
    assert "score is 0 of 100" in judgement.reason


def test_nothing_is_said_before_the_first_interval_is_over() -> None:
    judgement = judge_kayenta(POLICY, recording(slower=2.0), until=START + 60 * 9)
    assert judgement.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("critical", "score"), [(True, 0.0), (False, 66.67)])
def test_missing_data_fails(critical: bool, score: float) -> None:  # noqa: FBT001
    """As in Kayenta, a critical metric without a value fails all; others only lose points."""
    metrics = [metric.model_copy(update={"critical": critical}) for metric in POLICY.metrics]
    policy = POLICY.model_copy(update={"metrics": tuple(metrics)})
    judgement = judge_kayenta(policy, without(recording(), "errors"))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.score == pytest.approx(score, abs=0.01)


def test_judging_again_gives_the_same() -> None:
    assert judge_kayenta(POLICY, recording(slower=1.1)) == judge_kayenta(
        POLICY, recording(slower=1.1)
    )


def member(
    label: Label, group: str = "a", *, critical: bool = False, muted: bool = False
) -> Member:
    return Member(Classification(label, critical, "made up"), (group,), muted)


@pytest.mark.parametrize(
    ("members", "weights", "expected"),
    [
        ([member(Label.PASS), member(Label.PASS)], {}, 100.0),
        ([member(Label.HIGH), member(Label.LOW)], {}, 0.0),
        ([member(Label.PASS), member(Label.HIGH)], {}, 50.0),
        ([member(Label.PASS), member(Label.HIGH), member(Label.HIGH)], {}, 33.33),
        ([member(Label.PASS), member(Label.HIGH, "b")], {"a": 75.0, "b": 25.0}, 75.0),
        ([member(Label.PASS), member(Label.HIGH, "b")], {"b": 75.0}, 25.0),
        ([member(Label.PASS), member(Label.HIGH, critical=True)], {}, 0.0),
        ([member(Label.PASS), member(Label.NODATA, critical=True), member(Label.PASS)], {}, 0.0),
        ([member(Label.PASS), member(Label.NODATA)], {}, 0.0),
        ([member(Label.PASS), member(Label.PASS), member(Label.NODATA)], {}, 100.0),
        ([member(Label.PASS), member(Label.NODATA_FAIL)], {}, 50.0),
        ([member(Label.PASS), member(Label.HIGH, muted=True)], {}, 100.0),
        ([member(Label.ERROR)], {}, 100.0),  # Kayenta fails open, as described; our judge does not
    ],
)
def test_score(members: list[Member], weights: dict[str, float], expected: float) -> None:
    """Values as in ScorerSuite: 100, 0, 50, 33.33, 75, 25; critical and nodata rules."""
    assert score(members, weights) == expected


def test_constant_arms_are_told_apart_without_noise() -> None:
    tens, ones = [10.0] * 5, [1.0] * 5
    assert classify(Rules(), tens, ones).label is Label.HIGH
    assert classify(Rules(), ones, tens).label is Label.LOW
    assert classify(Rules(direction=Direction.INCREASE), ones, tens).label is Label.PASS


def test_nan_is_removed_or_replaced() -> None:
    holes, full = [math.nan, math.nan, 5.0], [5.0, 5.0, 5.0]
    assert classify(Rules(), holes, full).label is Label.PASS
    assert classify(Rules(replace_nan=True), [math.nan] * 9, [5.0] * 9).label is Label.LOW


def test_outliers_are_removed_only_when_asked() -> None:
    spiked = [10.0, 10.1, 9.9, 10.2, 9.8] * 20 + [1e6]
    gate = Rules(allowed=Gates(1.0, 1.5))
    kept = classify(gate, spiked, [9.0, 9.1, 8.9, 9.2, 8.8] * 20)
    removed = classify(
        Rules(allowed=gate.allowed, remove_outliers=True), spiked, [9.0, 9.1, 8.9, 9.2, 8.8] * 20
    )
    assert kept.deviation > 1000
    # The fence is widened to the 99th percentile, so one point in 101 goes.
    assert removed.deviation == pytest.approx(10 / 9, rel=1e-3)


def test_configuration_becomes_a_policy() -> None:
    imported = convert(json.dumps(CONFIG))
    latency, errors, cpu = imported.policy.metrics
    assert (latency.kind, latency.statistic, latency.source) == ("quantile", "p99", "http_latency")
    assert (latency.critical, latency.harmful, str(latency.limit)) == (True, "increase", "15%")
    assert (errors.kind, errors.critical, errors.group) == ("count", False, "Errors")
    assert (cpu.kind, cpu.harmful) == ("gauge", "either")
    # "Other" and "System" have no weight of their own: they share what is left of 100.
    assert [metric.weight for metric in imported.policy.metrics] == [50, 30, 10]


def test_everything_assumed_or_left_out_is_said() -> None:
    notes = "\n".join(convert(json.dumps(CONFIG)).notes)
    for words in (
        "cpu: kind gauge was guessed from the name",
        "never counted as 0",
        "mustHaveData was left out",
        "only its first group, Errors, was kept",
        "its query was left out",
        "scoreThresholds (pass 95, marginal 75)",
    ):
        assert words in notes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "has no list of metrics"),
        ('{"metrics": []}', "has no list of metrics"),
        ('{"metrics": [{}]}', "metric 1 has no name"),
        ('{"metrics": [{"name": "a"}], "classifier": 5}', "classifier is 5"),
        (
            '{"metrics": [{"name": "a"}], "classifier": {"groupWeights": {"g": "x"}}}',
            "g is 'x'",
        ),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError, match=sentence):
        convert(text)
