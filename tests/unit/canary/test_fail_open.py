"""Missing or broken data never leads to PASS, and every such case has its sentence.

The healthy recording below passes; each case breaks it in one way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from canary.judge import judge
from canary.model import Arm, Recording, Series, Step, Verdict
from canary.policy import parse_policy
from tests.unit.canary.verdict_recordings import healthy, policy

Change = Callable[[Recording], Recording]
EVERYTHING = ("p90 latency", "errors", "cpu", "memory")


def test_the_healthy_recording_passes() -> None:
    judgement = judge(policy(), healthy())
    assert judgement.verdict is Verdict.PASS, judgement.reason


def without(metric: str, arm: Arm | None = None) -> Change:
    def change(recording: Recording) -> Recording:
        kept = [
            one
            for one in recording.series
            if one.metric != metric or (arm is not None and one.arm is not arm)
        ]
        return replace(recording, series=tuple(kept))

    return change


def on(metric: str, edit: Callable[[Series], Series], arm: Arm | None = Arm.CANDIDATE) -> Change:
    def change(recording: Recording) -> Recording:
        edited = [
            edit(one) if one.metric == metric and arm in (None, one.arm) else one
            for one in recording.series
        ]
        return replace(recording, series=tuple(edited))

    return change


def values(number: float | None) -> Callable[[Series], Series]:
    return lambda one: replace(one, values=(number,) * len(one.times))


def renamed(one: Series) -> Series:
    return replace(one, metric=f"{one.metric}s")


def first_only(one: Series) -> Series:
    return replace(
        one, times=one.times[:1], values=one.values[:1], samples=one.samples[:1], spread=()
    )


def skewed(seconds: int) -> Callable[[Series], Series]:
    return lambda one: replace(one, times=tuple(time + seconds for time in one.times))


def every(number: int, value: float | None) -> Callable[[Series], Series]:
    """Replace each ``number``-th value."""

    def edit(one: Series) -> Series:
        changed = [value if at % number == 0 else old for at, old in enumerate(one.values)]
        return replace(one, values=tuple(changed))

    return edit


def silent_since(period: int) -> Callable[[Series], Series]:
    return lambda one: replace(
        one, values=(*one.values[:period], *(None for _ in one.values[period:]))
    )


def no_samples(one: Series) -> Series:
    return replace(one, samples=(0.0,) * len(one.times))


def few_samples(one: Series) -> Series:
    return replace(one, samples=(1.0,) * len(one.times))


def late(one: Series) -> Series:
    """Let the second half be missing, as if it had not arrived yet."""
    return silent_since(len(one.times) // 2)(one)


def instance_without(number: int, *, since: int = 0) -> Change:
    """Let one of the candidate's two instances stop reporting at a period."""

    def change(recording: Recording) -> Recording:
        quiet = recording.candidate.instances[number]
        edited = [
            silent_since(since)(one) if one.instance == quiet else one for one in recording.series
        ]
        return replace(recording, series=tuple(edited))

    return change


def instance_that_is_unknown(recording: Recording) -> Recording:
    """Remove all series of one of the candidate's instances."""
    absent = recording.candidate.instances[0]
    kept = tuple(one for one in recording.series if one.instance != absent)
    return replace(recording, series=kept)


CASES: dict[str, Change] = {
    "missing metric": without("errors"),
    "missing on one arm": without("p90 latency", Arm.CANDIDATE),
    "no baseline": without("p90 latency", Arm.BASELINE),
    "misspelt metric": on("errors", renamed, None),
    "all values missing": on("p90 latency", values(None)),
    "NaN": on("p90 latency", values(float("nan"))),
    "infinite": on("p90 latency", values(float("inf"))),
    "minus infinite": on("cpu", values(float("-inf"))),
    "negative latency": on("p90 latency", values(-5.0)),
    "negative counts after a counter reset": on("errors", every(3, -40.0)),
    "constant candidate": on("p90 latency", values(100.0)),
    "constant arms": on("p90 latency", values(100.0), None),
    "constant load": on("cpu", values(50.0), None),
    "one datapoint": on("p90 latency", first_only),
    "one datapoint of a count": on("errors", first_only, None),
    "clock skew": on("p90 latency", skewed(7)),
    "zero traffic": on("errors", no_samples),
    "zero traffic behind a latency": on("p90 latency", no_samples),
    "too little traffic": on("errors", few_samples),
    "a third of the pairs missing": on("p90 latency", every(3, None)),
    "silent at the end": on("p90 latency", silent_since(-4)),
    "late datapoints": on("p90 latency", late),
    "an instance of the candidate never reports": instance_without(1),
    "the source does not know an instance of the candidate": instance_that_is_unknown,
    "an instance of the candidate falls silent": instance_without(0, since=-4),
    "an instance that only the series name falls silent": lambda recording: replace(
        instance_without(0, since=-4)(recording),
        candidate=replace(recording.candidate, instances=()),
    ),
    "no series at all": lambda recording: replace(recording, series=()),
    "no steps": lambda recording: replace(recording, steps=()),
    "never on equal footing": lambda recording: replace(
        recording, steps=(Step(0, 0.5, 0.5, equal_footing=False),)
    ),
    "a split that was not meant": lambda recording: replace(
        recording, split=((0, Arm.CANDIDATE, 900), (0, Arm.BASELINE, 100))
    ),
    "all traffic on the baseline": lambda recording: replace(
        recording, split=((0, Arm.CANDIDATE, 0), (0, Arm.BASELINE, 1000))
    ),
}

