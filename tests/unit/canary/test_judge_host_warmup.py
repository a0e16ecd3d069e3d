"""A single fresh host among several: the judge waits for its warm-up, not for lasting harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from canary.evidence.table import table_of
from canary.judge.verdict import judge_table
from canary.model import Recording, Verdict
from canary.policy import parse_policy
from canary.stats.distributions import Floats
from tests.unit.canary.verdict_recordings import PERIODS, healthy, scaled

MINUTES = np.arange(PERIODS, dtype=float)
POLICY = """
version: 1
warmup: 2m
minimum: 10m
maximum: 55m
metrics:
- {name: p90 latency, kind: quantile}
"""
TAIL = "- {name: p99 latency, kind: quantile, statistic: p99}\n"
JOINS, WARMING = 20, 10
"""The period in which a new host joins, and for how many periods it is not compared."""


def slowed(kept: Recording, host: str, course: Floats, metrics: tuple[str, ...]) -> Recording:
    """Multiply a latency of one host by ``course``, period by period."""
    return scaled(kept, host, metrics, course.tolist())


def with_tail(kept: Recording, seed: int = 5, noise: float = 0.05) -> Recording:
    """Add a p99 that follows the p90 of each host, with more noise."""
    generator = np.random.default_rng(seed)
    tails = [
        replace(
            one,
            metric="p99 latency",
            values=tuple(
                None if value is None else 2 * value * factor
                for value, factor in zip(
                    one.values, np.exp(noise * generator.standard_normal(PERIODS)), strict=True
                )
            ),
        )
        for one in kept.series
        if one.metric == "p90 latency"
    ]
    return replace(kept, series=(*kept.series, *tails))


def joining(kept: Recording, host: str, at: int) -> Recording:
    """Take a host's values away before period ``at``."""
    return replace(
        kept,
        series=tuple(
            replace(one, values=(None,) * at + one.values[at:]) if one.instance == host else one
            for one in kept.series
        ),
    )


def reasons(kept: Recording, tail: str = "") -> Iterator[str]:
    """Yield the reason of every FAIL, at every second look."""
    asked = parse_policy(POLICY + tail)
    table = table_of(asked, kept)
    for minute in range(12, PERIODS + 1, 2):
        found = judge_table(asked, table, 60 * minute)
        if found.verdict is Verdict.FAIL:
            yield f"{minute}: {found.reason}"


def fading(at_first: float, minutes: float, since: int = 0) -> Floats:
    """Return a factor from ``at_first`` on, whose logarithm falls linearly to 0 in ``minutes``."""
    age = MINUTES - since
    left = np.where(age >= 0, 1 - age / minutes, 0.0)
    course: Floats = np.exp(np.log(at_first) * np.clip(left, 0.0, None))
    return course


@pytest.mark.parametrize(
    ("hosts", "at_first", "minutes"), [(2, 1.5, 30), (4, 1.6, 27), (8, 1.9, 25)]
)
def test_a_host_that_warms_up_alone_does_not_fail(
    hosts: int, at_first: float, minutes: int
) -> None:
    kept = slowed(
        healthy(instances=hosts), "candidate-2", fading(at_first, minutes), ("p90 latency",)
    )
    assert not list(reasons(kept))


def test_a_tail_that_warms_up_with_its_host_does_not_fail() -> None:
    """The tail scatters too much to show a fall by itself. The host's typical latency shows it."""
    course = fading(1.6, 27)
    for seed in range(2):
        kept = with_tail(healthy(instances=4), seed, noise=0.12)
        kept = slowed(kept, "candidate-2", course, ("p90 latency", "p99 latency"))
        assert not list(reasons(kept, TAIL))


def test_a_new_host_that_warms_up_slowly_does_not_fail() -> None:
    """It joined during the run, so its start is not that of the run."""
    kept = slowed(
        healthy(instances=8), "candidate-2", fading(1.65, 45, since=JOINS), ("p90 latency",)
    )
    assert not list(reasons(joining(kept, "candidate-2", JOINS)))


def test_a_new_host_that_stays_slow_fails_and_is_named() -> None:
    kept = slowed(healthy(instances=8), "candidate-2", np.full(PERIODS, 1.5), ("p90 latency",))
    found = list(reasons(joining(kept, "candidate-2", JOINS)))
    assert found
    assert "candidate-2 is 5" in found[0]
    assert int(found[0].split(":")[0]) <= JOINS + WARMING + 18


def test_a_host_that_falls_and_stays_too_slow_fails_when_its_time_is_over() -> None:
    course = np.maximum(fading(1.7, 40), 1.35)
    kept = slowed(healthy(instances=8), "candidate-2", course, ("p90 latency",))
    found = list(reasons(kept))
    assert found
    assert "candidate-2" in found[0]


def test_a_slow_host_whose_tail_alone_is_bad_fails() -> None:
    """In a fresh process, all requests are slow, not only the tail."""
    kept = slowed(
        with_tail(healthy(instances=8)), "candidate-2", np.full(PERIODS, 1.5), ("p99 latency",)
    )
    found = list(reasons(kept, TAIL))
    assert found
    assert int(found[0].split(":")[0]) <= 20


def all_warming(hosts: int, course: Floats) -> Recording:
    """Return a recording in which every host of the candidate is a fresh process."""
    kept = healthy(instances=hosts)
    for host in range(1, hosts + 1):
        kept = slowed(kept, f"candidate-{host}", course, ("p90 latency",))
    return kept


def test_a_slow_host_is_not_waited_for_because_all_hosts_warm_up() -> None:
    """Its difference from the other fresh processes does not fall."""
    kept = slowed(
        all_warming(8, 1 + 0.4 * np.exp(-MINUTES / 4)),
        "candidate-2",
        np.full(PERIODS, 1.5),
        ("p90 latency",),
    )
    found = list(reasons(kept))
    assert found
    assert "candidate-2 is" in found[0]
    assert int(found[0].split(":")[0]) <= 18


def test_a_host_that_warms_up_longer_than_the_others_does_not_fail() -> None:
    kept = slowed(all_warming(8, fading(1.3, 8)), "candidate-2", fading(1.7, 26), ("p90 latency",))
    assert not list(reasons(kept))
