"""Metrics from a recording, so that yesterday's canary can be judged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from canary.model import Arm, Recording, Release, Series
from canary.sources.base import Query


class Recorded:
    """The series of one recording, cut to the window asked for."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def describe(self) -> str:
        looks = len(self._recording.looks)
        return f"recording of {self._recording.environment}, {looks} looks"

    def instances(self, colour: str) -> tuple[str, ...]:
        releases = (self._recording.baseline, self._recording.candidate)
        return tuple(
            name for release in releases if release.colour == colour for name in release.instances
        )

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        metrics = {query.metric for query in queries}
        return tuple(
            self._cut(series, start, end)
            for series in self._recording.series
            if series.metric in metrics
            and series.arm in arms
            and series.instance in arms[series.arm].instances
        )

    def _cut(self, series: Series, start: int, end: int) -> Series:
        last = end - self._recording.period
        kept = [place for place, time in enumerate(series.times) if start <= time <= last]
        return replace(
            series,
            times=tuple(series.times[place] for place in kept),
            values=tuple(series.values[place] for place in kept),
            samples=tuple(series.samples[place] for place in kept),
            spread=tuple(series.spread[place] for place in kept) if series.spread else (),
        )
