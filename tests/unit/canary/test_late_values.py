"""Values that reach the source late are read again, and a replay decides as the canary did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from canary.evidence.late import known_at
from canary.judge import judge
from canary.model import Arm, Release, Series
from canary.offline.replay import judge_looks
from canary.recording import recording_from_text, recording_to_text
from canary.rollout.collect import Compared, Readings
from canary.sources.base import Query, Window, periods
from tests.unit.canary.suspect_windows import policy, window

ARMS = {Arm.BASELINE: Release("v1", "a", "blue", ("one",))}
LATENCY = Query("latency", "latency", "Average")


class Slow:
    """A source in which each value arrives some periods late, unless it never does."""

    own_clocks = False

    def __init__(self, lag: Mapping[int, int]) -> None:
        self.lag = lag
        self.asked: list[tuple[int, int]] = []

    def describe(self) -> str:
        return "slow"

    def found_by(self, colour: str) -> str:
        return f"It simulates every host of {colour}"

    def names(self, _colour: str) -> tuple[str, ...]:
        return ("latency",)

    def instances(self, _colour: str, _window: Window | None = None) -> tuple[str, ...]:
        return ("one",)

    def read(
        self, _queries: Sequence[Query], _arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        self.asked.append((start, end))
        axis = periods(start, end, 60)
        values = tuple(
            float(time + end) if time + 60 + 60 * self.lag.get(time, 0) <= end else None
            for time in axis
        )
        return (Series("latency", Arm.BASELINE, "one", axis, values, values),)


def read(lag: Mapping[int, int], looks: int) -> tuple[Slow, Series]:
    source = Slow(lag)
    readings = Readings(source, [Compared([LATENCY], ARMS)], 600, 60)
    for look in range(660, 660 + 60 * looks, 60):
        readings.read(look)
    return source, readings.series()[0]


def test_a_late_value_is_filled_in_with_the_look_that_brought_it() -> None:
    _, series = read({720: 2}, looks=6)
    assert series.times == (600, 660, 720, 780, 840, 900)
    assert series.values[2] == 720.0 + 900, "as it was when it came"
    assert series.late == ((720, 900),)


def test_a_value_that_was_judged_stays_as_it_was() -> None:
    """The source returns another value each time. Only the first one counts."""
    _, series = read({}, looks=6)
    assert series.values == tuple(2.0 * time + 60 for time in series.times)
    assert series.late == ()


def test_only_the_newest_periods_are_read_again() -> None:
    source, series = read({600: 7}, looks=9)
    assert source.asked[0] == (600, 660)
    assert source.asked[-1] == (1080 - 300, 1140)
    assert series.values[0] is None, "it came after five periods"


def test_a_replay_judges_each_look_without_what_came_later() -> None:
    recording = window(errors=0.02)
    look = recording.looks[-1]
    late = tuple((time, look) for time in recording.series[0].times[:-1])
    series = tuple(replace(one, late=late) for one in recording.series)
    delayed = recording_from_text(recording_to_text(replace(recording, series=series)))
    rules = policy()
    assert judge_looks(rules, recording)[-1].at < look, "it fails early"
    looks = judge_looks(rules, delayed)
    assert looks[-1].at == look
    assert looks[-1] == judge(rules, delayed, look)
    assert known_at(delayed, look).series == delayed.series
    assert all(value is None for value in known_at(delayed, look - 60).series[0].values[:-1])
