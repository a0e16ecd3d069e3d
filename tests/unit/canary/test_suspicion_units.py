"""Values in another unit, and improvements that are too large to be real."""

from __future__ import annotations

import pytest

from canary.model import Verdict
from tests.unit.canary.suspect_windows import finding, judged, of, times, window


@pytest.mark.parametrize("factor", [1e-3, 1e-6, 1 / 20], ids=["s", "ms for ns", "no work"])
@pytest.mark.parametrize("host", ["candidate", "candidate-2"])
def test_a_candidate_that_is_unbelievably_fast_does_not_pass(factor: float, host: str) -> None:
    judgement = judged(window(of("latency", host, times(factor))))
    assert finding(judgement, "latency").verdict is not Verdict.PASS
    assert judgement.verdict is not Verdict.PASS
    assert "times smaller than the baseline's" in finding(judgement, "latency").sentence
    assert "candidate-2" in finding(judgement, "latency").sentence
    assert judgement.advice.startswith("Correct the data of latency first")


def test_a_release_that_is_twice_as_fast_passes() -> None:
    assert judged(window(of("latency", "candidate", times(0.5)))).verdict is Verdict.PASS


def test_a_thousand_times_slower_fails_with_a_word_on_units() -> None:
    judgement = judged(window(of("latency", "candidate", times(1000))))
    assert judgement.verdict is Verdict.FAIL
    assert any("another unit" in sentence for sentence in judgement.quality)


def test_another_unit_in_both_arms_changes_nothing() -> None:
    assert judged(window(of("latency", "", times(1e-3)))).verdict is Verdict.PASS


def test_memory_in_megabytes_beside_bytes_does_not_pass() -> None:
    judgement = judged(window(of("memory", "baseline", times(1024**2))))
    assert "times smaller" in finding(judgement, "memory").sentence


def test_a_baseline_host_in_another_unit_is_named() -> None:
    found = finding(judged(window(of("latency", "baseline-2", times(1e-3)))), "latency")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "baseline-1 reports 99.8 and its baseline-2 0.1" in found.sentence


def test_a_latency_of_zero_is_no_latency() -> None:
    """Zero has no log ratio, so such periods would be left out without notice."""
    halves = of("latency", "candidate", lambda vs: [v if at % 10 else 0 for at, v in enumerate(vs)])
    judgement = judged(window(halves))
    assert judgement.verdict is not Verdict.PASS
    assert "a latency of 0 in 4 periods" in finding(judgement, "latency").sentence
