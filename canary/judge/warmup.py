"""A fresh process beside a warm one: its latency is higher at first, or its memory still grows.

Every candidate of a blue/green release is a fresh process. A latency that starts higher and falls
is not lasting harm. While it falls fast enough, the judge waits, up to a limit. Once it has
certainly fallen, only the second half of the periods counts. A level that grows towards the
baseline's is not a leak. Its slope alone fails only above the baseline, and once the level has
grown, only the second half of the periods counts for its growth.
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
"""At a mean of at least ``STEEP``, a slope of up to ``DOUBT`` errors above zero may still be a fast
fall: a fresh process is often that much slower, a regression seldom. This does not hold for tails,
which bursts can move."""
EARLY = 6
"""Number of first looks at which a fast fall may look like a rise."""
STEEP_LIMIT = 10
"""``DOUBT`` applies up to this many periods. After them a fast fall is visible."""
CLEAR = 1.5
"""A tail clearly falls if its slope is this many errors below zero."""
LIKELY = 2.0
"""The latency of a single host falls if its slope is this many errors below zero."""
TOGETHER = 0.3
"""The typical latency counts as worse if its harm is at least this share of the tail's."""
BELIEVED = 2.0
"""The weight of the expected noise, in degrees of freedom, beside the scatter of the line."""
CERTAIN = 3.0
"""A trend is certain from this z on."""
SETTLED = 20
"""The second half is long enough to decide from this many periods on."""
OVER = 50
"""The most periods that a fall may still take, or as many as were already seen, if more."""
SURE = 2.0
"""A line may fall faster than its estimate by this many errors."""
LARGEST = float(np.log(2.0))
"""A start worse than this log ratio (twice the baseline) is no warm-up."""
NEAR = 6
"""Number of newest periods whose mean is compared with the baseline."""


@dataclass(frozen=True, slots=True)
class Fade:
    """The movement of a difference since the start.

    ``falling``: it falls, and its time limit is not over. ``warm``: it has certainly fallen.
    """

    falling: Mask
    warm: Mask


def fade_of(
    d: Floats,
    v: Floats,
    rule: Rule,
    typical: tuple[Floats, Mask] | None = None,
    *,
    surely: bool = False,
) -> Fade:
    """Return for every row of ``d``, positive where harmful, whether it fades.

    ``typical`` is, for a tail, the difference of the typical latency and where it falls. In a fresh
    process all requests are slow, so a tail falls with the typical latency, or must fall clearly by
    itself. ``surely``, for single hosts: the fall must be likely, or certain in a tail with
    ``typical``.
    """
    seen = d.shape[1]
    line = _line(d, v, rule.rough)
    alone, along = _beside(line.mean, typical)
    steep = (line.mean >= STEEP) & (seen <= STEEP_LIMIT) & (not rule.tail)
    warm = (line.z <= -CERTAIN) & (line.start >= rule.margin) & (line.start <= LARGEST)
    warm &= seen >= SETTLED
    over = warm & ~above(d, rule.margin)
    most = np.where(alone, -CLEAR, np.where(steep, DOUBT, 0.0))
    if surely:
        most = np.full(len(d), -LIKELY if typical is None else -CERTAIN)
    falling = (line.z < most) & (seen <= rule.fade) & _ends_soon(line, d, v, rule)
    falling |= along | (steep & (seen <= EARLY))
    return Fade(falling | over, warm)


def _ends_soon(line: Line, d: Floats, v: Floats, rule: Rule) -> Mask:
    """Return which rows may fall to the margin in time.

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


def _beside(mean: Floats, typical: tuple[Floats, Mask] | None) -> tuple[Mask, Mask]:
    """Return where a tail is worse without the typical latency, and where it falls with it."""
    never = np.zeros(len(mean), dtype=bool)
    if typical is None:
        return never, never
    d, falling = typical
    good = np.isfinite(d)
    its_mean = np.where(good, d, 0.0).sum(axis=1) / np.maximum(good.sum(axis=1), 1)
    alone: Mask = its_mean < TOGETHER * mean
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
        """Return whether the line may reach ``level`` within ``periods``."""
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
    """Return the mean of the second half where the difference has faded, else of all periods."""
    half = slice(d.shape[1] // 2, None)
    return _instead(whole, fade.warm, lambda rows: paired_mean(d[rows, half], v[rows, half], noise))


def _instead(whole: Estimate, rows: Mask, other: Callable[[Mask], Estimate]) -> Estimate:
    """Return ``whole`` with ``rows`` replaced by those of another estimate."""
    if not rows.any():
        return whole
    late, found = other(rows), {}
    for field in fields(Estimate):
        values = np.array(getattr(whole, field.name), dtype=float)
        values[rows] = getattr(late, field.name)
        found[field.name] = values
    return Estimate(**found)


def above(d: Floats, bound: Floats | float) -> Mask:
    """Return where the mean of the newest differences is at least ``bound``."""
    latest: Mask = _ends(d)[1] >= bound
    return latest


def _ends(d: Floats) -> tuple[Floats, Floats]:
    """Return the means of the first and of the newest few periods."""
    count = max(min(NEAR, d.shape[1]), 1)
    good = np.isfinite(d[:, :count])
    first = np.where(good, d[:, :count], 0.0).sum(axis=1) / np.maximum(good.sum(axis=1), 1)
    enough, (latest,) = newest(np.isfinite(d), count, d)
    return first, np.where(enough[:, None], latest, -np.inf).mean(axis=1)


def towards_leak(d: Floats, rule: Rule) -> Floats:
    """Return how far levels lie towards where their growth is harm; it is harm from 1 on.

    This is half the margin above the baseline, or the whole margin for a level that began below the
    baseline and therefore had to grow. At the baseline and below it, the result is not positive.
    """
    bound = np.where(_below(d, rule), rule.margin, rule.margin / 2)
    latest: Floats = _ends(d)[1] / bound
    return latest


def _below(d: Floats, rule: Rule) -> Mask:
    below: Mask = _ends(d)[0] <= -rule.margin / 2
    return below


def settled_slope(whole: Estimate, d: Floats, rule: Rule) -> tuple[Estimate, Mask]:
    """Return the slope, of only the second half if a level has grown from below the baseline."""
    seen = d.shape[1]
    first, latest = _ends(d)
    grown = _below(d, rule) & (latest - first >= rule.margin / 2) & (seen >= SETTLED)
    return _instead(whole, grown, lambda rows: slope(d[rows, seen // 2 :], rule.drift)), grown
