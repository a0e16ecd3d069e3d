"""Mann-Whitney over a growing window, for many canaries at once.

Kayenta calls a metric High if the interval's lower end is above a quarter of the estimated shift.
The rank statistic falls as the shift grows. So the condition is equivalent to a rejection at a
quarter of the estimate, which needs one median and one count per look instead of three root
searches. A test compares this form with the literal one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.bench.verdict.readings import Floats, Ints

CHUNK = 100


def shifted_z(x: Floats, y: Floats, looks: Sequence[int], part: float) -> Floats:
    """Return z of the rank test of ``x - part * shift`` against ``y``, ``[runs, looks]``.

    It is -inf if the estimated shift is not above zero, or if an arm is empty.
    """
    result = np.full((len(x), len(looks)), -np.inf)
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        for column, look in enumerate(looks):
            result[rows, column] = _one_look(x[rows, :look], y[rows, :look], part)
    return result


def _one_look(x: Floats, y: Floats, part: float) -> Floats:
    n_x, n_y = np.isfinite(x).sum(axis=1), np.isfinite(y).sum(axis=1)
    differences = (x[:, :, None] - y[:, None, :]).reshape(len(x), -1)
    differences.sort(axis=1)  # NaN goes last
    known = n_x * n_y
    shift = _middle(differences, known)
    at = (part * shift)[:, None]
    above = (differences > at).sum(axis=1) + 0.5 * (differences == at).sum(axis=1)
    centred = above - known / 2
    spread = np.sqrt(known / 12 * (n_x + n_y + 1 - _ties(x, y, at[:, 0], n_x + n_y)))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (centred - 0.5 * np.sign(centred)) / spread
    asked: Floats = np.where((known > 0) & ((shift > 0) | (part == 0)), z, -np.inf)
    return asked


def _middle(ordered: Floats, known: Ints) -> Floats:
    """Return the median of the first ``known`` values of each sorted row."""
    rows, last = np.arange(len(ordered)), np.maximum(known - 1, 0)
    middle: Floats = (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / 2
    return middle


def _ties(x: Floats, y: Floats, shift: Floats, size: Ints) -> Floats:
    """Return the tie correction. For rates and latencies only ties at zero matter."""
    zeros_x, zeros_y = (x == 0).sum(axis=1), (y == 0).sum(axis=1)
    apart = _cubes(zeros_x) + _cubes(zeros_y)
    pairs: Floats = np.maximum(size * (size - 1), 1).astype(float)
    return np.where(shift == 0, _cubes(zeros_x + zeros_y), apart) / pairs


def _cubes(count: Ints) -> Floats:
    number: Floats = count.astype(float)
    return number**3 - number
