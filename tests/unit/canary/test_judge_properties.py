"""Properties for any data: units, order and names of arms do not matter; harm only adds up."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.judge import judge
from canary.judge.batch import Arms, batch_comparisons
from canary.model import Arm, Finding, Recording, Series, Verdict
from canary.policy import Policy, parse_policy
from canary.recording import recording_from_text, recording_to_text
from tests.unit.canary.verdict_recordings import healthy, policy

ORDER = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
FEW = settings(max_examples=15)
HARMED: dict[str, Callable[[int], Recording]] = {
    "none": healthy,
    "latency": lambda seed: healthy(seed, latency=1.1),
    "errors": lambda seed: healthy(seed, errors=3.0),
    "cpu": lambda seed: healthy(seed, cpu=1.3),
    "leak": lambda seed: healthy(seed, leak=0.004),
}
harms = st.sampled_from(sorted(HARMED))
looks = st.sampled_from([600, 1800, 3300])


def scaled(recording: Recording, metric: str, factor: float) -> Recording:
    def edit(one: Series) -> Series:
        if one.metric != metric:
            return one
        values = (None if value is None else value * factor for value in one.values)
        return replace(one, values=tuple(values))

    return replace(recording, series=tuple(edit(one) for one in recording.series))


@FEW
@given(
    harms,
    looks,
    st.sampled_from(["p90 latency", "cpu", "memory"]),
    st.sampled_from([0.001, 1e-6, 1000.0, 1 / 3600, 100.0, 2.0**-20]),
)
def test_any_unit_gives_the_same_judgement_bit_for_bit(
    harm: str, until: int, metric: str, factor: float
) -> None:
    recording = HARMED[harm](3)
    assert judge(policy(), scaled(recording, metric, factor), until) == judge(
        policy(), recording, until
    )


@FEW
@given(harms, looks, st.integers(0, 1000))
def test_the_order_of_metrics_and_series_does_not_matter(harm: str, until: int, seed: int) -> None:
    recording, plain = HARMED[harm](4), policy()
    shuffle = random.Random(seed)  # noqa: S311  (not for secrets)
    series, metrics = list(recording.series), list(plain.metrics)
    shuffle.shuffle(series)
    shuffle.shuffle(metrics)
    mixed = judge(
        Policy.model_validate({**plain.model_dump(), "metrics": metrics}),
        replace(recording, series=tuple(series)),
        until,
    )
    straight = judge(plain, recording, until)
    by_name = {finding.metric: finding for finding in mixed.findings}
    assert by_name == {finding.metric: finding for finding in straight.findings}
    assert (mixed.verdict, mixed.score) == (straight.verdict, straight.score)


SWAP = {Arm.BASELINE: Arm.CANDIDATE, Arm.CANDIDATE: Arm.BASELINE}


def swapped(recording: Recording) -> Recording:
    series = tuple(replace(one, arm=SWAP[one.arm]) for one in recording.series)
    return replace(
        recording,
        series=series,
        baseline=recording.candidate,
        candidate=recording.baseline,
    )


def findings(asked: Policy, recording: Recording, until: int) -> dict[str, Finding]:
    return {finding.metric: finding for finding in judge(asked, recording, until).findings}


def either(asked: Policy) -> Policy:
    """Return the same policy with harm in both directions."""
    metrics = [metric.model_copy(update={"harm": "either"}) for metric in asked.metrics]
    return asked.model_copy(update={"metrics": tuple(metrics)})


@FEW
@given(harms, looks)
def test_swapped_arms_give_the_mirrored_evidence(harm: str, until: int) -> None:
    """With harm in both directions, a swap of the arms changes only the sign."""
    recording, asked = HARMED[harm](5), either(policy())
    here, there = findings(asked, recording, until), findings(asked, swapped(recording), until)
    for name, finding in here.items():
        assert finding.towards_fail == pytest.approx(there[name].towards_fail, abs=1e-9)
        assert finding.verdict is there[name].verdict


@FEW
@given(st.integers(0, 10_000), st.floats(1.0, 3.0), st.sampled_from([4, 12, 30, 55]))
def test_more_latency_is_never_less_evidence_of_harm(seed: int, factor: float, k: int) -> None:
    generator = np.random.default_rng(seed)
    x, y = np.exp(0.1 * generator.standard_normal((2, 1, 55)))
    n = np.full((1, 55), 1000.0)
    asked = policy()
    latency = asked.metrics[0]

    def evidence(times: float) -> tuple[float, float]:
        (model,) = batch_comparisons(asked, latency, Arms(x * times, y, n, n), None)
        found = model.look(k)
        return float(found.towards_fail[0]), float(found.towards_pass[0])

    before, after = evidence(1.0), evidence(factor)
    assert after[0] >= before[0] - 1e-9
    assert after[1] <= before[1] + 1e-9


@FEW
@given(st.integers(0, 10_000), st.integers(1, 20), st.sampled_from([6, 12, 30, 55]))
def test_more_errors_never_turn_a_verdict_towards_pass(seed: int, factor: int, k: int) -> None:
    generator = np.random.default_rng(seed)
    n = generator.poisson(3000, (2, 1, 55)).astype(float)
    g, b = generator.poisson(0.003 * n).astype(float)
    asked = policy()
    errors = asked.metrics[1]

    def verdict(times: int) -> Verdict:
        (model,) = batch_comparisons(asked, errors, Arms(times * g, b, n[0], n[1]), None)
        found = model.look(k)
        if found.fails[0]:
            return Verdict.FAIL
        return Verdict.PASS if found.passes[0] else Verdict.INCONCLUSIVE

    assert ORDER.index(verdict(factor)) >= ORDER.index(verdict(1))


@FEW
@given(harms, looks)
def test_a_replayed_recording_gives_the_same_judgement_bit_for_bit(harm: str, until: int) -> None:
    recording = HARMED[harm](6)
    replayed = recording_from_text(recording_to_text(recording))
    assert judge(policy(), replayed, until) == judge(policy(), recording, until)


@FEW
@given(harms, looks)
def test_a_look_never_depends_on_what_came_later(harm: str, until: int) -> None:
    recording = HARMED[harm](7)

    def cut(one: Series) -> Series:
        kept = sum(time + 60 <= until for time in one.times)
        return replace(
            one,
            times=one.times[:kept],
            values=one.values[:kept],
            samples=one.samples[:kept],
            spread=one.spread[:kept],
        )

    short = replace(recording, series=tuple(cut(one) for one in recording.series))
    assert judge(policy(), short, until) == judge(policy(), recording, until)


def test_a_unit_changes_no_sentence_of_points_but_the_points() -> None:
    """Margins in points have a unit, so they are scaled with it."""

    def asked(margin: str) -> Policy:
        return parse_policy(
            "version: 1\nmaximum: 55m\nwarmup: 2m\nmetrics:\n"
            f"- {{name: memory, kind: level, margin: {margin}, drift: {margin}/h}}\n"
        )

    here = judge(asked("50 points"), healthy(8))
    there = judge(asked("50000 points"), scaled(healthy(8), "memory", 1000.0))
    assert here.verdict is there.verdict
    assert here.findings[0].towards_pass == pytest.approx(there.findings[0].towards_pass)
