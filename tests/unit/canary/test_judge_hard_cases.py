"""Cases that users of Kayenta reported as wrongly passed: never PASS here.

The numbers are those of the reports: spinnaker/kayenta#780 (case 1), #426 and #799, and
spinnaker/spinnaker#6278. The numbers of #780's case 2, a fluctuation that ends, are not public. A
candidate that scatters much at first replaces them. Kayenta passes each case.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from canary.judge import judge
from canary.model import Arm, Recording, Release, Series, Step, Verdict
from canary.policy import parse_policy

VARIABLE = (1, 100, 4, 101, 5, 102, 6, 103, 7, 104, 8, 105, 9, 106, 17)
STEADY = (10, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 17, 17.1, 17.2, 17.3, 17.4, 17.5, 17.6, 17.7)
WILD_AT_FIRST = (400, 380, 290, 310, 180, 150, 101, 99, 102, 98, 100, 103, 97, 101, 99)
CALM = (100, 101, 99, 102, 98, 100, 101, 99, 100, 102, 98, 101, 100, 99, 101)


def verdict(
    kind: str,
    candidate: Sequence[float],
    baseline: Sequence[float],
    samples: float | None = None,
    more: str = "",
) -> Verdict:
    count = len(candidate)
    policy = parse_policy(
        f"version: 1\nwarmup: 0s\nminimum: {count}m\nmaximum: {max(count, 10)}m\n"
        f"metrics:\n- {{name: it, kind: {kind}{more}}}\n"
    )
    times = tuple(range(0, 60 * count, 60))
    arms = ((Arm.CANDIDATE, candidate), (Arm.BASELINE, baseline))
    series = [
        Series("it", arm, arm.value, times, tuple(map(float, values)), (samples,) * count)
        for arm, values in arms
    ]
    release = Release("v", "c", "blue", ("one",))
    step = Step(0, 0.5, 0.5, equal_footing=True)
    recording = Recording("test", 60, release, release, (step,), tuple(series))
    found = {judge(policy, recording, 60 * k).verdict for k in range(1, count + 1)}
    return max(found, key=["INCONCLUSIVE", "FAIL", "PASS"].index)


@pytest.mark.parametrize("kind", ["gauge", "level", "latency"])
@pytest.mark.parametrize("harm", ["increase", "either"])
def test_a_change_of_variability_does_not_pass(kind: str, harm: str) -> None:
    """kayenta#780, case 1: it does not matter which arm varies."""
    more = f", harm: {harm}"
    assert verdict(kind, STEADY, VARIABLE, more=more) is not Verdict.PASS
    assert verdict(kind, VARIABLE, STEADY, more=more) is not Verdict.PASS


@pytest.mark.parametrize("kind", ["gauge", "level", "latency"])
def test_a_fluctuation_that_heals_does_not_pass(kind: str) -> None:
    """As in kayenta#780, case 2."""
    assert verdict(kind, WILD_AT_FIRST, CALM) is not Verdict.PASS


@pytest.mark.parametrize("kind", ["gauge", "level", "latency"])
def test_seven_of_ten_points_a_hundredfold_do_not_pass(kind: str) -> None:
    """spinnaker#6278."""
    assert verdict(kind, [100] * 7 + [1] * 3, [1] * 10) is not Verdict.PASS


@pytest.mark.parametrize("per", ["time", "requests"])
def test_sparse_errors_on_the_candidate_alone_do_not_pass(per: str) -> None:
    """kayenta#426."""
    samples = 100.0 if per == "requests" else None
    candidate = [0, 1, 2, 1, 0, 0]
    assert verdict("count", candidate, [0] * 6, samples, f", per: {per}") is not Verdict.PASS


@pytest.mark.parametrize("per", ["time", "requests"])
def test_errors_that_only_the_candidate_has_do_not_pass(per: str) -> None:
    """kayenta#799: five of twenty-five periods hold one or two errors, the baseline none."""
    candidate = [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    samples = 100.0 if per == "requests" else None
    assert verdict("count", candidate, [0] * 25, samples, f", per: {per}") is not Verdict.PASS
