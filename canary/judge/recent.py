"""The newest periods, without protection from outliers, can withhold PASS. They never FAIL.

The estimate of a run limits outliers, so that a burst is not called a regression. A fault that has
just begun hardly changes it. So PASS also needs the newest periods: it is withheld if harm explains
them better than equality. Harmful outliers count in full here. Harmless outliers are limited,
because they would hide harm.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from canary.judge.newest import TOTALS, Columns, mean_error, newest, reported
from canary.judge.rule import Rule
from canary.stats.distributions import Floats
from canary.stats.effects import log_ratio
from canary.stats.paired import Noise

PERIODS = (1, 2, 3, 5, 8, 12, 18)
"""The numbers of newest periods in which harm is looked for."""
LIKELIER = 1.2
"""The log likelihood ratio, of harm of twice the margin to no harm, above which PASS is
withheld."""
HARMLESS = 0.5
"""A harmless difference is limited to this many standard deviations of a period."""
PLAIN, WORSE = 3, 2
PLAIN_MARGINS = 2.0
PLAIN_EVENTS = 0.02
"""PASS is also withheld, whatever the error, if the mean of the ``PLAIN`` newest periods exceeds
``PLAIN_MARGINS`` margins (counts: also ``PLAIN_EVENTS`` of all requests), and at least ``WORSE`` of
the periods are worse."""
LEAST_ERROR = 1e-9
"""The error of a level that is always 0, whose noise is unknown."""
BACK = 20
"""Periods to look back for the newest pairs."""


def withheld_events(
    columns: tuple[Floats, Floats, Floats, Floats], rule: Rule
) -> dict[str, Floats]:
    """Return the numbers of the runs whose newest counts withhold PASS; other runs hold NaN."""
    good = np.isfinite(columns[0])
    settled, _ = newest(good, PLAIN)
    noise, found, most = _noise(rule), _nothing(len(good), TOTALS), np.full(len(good), LIKELIER)
    for count in PERIODS:
        enough, pairs = newest(good, count, *columns, reach=BACK)
        total = [np.where(enough, one.sum(axis=1), 1.0) for one in pairs]
        effect, known = _pooled(total, rule.sign)
        evidence = _evidence(effect, mean_error(known, noise.tau, noise, count), rule)
        held = settled & enough & (evidence > most) & (_extra(total, rule.sign) > rule.negligible)
        most = np.where(held, evidence, most)
        found = reported("newest", held, count, dict(zip(TOTALS, total, strict=True)), found)
    _, pairs = newest(good, PLAIN, *columns)
    pairs = [np.where(settled[:, None], one, 1.0) for one in pairs]
    total = [one.sum(axis=1) for one in pairs]
    worse = (_extra(pairs, rule.sign) > 0).sum(axis=1) >= WORSE
    large = _extra(total, rule.sign) > PLAIN_EVENTS
    held = settled & worse & large & (_pooled(total, rule.sign)[0] > PLAIN_MARGINS * rule.margin)
    return reported("newest", held, PLAIN, dict(zip(TOTALS, total, strict=True)), found)


def _noise(rule: Rule) -> Noise:
    """Return the noise from period to period, without the lasting difference between hosts."""
    return replace(rule.measured, host=0.0)


def _nothing(runs: int, names: tuple[str, ...]) -> Columns:
    none = np.full(runs, np.nan)
    return {"newest_periods": none} | {f"newest_{name}": none for name in names}


def _evidence(effect: Floats, error: Floats, rule: Rule) -> Floats:
    """Return the log likelihood ratio of harm of twice the margin to no harm."""
    evidence: Floats = (
        2 * rule.margin * (effect - rule.margin) / np.maximum(error, LEAST_ERROR) ** 2
    )
    return evidence


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
    """Return the numbers of the runs whose newest differences ``d`` withhold PASS.

    ``d`` is positive where harmful, ``v`` its known variance; other runs hold NaN.
    """
    good = np.isfinite(d) & np.isfinite(v)
    settled, _ = newest(good, PLAIN)
    noise, found, most = _noise(rule), _nothing(len(d), ("effect",)), np.full(len(d), LIKELIER)
    tame = np.maximum(d, -HARMLESS * np.sqrt(v + noise.tau**2))
    for count in PERIODS:
        enough, pairs = newest(good, count, tame, v, reach=BACK)
        latest, known = (np.where(enough[:, None], one, 0.0) for one in pairs)
        effect = latest.mean(axis=1)
        error = mean_error(known.mean(axis=1) / count, noise.tau, noise, count)
        evidence = _evidence(effect, error, rule)
        held = settled & enough & (evidence > most)
        most = np.where(held, evidence, most)
        found = reported("newest", held, count, {"effect": effect}, found)
    _, (latest,) = newest(good, PLAIN, d)
    latest = np.where(settled[:, None], latest, 0.0)
    worse = (latest > rule.margin).sum(axis=1) >= WORSE
    effect = latest.mean(axis=1)
    held = settled & worse & (effect > PLAIN_MARGINS * rule.margin)
    return reported("newest", held, PLAIN, {"effect": effect}, found)
