"""A fresh process beside a warm one: slower at first, or growing into its memory.

Every candidate of a blue/green release is a fresh process. A latency that starts higher and falls
is not lasting harm: while it falls fast enough the judge waits, up to a limit, and once it has
certainly fallen, only the second half of the periods counts. A level that grows towards the
baseline's is not a leak: its slope alone fails only above the baseline, and once it has grown, only
the second half of the periods counts for its growth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from canary.judge.newest import newest
from canary.judge.rule import Rule
from canary.stats.distributions import Floats
from canary.stats.paired import Estimate, Mask, Noise, inflation, paired_mean, weights
from canary.stats.trend import slope

STEEP, DOUBT = float(np.log(1.35)), 0.5
"""From a mean this large on, a line that is this many errors from falling may still be a fast fade:
a fresh process is often so much slower, a regression seldom. Not so the tail, which bursts move."""
EARLY = 6
"""Looks with so few values that a fast fade may look like a rise."""
STEEP_LIMIT = 10
"""Periods in which that doubt counts: after them a fast fade shows."""
CLEAR = 1.5
"""Errors from zero at which a tail falls clearly."""
LIKELY = 2.0
"""Errors from zero at which the latency of a single host falls."""
TOGETHER = 0.3
"""A typical latency that is worse by less than this share of the tail is not worse with it."""
BELIEVED = 2.0
"""Degrees of freedom that the expected noise is worth beside the line's own scatter."""
CERTAIN = 3.0
"""The z from which a trend is certain."""
SETTLED = 20
"""Periods from which the second half is long enough to decide."""
OVER = 50
"""Periods within which a fade must be over; or as many as were seen already, if these are more."""
SURE = 2.0
"""Errors by which a line may fall faster than it seems to."""
LARGEST = float(np.log(2.0))
"""A start that is worse than this (twice the baseline) is no warm-up."""
NEAR = 6
"""Newest periods that tell how near to the baseline a level is."""


@dataclass(frozen=True, slots=True)
class Fade:
    """How a difference moves since the start.

    ``falling``: it falls, and its time to do so is not over. ``warm``: it has certainly fallen.
    """

    falling: Mask
    warm: Mask


def fade_of(
    d: Floats,
    v: Floats,
    rule: Rule,
    company: tuple[Floats, Mask] | None = None,
    *,
    surely: bool = False,
) -> Fade:
    """Say of every row of ``d``, positive where harmful, whether it fades.

    ``company`` is the difference of the typical latency beside a tail, and where it falls. A fresh
    process is slow as a whole: a tail falls with the typical latency, or must fall clearly.
    ``surely``, for single hosts: the fall must be likely, in a tail that has company certain.
    """
    seen = d.shape[1]
    line = _line(d, v, rule.rough)
    alone, along = _beside(line.mean, company)
    steep = (line.mean >= STEEP) & (seen <= STEEP_LIMIT) & (not rule.tail)
    warm = (line.z <= -CERTAIN) & (line.start >= rule.margin) & (line.start <= LARGEST)
    warm &= seen >= SETTLED
    over = warm & ~above(d, rule.margin)
    most = np.where(alone, -CLEAR, np.where(steep, DOUBT, 0.0))
    if surely:
        most = np.full(len(d), -LIKELY if company is None else -CERTAIN)
    falling = (line.z < most) & (seen <= rule.fade) & _ends_soon(line, d, v, rule)
    falling |= along | (steep & (seen <= EARLY))
    return Fade(falling | over, warm)


