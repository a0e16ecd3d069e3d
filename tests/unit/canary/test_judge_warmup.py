"""A fresh process beside a warm one: the judge waits and says so, but not for lasting harm."""

from __future__ import annotations

import numpy as np
import pytest

from canary.model import Verdict
from canary.rollout.decision import caution
from canary.stats.distributions import Floats
from tests.unit.canary.guards import (
    Values,
    analysed,
    around,
    first_fail,
    looks,
    passes,
    policy,
    recorded,
)

PERIODS = 60
MINUTES = np.arange(PERIODS)
POINTS = "kind: level, margin: 4 points, drift: 0.1 points per minute"
LATENCY = "kind: latency"


def level(seed: int, course: Floats) -> Values:
    noise = np.random.default_rng(seed).normal(0.0, 0.3, PERIODS)
    found: list[float] = (course + noise).tolist()
    return found


USED = level(1, np.full(PERIODS, 50.0))


@pytest.mark.parametrize("minutes", [3, 8, 15])
def test_growth_to_the_baselines_level_is_no_leak(minutes: int) -> None:
    fresh = level(2, 50 - 15 * np.exp(-MINUTES / minutes))
    assert not first_fail(looks(policy(POINTS), recorded(fresh, USED), first=5))


@pytest.mark.parametrize("minutes", [3, 8, 15])
def test_growth_to_the_baselines_level_does_not_keep_the_weight_low(minutes: int) -> None:
    fresh = level(2, 50 - 15 * np.exp(-MINUTES / minutes))
    found = looks(policy(POINTS), recorded(fresh, USED), first=5)
    assert {caution(one) for one in found} == {""}


def test_growth_beyond_the_baselines_level_keeps_the_weight_low_before_it_fails() -> None:
    found = looks(policy(POINTS), recorded(level(2, 42 + 0.5 * MINUTES), USED), first=5)
    assert any(caution(one) for one in found if one.verdict is not Verdict.FAIL)


def test_a_process_that_has_grown_passes_and_its_growth_is_told() -> None:
    fresh = level(2, 50 - 15 * np.exp(-MINUTES / 5))
    found = looks(policy(POINTS), recorded(fresh, USED), first=20)
    assert found[-1].verdict is Verdict.PASS
    assert "It started below the baseline and grew" in found[-1].findings[0].sentence


def test_growth_from_below_that_does_not_stop_fails_above_the_margin() -> None:
    leaking = level(2, 42 + 0.5 * MINUTES)
    found = looks(policy(POINTS), recorded(leaking, USED), first=5)
    assert first_fail(found)
    assert not passes(found)


@pytest.mark.parametrize(("leak", "within"), [(0.2, 35), (0.5, 20)])
def test_a_leak_still_fails(leak: float, within: int) -> None:
    found = looks(policy(POINTS), recorded(level(2, 50 + leak * MINUTES), USED))
    assert 0 < first_fail(found) <= within


def test_memory_that_falls_never_fails() -> None:
    falling = level(2, 50 - 0.3 * MINUTES)
    assert not first_fail(looks(policy(POINTS), recorded(falling, USED), first=5))


def test_the_catalogues_memory_of_a_fresh_process_does_not_fail() -> None:
    """A fifth less memory at first, with a margin of 20 %."""
    fresh = around(2, PERIODS, (300 * (1 - 0.2 * np.exp(-MINUTES / 8))).tolist(), 0.005)
    used = around(1, PERIODS, 300.0, 0.005)
    found = looks(policy("kind: level, margin: 20%"), recorded(fresh, used), first=5)
    assert not first_fail(found)
    assert found[-1].verdict is Verdict.PASS


def slower(seed: int, at_first: float, minutes: float) -> Values:
    """Return a latency that falls from ``at_first`` times the usual to it in ``minutes``."""
    factor = 1 + (at_first - 1) * np.clip(1 - MINUTES / minutes, 0.0, None)
    return around(seed, PERIODS, (40 * factor).tolist(), 0.01)


@pytest.mark.parametrize("minutes", [5, 10, 15])
def test_a_latency_that_fades_is_waited_for_and_then_passes(minutes: int) -> None:
    recording = recorded(slower(2, 1.5, minutes), around(1, PERIODS, 40.0, 0.01), 3000.0)
    found = looks(policy(LATENCY), recording)
    assert not first_fail(found)
    assert found[-1].verdict is Verdict.PASS


def test_waiting_for_a_latency_is_told() -> None:
    recording = recorded(slower(2, 1.5, 15), around(1, PERIODS, 40.0, 0.01), 3000.0)
    found = looks(policy(LATENCY), recording)
    assert "The difference may still fade, as while a fresh process warms up" in found[7].reason
    assert "Slower at first, so only the second half" in found[-1].findings[0].sentence


@pytest.mark.parametrize(("factor", "within"), [(1.25, 15), (1.5, 15)])
def test_a_latency_that_does_not_fade_fails_as_soon_as_ever(factor: float, within: int) -> None:
    recording = recorded(
        around(2, PERIODS, 40 * factor, 0.01), around(1, PERIODS, 40.0, 0.01), 3000.0
    )
    assert 0 < first_fail(looks(policy(LATENCY), recording)) <= within


def test_a_latency_that_falls_and_stays_too_high_fails_when_the_time_to_fade_is_over() -> None:
    factor = 1.2 + 0.3 * np.clip(1 - MINUTES / 25, 0.0, None)
    recording = recorded(
        around(2, PERIODS, (40 * factor).tolist(), 0.01), around(1, PERIODS, 40.0, 0.01), 3000.0
    )
    found = looks(policy(LATENCY), recording)
    assert 0 < first_fail(found) <= 31
    assert not passes(found)


def test_a_leak_of_bytes_fails() -> None:
    found = analysed("leak-of-40-mb-a-minute", "name: rss, kind: level, margin: 10%")
    assert found[-1].verdict is Verdict.FAIL
    assert found[-1].at - found[0].at < 20 * 60


def test_a_latency_that_falls_too_slowly_is_not_waited_for() -> None:
    factor = 1.3 - 0.001 * MINUTES
    recording = recorded(
        around(2, PERIODS, (40 * factor).tolist(), 0.005), around(1, PERIODS, 40.0, 0.005), 3000.0
    )
    assert 0 < first_fail(looks(policy(LATENCY), recording)) <= 20
