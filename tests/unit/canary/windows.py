"""Recordings of windows in which two arms shared the traffic evenly."""

from __future__ import annotations

from collections.abc import Iterable

from canary.model import Arm, Recording, Release, Series, Step

PERIOD = 60


def window_of(series: Iterable[Series], start: int, periods: int) -> Recording:
    """Return a recording of ``series`` and its instances, with one look per period."""
    kept = tuple(series)
    hosts = {arm: tuple(sorted({one.instance for one in kept if one.arm is arm})) for arm in Arm}
    return Recording(
        environment="test",
        period=PERIOD,
        baseline=Release("v1", "a", "blue", hosts[Arm.BASELINE]),
        candidate=Release("v2", "b", "green", hosts[Arm.CANDIDATE]),
        steps=(Step(start, 0.5, 0.5, equal_footing=True),),
        series=kept,
        looks=tuple(range(start + PERIOD, start + PERIOD * periods + 1, PERIOD)),
    )
