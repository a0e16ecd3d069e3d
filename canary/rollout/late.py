"""Values that reach the source late: the newest periods are read again while a canary runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from canary.model import Series

AGAIN = 5
"""Newest periods that are read again at each look."""


def before(series: Series, end: int) -> Series:
    """Return the part of a series before ``end``."""
    return _cut(series, slice(0, sum(time < end for time in series.times)))


def since(series: Series, start: int) -> Series:
    """Return the part of a series from ``start`` on."""
    return _cut(series, slice(sum(time < start for time in series.times), None))


def _cut(series: Series, kept: slice) -> Series:
    times = series.times[kept]
    return replace(
        series,
        times=times,
        values=series.values[kept],
        samples=series.samples[kept],
        spread=series.spread[kept],
        infinite=tuple(time for time in series.infinite if time in times),
    )


def refilled(known: Sequence[Series], again: Sequence[Series], look: int) -> list[Series]:
    """Fill in values that were missing, and record the look from which they are known.

    A value that was present stays as it was judged.
    """
    newer = {(one.metric, one.arm, one.instance): one for one in again}
    return [
        _filled(one, newer[key], look)
        if (key := (one.metric, one.arm, one.instance)) in newer
        else one
        for one in known
    ]


def _filled(old: Series, new: Series, look: int) -> Series:
    fresh = {time: at for at, time in enumerate(new.times) if new.values[at] is not None}
    late = {
        at: fresh[time]
        for at, time in enumerate(old.times)
        if old.values[at] is None and time in fresh
    }
    if not late:
        return old
    spread = old.spread or ((None,) * len(old.times) if new.spread else ())
    columns = [list(column) for column in (old.values, old.samples, spread)]
    for at, source in late.items():
        for column, values in zip(columns, (new.values, new.samples, new.spread), strict=True):
            if column and values:
                column[at] = values[source]
    return replace(
        old,
        values=tuple(columns[0]),
        samples=tuple(columns[1]),
        spread=tuple(columns[2]),
        late=(*old.late, *((old.times[at], look) for at in late)),
    )
