"""What the newest periods show as they are: it can withhold PASS, and it never fails anything.

The estimate of a run pulls in what stands out, so that a burst is not called a regression. The same
would let a fault that has just begun pass. So PASS also asks the newest periods, untamed: they must
not lie beyond the margin by more than their own error allows, nor beyond twice the margin at all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from canary.judge.newest import TOTALS, Columns, mean_error, newest, reported
from canary.judge.rule import Rule
from canary.stats.distributions import Floats
from canary.stats.effects import log_ratio

Mask = npt.NDArray[np.bool_]

EVENTS = ((1, 1.5), (2, 1.0), (5, 1.0))
SERIES = ((1, 1.0), (2, 0.3), (5, 0.25))
"""Newest periods, and the errors beyond the margin from which they withhold PASS."""
PLAIN, WORSE = 3, 2
PLAIN_MARGINS = 2.0
PLAIN_EVENTS = 0.02
"""Whatever the error: this many newest periods, twice the margin, and for counts 2 points of all
requests, in so many of them."""


def withheld_events(
    columns: tuple[Floats, Floats, Floats, Floats], rule: Rule
) -> dict[str, Floats]:
    """Return the runs whose newest counts withhold PASS, with the numbers; others hold NaN."""
    good = np.isfinite(columns[0])
    settled, _ = newest(good, PLAIN)
    found: Columns = {}
    for count, bound in EVENTS:
        enough, pairs = newest(good, count, *columns)
        total = [np.where(enough, one.sum(axis=1), 1.0) for one in pairs]
        effect, known = _pooled(total, rule.sign)
        error = mean_error(known, rule.rough.tau, rule.rough, count)
        beyond = effect - rule.margin > bound * error
        held = settled & enough & beyond & (_extra(total, rule.sign) > rule.negligible)
        found = reported("newest", held, count, dict(zip(TOTALS, total, strict=True)), found)
    _, pairs = newest(good, PLAIN, *columns)
    pairs = [np.where(settled[:, None], one, 1.0) for one in pairs]
    total = [one.sum(axis=1) for one in pairs]
    worse = (_extra(pairs, rule.sign) > 0).sum(axis=1) >= WORSE
    large = _extra(total, rule.sign) > PLAIN_EVENTS
    held = settled & worse & large & (_pooled(total, rule.sign)[0] > PLAIN_MARGINS * rule.margin)
    return reported("newest", held, PLAIN, dict(zip(TOTALS, total, strict=True)), found)


def _pooled(total: list[Floats], sign: float) -> tuple[Floats, Floats]:
    """Return the log of the pooled rate ratio, and its known variance."""
    g, b, n_g, n_b = total
    share = n_g / (n_g + n_b)
    due_g, due_b = (g + b) * share, (g + b) * (1 - share)
    effect = sign * (log_ratio(g + 0.5, b + 0.5) - log_ratio(n_g, n_b))
    return effect, 1 / (due_g + 0.5) + 1 / (due_b + 0.5)


def _extra(pairs: list[Floats], sign: float) -> Floats:
    """Return the extra events per request, positive where harmful."""
    g, b, n_g, n_b = pairs
    extra: Floats = sign * (g / n_g - b / n_b)
    return extra


def withheld_series(d: Floats, v: Floats, rule: Rule) -> dict[str, Floats]:
    """Return the runs whose newest differences ``d`` withhold PASS, with the numbers.

    ``d`` is positive where harmful, ``v`` its known variance; other runs hold NaN.
    """
    good = np.isfinite(d) & np.isfinite(v)
    settled, _ = newest(good, PLAIN)
    found: Columns = {}
    for count, bound in SERIES:
        enough, pairs = newest(good, count, d, v)
        latest, known = (np.where(enough[:, None], one, 0.0) for one in pairs)
        error = mean_error(known.mean(axis=1) / count, rule.rough.tau, rule.rough, count)
        effect = latest.mean(axis=1)
        held = settled & enough & (effect - rule.margin > bound * error)
        found = reported("newest", held, count, {"effect": effect}, found)
    _, (latest,) = newest(good, PLAIN, d)
    latest = np.where(settled[:, None], latest, 0.0)
    worse = (latest > rule.margin).sum(axis=1) >= WORSE
    effect = latest.mean(axis=1)
    held = settled & worse & (effect > PLAIN_MARGINS * rule.margin)
    return reported("newest", held, PLAIN, {"effect": effect}, found)
