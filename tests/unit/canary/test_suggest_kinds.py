"""The kinds that ``canary suggest`` guesses, and the times and windows that it uses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from canary.judge.comparison import Arms
from canary.model import Arm, Series
from canary.offline.rehearse import Past
from canary.offline.suggest import LeftOut, choose
from canary.offline.suggest.drift import drift_of
from canary.offline.suggest.profile import Profile, profiles
from canary.offline.suggest.times import steps_of, times_of
from canary.offline.suggest.trials import windows_to_learn, windows_to_measure
from canary.policy import Metric


def profile(values: list[list[float]], samples: float = np.nan) -> Profile:
    array = np.array(values, dtype=float)
    return Profile(array, np.full(array.shape, samples), np.ones(array.shape, dtype=bool))


def noisy(low: float, high: float, *, whole: bool = False, samples: float = np.nan) -> Profile:
    values = np.random.default_rng(3).uniform(low, high, (2, 200))
    return profile((np.round(values) if whole else values).tolist(), samples)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("http_errors", {"whole": True, "samples": 100}, {"kind": "count"}),
        ("HTTPCode5XX", {"whole": True}, {"kind": "count", "per": "time"}),
        ("upstream_5xx", {"whole": True}, {"kind": "count", "per": "time"}),
        ("checkouts", {"whole": True, "samples": 100}, {"kind": "count", "harm": "decrease"}),
        ("request_duration_seconds", {}, {"kind": "latency", "unit": "s"}),
        ("TargetResponseTime", {}, {"kind": "latency", "negligible": 0}),
        ("latency_p99", {}, {"kind": "quantile", "statistic": "p99"}),
        ("CPUUtilization", {}, {"kind": "gauge", "critical": False}),
        ("heap_bytes", {}, {"kind": "level", "unit": "bytes"}),
        ("seen_by_users", {"whole": True, "samples": 100}, {"kind": "count", "harm": "either"}),
        ("jobs", {"whole": True}, {"kind": "throughput"}),
        ("temperature", {}, {"kind": "gauge", "harm": "either"}),
    ],
)
def test_the_kind_follows_from_the_name_and_the_values(
    name: str, shape: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = choose(name, noisy(40, 60, **shape))
    assert not isinstance(found, LeftOut), found
    assert expected.items() <= found.keys.items()
    Metric.model_validate(found.keys)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("requests", noisy(40, 60, whole=True), "the proxy decides how many"),
        ("heap", profile([[5.0] * 50] * 2), "Its value never changes: it is always 5"),
        ("heap", profile([list(range(50)), list(range(50))]), "it is a running total"),
        ("delay", profile([[0.0, 1.0, 2.0, 1.5] * 20] * 2), "It is zero or less in 25 %"),
        ("heap", profile([[1.0, 2.0, 3.0] * 20] * 2), "the very same value in 100 %"),
        ("heap", profile([[1.0, np.nan, 3.0, np.nan] * 20] * 2), "a value in 50 %"),
        ("error_rate", noisy(0.1, 0.9), "its values are shares"),
        ("crashes", profile([[0.0] * 50] * 2), "0 events in all this time"),
        ("heap", profile([[np.nan] * 50] * 2), "It has no value"),
    ],
)
def test_what_cannot_be_judged_has_a_reason(name: str, values: Profile, reason: str) -> None:
    found = choose(name, values)
    assert isinstance(found, LeftOut)
    assert reason in found.reason


def test_failures_that_are_reported_only_when_there_are_some_count_as_zero() -> None:
    values = np.where(np.arange(100) % 3 == 0, 2.0, np.nan)
    rare = Profile(np.array([values] * 2), np.full((2, 100), 50.0), np.ones((2, 100), dtype=bool))
    found = choose("errors", rare)
    assert not isinstance(found, LeftOut)
    assert found.keys["absent"] == "zero"


def test_a_profile_places_the_values_of_every_instance() -> None:
    one = Series("cpu", Arm.BASELINE, "a", (0, 5), (1.0, None), (None, None))
    other = Series("cpu", Arm.BASELINE, "b", (5, 10), (3.0, 4.0), (None, None))
    found = profiles([one, other])["cpu"]
    assert np.array_equal(found.values, [[1, np.nan, np.nan], [np.nan, 3, 4]], equal_nan=True)
    assert found.hosts == 2
    assert found.coverage == 1.0


def test_times_are_whole_periods_within_the_time_given() -> None:
    assert times_of(60, 1800) == {"period": 60, "warmup": 180, "minimum": 600, "maximum": 1800}
    assert times_of(7, 100)["maximum"] == 98
    assert times_of(60, 86_400)["warmup"] == 300


def test_few_requests_leave_no_small_steps() -> None:
    times = times_of(60, 1800)
    assert steps_of(times, 100) == (0.05, 0.2, 0.5)
    assert steps_of(times, 5) == (0.1, 0.5)
    assert steps_of(times, 0.1) == (0.5,)


def test_windows_to_measure_share_no_time() -> None:
    past = Past("blue", 0, 1000, [(300, 400)])
    found = windows_to_measure(past, 5, 20, ["a", "b", "c"])
    assert [start for start, _ in found] == [0, 100, 200, *range(400, 1000, 100)]
    assert {groups for _, groups in found} == {(("a",), ("b",)), (("b",), ("a",))}
    assert len(windows_to_learn(past, 5, 20, ["a", "b"])) > len(found)


@pytest.mark.parametrize(("step", "drift"), [(0.0, 0.0), (0.01, 0.21)])
def test_instances_that_drift_apart_are_told_from_scatter(step: float, drift: float) -> None:
    """The drift is for the next time of equal length: 14 steps between thirds are 2/3 of it."""
    chance = np.random.default_rng(7)
    walk = np.cumsum(np.full(20, step))[:, None]
    candidate = 100 * np.exp(walk + chance.normal(0, 0.05, (20, 24)))
    baseline = 100 * np.exp(chance.normal(0, 0.05, (20, 24)))
    arms = Arms(candidate, baseline, candidate * np.nan, baseline * np.nan)
    level = Metric.model_validate({"name": "memory", "kind": "level"})
    assert drift_of(level, arms) == pytest.approx(drift, abs=0.04 * bool(drift))
