"""Harm in the newest periods withholds PASS, however calm the earlier periods were."""

from __future__ import annotations

import pytest

from canary.model import Judgement, Verdict
from tests.unit.canary.guards import (
    around,
    errors,
    looks,
    passes,
    policy,
    recorded,
    since,
)

PERIODS, ONSET = 40, 30
BEFORE = range(20, ONSET + 1)
KINDS = ["latency", "quantile", "gauge", "throughput", "level"]


def late(kind: str, worse: float, last: int = PERIODS) -> list[Judgement]:
    """Return a candidate that is ``worse`` from ``ONSET`` up to ``last``."""
    moved = [1.0] * ONSET + [worse] * (last - ONSET) + [1.0] * (PERIODS - last)
    values = around(1, PERIODS, [3000 * x for x in moved], 0.01)
    samples = None if kind in ("gauge", "level") else 3000.0
    margin = "40%" if kind == "level" else "20%"
    asked = policy(f"kind: {kind}, margin: {margin}")
    return looks(asked, recorded(values, around(2, PERIODS, 3000.0, 0.01), samples), first=20)


@pytest.mark.parametrize("kind", KINDS)
def test_harm_in_the_newest_periods_withholds_pass(kind: str) -> None:
    worse = 0.5 if kind == "throughput" else 2.0
    found = late(kind, worse)
    before, after = found[: ONSET - 19], found[ONSET - 19 :]
    assert before[-1].verdict is Verdict.PASS
    assert not passes(after)


@pytest.mark.parametrize("kind", KINDS)
def test_arms_that_stay_equal_pass_all_along(kind: str) -> None:
    assert all(one.verdict is Verdict.PASS for one in late(kind, 1.0))


def test_many_more_errors_in_the_newest_periods_withhold_pass() -> None:
    """Five times the errors are no catastrophe, but they do not PASS."""
    bad = errors(1, PERIODS, since(ONSET, PERIODS, 5.0))
    found = looks(policy("kind: count"), recorded(bad, errors(2, PERIODS), 3000.0), first=ONSET)
    assert found[0].verdict is Verdict.PASS
    assert not passes(found[2:])


def test_twice_the_errors_for_five_periods_withhold_pass() -> None:
    """One such period is chance. Five are not, although the whole run is within the margin."""
    bad = errors(1, PERIODS, since(ONSET, PERIODS, 2.0))
    found = looks(policy("kind: count"), recorded(bad, errors(2, PERIODS), 3000.0), first=ONSET)
    assert found[0].verdict is Verdict.PASS
    assert not passes(found[5:])


def test_one_slow_period_of_the_baseline_does_not_hide_harm() -> None:
    """Three of the newest four periods are a third slower; in the fourth the baseline was slow."""
    worse = [1.0] * 29 + [1.3] * 2 + [1.0, 1.3]
    slow = [1.0] * 31 + [4.0, 1.0]
    candidate = around(1, 33, [40 * x for x in worse], 0.01)
    baseline = around(2, 33, [40 * x for x in slow], 0.01)
    asked = policy("kind: latency, margin: 20%")
    found = looks(asked, recorded(candidate, baseline, 3000.0), first=28)
    assert found[0].verdict is Verdict.PASS
    assert found[-1].verdict is Verdict.INCONCLUSIVE


def test_fewer_checkouts_in_the_newest_periods_withhold_pass() -> None:
    few = errors(1, PERIODS, since(ONSET, PERIODS, 0.4), rate=0.03)
    asked = policy("kind: count, harm: decrease, margin: 20%")
    found = looks(asked, recorded(few, errors(2, PERIODS, rate=0.03), 3000.0), first=ONSET)
    assert found[0].verdict is Verdict.PASS
    assert not passes(found[2:])


def test_the_sentence_names_the_newest_periods() -> None:
    found = late("latency", 1.6)[ONSET + 3 - 20]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "Undecided: the last 3 periods are 59 % slower" in found.reason
    bad = errors(1, 34, since(ONSET, 34, 5.0))
    counted = looks(policy("kind: count"), recorded(bad, errors(2, 34), 3000.0), first=33)[0]
    assert (
        "the newest periods are worse, 1.7 % of the candidate's requests in the last 5 periods "
        "(250 of 15,000)" in counted.reason
    )


def test_a_short_incident_that_is_over_withholds_pass_no_more() -> None:
    found = late("latency", 1.6, last=ONSET + 2)
    assert ONSET + 2 - 19 not in passes(found)
    assert found[-1].verdict is Verdict.PASS


def test_a_few_errors_that_nobody_minds_withhold_nothing() -> None:
    """Six errors against two in 15,000 requests are negligible."""
    bad, usual = [0.0] * PERIODS, [0.0] * PERIODS
    bad[35], bad[37], bad[39], usual[30] = 2.0, 2.0, 2.0, 2.0
    found = looks(policy("kind: count"), recorded(bad, usual, 3000.0), first=PERIODS)
    assert found[-1].verdict is Verdict.PASS


def test_a_level_that_is_always_zero_divides_by_nothing() -> None:
    """NumPy's warnings are errors in the tests."""
    asked = policy("kind: level, margin: 4 points")
    found = looks(asked, recorded([0.0] * 15, [0.0] * 15))
    assert found[-1].verdict is Verdict.PASS
