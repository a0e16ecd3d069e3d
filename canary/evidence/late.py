"""The part of a recording that was known at one look, without values that came later."""

from __future__ import annotations

from dataclasses import replace

from canary.model import Recording, Series


def known_at(recording: Recording, look: int) -> Recording:
    """Return the recording as the judge saw it at ``look``, so that a replay decides the same."""
    if not any(one.late for one in recording.series):
        return recording
    return replace(recording, series=tuple(_known(one, look) for one in recording.series))


def _known(series: Series, look: int) -> Series:
    later = {time for time, since in series.late if since > look}
    if not later:
        return series
    kept = [time not in later for time in series.times]

    def left(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
        pairs = zip(values, kept, strict=False)
        return tuple(value if keep else None for value, keep in pairs)

    return replace(
        series,
        values=left(series.values),
        samples=left(series.samples),
        spread=left(series.spread),
    )