LATE = {
    "silent at the end",
    "late datapoints",
    "an instance of the candidate falls silent",
    "an instance that only the series name falls silent",
}
"""Cases that break late, so that an earlier look may PASS."""


@pytest.mark.parametrize("change", CASES.values(), ids=CASES.keys())
def test_broken_data_never_passes_and_says_why(change: Change) -> None:
    judgement = judge(policy(), change(healthy()))
    assert judgement.verdict is not Verdict.PASS
    assert len(judgement.reason) > 20
    assert all(len(finding.sentence) > 20 for finding in judgement.findings)
    assert judgement.verdict is Verdict.FAIL or judgement.advice


@pytest.mark.parametrize("name", sorted(CASES.keys() - LATE))
def test_broken_data_passes_at_no_look(name: str) -> None:
    broken = CASES[name](healthy())
    for until in range(600, 3600, 300):
        assert judge(policy(), broken, until).verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("change", "silent"),
    [
        (lambda recording: recording, set()),
        (without("errors"), {"errors"}),  # neither arm reports it
        (without("p90 latency", Arm.BASELINE), set()),
        (without("p90 latency", Arm.CANDIDATE), {"p90 latency"}),
        (on("p90 latency", silent_since(-4)), {"p90 latency"}),
        (on("p90 latency", silent_since(-2)), set()),
    ],
)
def test_a_finding_says_that_the_candidate_is_silent(change: Change, silent: set[str]) -> None:
    """The default is three periods. The rollout then takes the candidate's traffic."""
    judgement = judge(policy(), change(healthy()))
    assert {finding.metric for finding in judgement.findings if finding.silent} == silent


def test_a_source_that_fails_for_every_metric_never_passes() -> None:
    broken = healthy()
    for metric in EVERYTHING:
        broken = on(metric, values(None), None)(broken)
    judgement = judge(policy(), broken)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert all("cannot be compared" in finding.sentence for finding in judgement.findings)


def test_duplicated_points_change_nothing() -> None:
    """If a source sends a point twice by mistake, the evidence does not grow."""

    def doubled(one: Series) -> Series:
        return replace(
            one,
            times=tuple(time for time in one.times for _ in range(2)),
            values=tuple(value for value in one.values for _ in range(2)),
            samples=tuple(count for count in one.samples for _ in range(2)),
            spread=tuple(width for width in one.spread for _ in range(2)),
        )

    assert judge(policy(), on("errors", doubled, None)(healthy())) == judge(policy(), healthy())


def test_an_empty_recording_says_that_there_was_no_traffic() -> None:
    empty = replace(healthy(), steps=(), series=())
    judgement = judge(policy(), empty)
    assert judgement.reason == "The candidate has received no traffic: there is nothing to compare"


def test_before_the_warm_up_is_over_nothing_is_decided() -> None:
    assert judge(policy(), healthy(), 60).verdict is Verdict.INCONCLUSIVE


def test_a_muted_metric_cannot_carry_a_pass() -> None:
    only = parse_policy(
        "version: 1\nmaximum: 50m\nmetrics:\n"
        "- {name: p90 latency, kind: quantile, muted: true}\n"
        "- {name: errors, kind: count}\n"
    )
    judgement = judge(only, without("errors")(healthy()))
    assert judgement.verdict is Verdict.INCONCLUSIVE