def _ends_soon(line: Line, d: Floats, v: Floats, rule: Rule) -> Mask:
    """Say where a fade may reach the margin in time.

    From ``SETTLED`` periods on, the second half must allow it too: a fresh process that has fallen
    to a lasting excess falls no more.
    """
    seen = d.shape[1]
    left = min(2 * rule.fade - seen, max(OVER, seen))
    soon = line.arrives(left, rule.margin)
    if seen < SETTLED or not soon.any():
        return soon
    half = slice(seen // 2, None)
    return soon & _line(d[:, half], v[:, half], rule.rough).arrives(left, rule.margin)


def _beside(mean: Floats, company: tuple[Floats, Mask] | None) -> tuple[Mask, Mask]:
    """Say where a tail is worse although the typical latency is not, and where it falls with it."""
    never = np.zeros(len(mean), dtype=bool)
    if company is None:
        return never, never
    d, falling = company
    good = np.isfinite(d)
    typical = np.where(good, d, 0.0).sum(axis=1) / np.maximum(good.sum(axis=1), 1)
    alone: Mask = typical < TOGETHER * mean
    return alone & good.any(axis=1), falling & ~alone


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line: its slope with its error, where it starts and ends, and its mean."""

    slope: Floats
    error: Floats
    start: Floats
    now: Floats
    mean: Floats

    @property
    def z(self) -> Floats:
        """The slope in units of its error."""
        return self.slope / self.error

    def arrives(self, periods: int, level: float) -> Mask:
        """Return whether the line may reach ``level`` in so many periods; else it does not fade."""
        reached: Mask = self.now + (self.slope - SURE * self.error) * periods <= level
        return reached


def _line(d: Floats, v: Floats, noise: Noise) -> Line:
    good = np.isfinite(d) & np.isfinite(v)
    weight = weights(v, good, noise)
    y, x = np.where(good, d, 0.0), np.arange(d.shape[1], dtype=float)[None, :]
    total = np.maximum(weight.sum(axis=1), 1e-9)
    x_mean, y_mean = (weight * x).sum(axis=1) / total, (weight * y).sum(axis=1) / total
    from_mean = x - x_mean[:, None]
    squares = np.maximum((weight * from_mean**2).sum(axis=1), 1e-9)
    rate = (weight * from_mean * y).sum(axis=1) / squares
    count = good.sum(axis=1)
    residual = weight * (y - y_mean[:, None] - rate[:, None] * from_mean) ** 2
    scale = (BELIEVED + residual.sum(axis=1)) / (BELIEVED + np.maximum(count - 2, 0))
    error = np.sqrt(scale * inflation(noise.phi / 2, count) / squares)
    start = y_mean - rate * x_mean
    return Line(rate, error, start, start + rate * (d.shape[1] - 1), y_mean)


def settled_mean(whole: Estimate, fade: Fade, d: Floats, v: Floats, noise: Noise) -> Estimate:
    """Return the mean of the second half where the difference has faded, else that of all."""
    half = slice(d.shape[1] // 2, None)
    return _instead(whole, fade.warm, lambda rows: paired_mean(d[rows, half], v[rows, half], noise))


def _instead(whole: Estimate, rows: Mask, other: Callable[[Mask], Estimate]) -> Estimate:
    """Return ``whole`` with ``rows`` of another estimate in their place."""
    if not rows.any():
        return whole
    late, found = other(rows), {}
    for field in fields(Estimate):
        values = np.array(getattr(whole, field.name), dtype=float)
        values[rows] = getattr(late, field.name)
        found[field.name] = values
    return Estimate(**found)


def above(d: Floats, bound: Floats | float) -> Mask:
    """Say where the newest differences lie at ``bound`` or above it."""
    latest: Mask = _ends(d)[1] >= bound
    return latest


def _ends(d: Floats) -> tuple[Floats, Floats]:
    """Return the means of the first and of the newest few periods."""
    count = max(min(NEAR, d.shape[1]), 1)
    good = np.isfinite(d[:, :count])
    first = np.where(good, d[:, :count], 0.0).sum(axis=1) / np.maximum(good.sum(axis=1), 1)
    enough, (latest,) = newest(np.isfinite(d), count, d)
    return first, np.where(enough[:, None], latest, -np.inf).mean(axis=1)


def may_leak(d: Floats, rule: Rule) -> Mask:
    """Say which levels lie far enough above the baseline for their growth to be harm.

    Half the margin; all of it for one that began below the baseline, since it had to grow.
    """
    bound = np.where(_below(d, rule), rule.margin, rule.margin / 2)
    return above(d, bound)


def _below(d: Floats, rule: Rule) -> Mask:
    below: Mask = _ends(d)[0] <= -rule.margin / 2
    return below


def settled_slope(whole: Estimate, d: Floats, rule: Rule) -> tuple[Estimate, Mask]:
    """Return the slope, that of the second half where a level has grown from below the baseline."""
    seen = d.shape[1]
    first, latest = _ends(d)
    grown = _below(d, rule) & (latest - first >= rule.margin / 2) & (seen >= SETTLED)
    return _instead(whole, grown, lambda rows: slope(d[rows, seen // 2 :], rule.drift)), grown
