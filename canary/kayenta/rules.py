"""Kayenta's rules for one metric and for the score, from a description of NetflixACAJudge-v1.0.

The rules are followed exactly, weaknesses included, so that their verdict can be shown beside ours.
One rule differs, because a replay must be exact: two constant samples are compared by their
difference. Kayenta adds unseeded noise of a hundred-thousandth, with the same effect.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.kayenta.statistics import (
    Shift,
    mann_whitney,
    mean_ratio,
    without_outliers,
)

CONFIDENCE, TOLERANCE = 0.98, 0.25
PASS_SCORE, MARGINAL_SCORE = 95.0, 75.0
NODATA_LIMIT = 0.5
Floats = NDArray[np.float64]


class Label(enum.StrEnum):
    """Kayenta's classification of a metric."""

    PASS = "Pass"
    HIGH = "High"
    LOW = "Low"
    NODATA = "Nodata"
    NODATA_FAIL = "NodataFailMetric"
    ERROR = "Error"


class Direction(enum.StrEnum):
    """The direction of a change that counts."""

    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Gates:
    """A decrease counts at or below ``decrease``, an increase at or above ``increase``."""

    decrease: float = 1.0
    increase: float = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    """Kayenta's settings of one metric."""

    direction: Direction = Direction.EITHER
    critical: bool = False
    must_have_data: bool = False
    replace_nan: bool = False
    remove_outliers: bool = False
    outlier_factor: float = 3.0
    allowed: Gates = Gates()
    critical_gates: Gates = Gates()


@dataclass(frozen=True, slots=True)
class Classification:
    """A label, whether it is critical, and the numbers that led to it."""

    label: Label
    critical: bool
    reason: str
    deviation: float = math.nan
    shift: Shift | None = None


def classify(
    rules: Rules,
    experiment: Sequence[float] | Floats,
    control: Sequence[float] | Floats,
    *,
    confidence: float = CONFIDENCE,
    tolerance: float = TOLERANCE,
) -> Classification:
    """Classify one metric by the values of experiment and control, in any order."""
    x, y = _prepared(rules, experiment), _prepared(rules, control)
    if x.size == 0 or y.size == 0:
        return _without_data(rules, x, y)
    if np.array_equal(np.sort(x), np.sort(y)) or np.unique(np.concatenate((x, y))).size == 1:
        return Classification(
            Label.PASS, critical=False, reason="Both are the same.", deviation=1.0
        )
    shift, deviation = _shift(x, y, confidence), mean_ratio(x, y)
    bound = tolerance * abs(shift.estimate)
    label = _label(rules, shift, bound, deviation)
    critical = rules.critical and _passes_gate(label, rules.critical_gates, deviation)
    reason = (
        f"The shift is {shift.estimate:.4g} ({confidence:.0%} interval {shift.low:.4g} to "
        f"{shift.high:.4g}) and the bound {bound:.4g}: {label}."
    )
    return Classification(label, critical, reason, deviation, shift)


def _prepared(rules: Rules, sample: Sequence[float] | Floats) -> Floats:
    values = np.asarray(sample, dtype=float)
    values = np.nan_to_num(values, nan=0.0) if rules.replace_nan else values[~np.isnan(values)]
    return without_outliers(values, rules.outlier_factor) if rules.remove_outliers else values


def _without_data(rules: Rules, x: Floats, y: Floats) -> Classification:
    empty = " and ".join(name for name, v in (("experiment", x), ("control", y)) if v.size == 0)
    reason = f"There is no data in the {empty}."
    if rules.replace_nan:
        return Classification(Label.PASS, critical=False, reason=reason)
    if rules.must_have_data and not rules.critical:
        return Classification(Label.NODATA_FAIL, critical=False, reason=reason)
    return Classification(Label.NODATA, critical=rules.critical, reason=reason)


def _shift(x: Floats, y: Floats, confidence: float) -> Shift:
    if np.unique(x).size == 1 and np.unique(y).size == 1:
        difference = float(x[0] - y[0])
        return Shift(difference, difference, difference)
    return mann_whitney(x, y, confidence)


def _label(rules: Rules, shift: Shift, bound: float, deviation: float) -> Label:
    high = shift.low > bound and rules.direction is not Direction.DECREASE
    low = shift.high < -bound and rules.direction is not Direction.INCREASE
    label = Label.HIGH if high else Label.LOW if low else Label.PASS
    return label if _passes_gate(label, rules.allowed, deviation) else Label.PASS


def _passes_gate(label: Label, gates: Gates, deviation: float) -> bool:
    """Return whether the change is large enough to count. An unknown size counts."""
    if label is Label.HIGH:
        return math.isnan(deviation) or deviation >= gates.increase
    return label is Label.LOW and (math.isnan(deviation) or deviation <= gates.decrease)


@dataclass(frozen=True, slots=True)
class Member:
    """One metric of the score."""

    classification: Classification
    groups: tuple[str, ...]
    muted: bool = False


def score(members: Sequence[Member], weights: Mapping[str, float]) -> float:
    """Return the weighted share of metrics that pass, 0 to 100; 0 if a critical one does not pass.

    A group without a label that counts scores 100, as in Kayenta.
    """
    counted = [member for member in members if not member.muted]
    labels = [member.classification.label for member in counted]
    nodata = sum(label is Label.NODATA for label in labels)
    if labels and nodata / len(labels) >= NODATA_LIMIT:
        return 0.0
    if any(m.classification.critical and m.classification.label != Label.PASS for m in counted):
        return 0.0
    groups = sorted({group for member in counted for group in member.groups})
    free = [group for group in groups if group not in weights]
    rest = (100 - sum(weights.values())) / len(free) if free else 0.0
    shares = (weights.get(group, rest) * _group_score(counted, group) for group in groups)
    return round(sum(shares) / 100, 2)


def _group_score(members: Sequence[Member], group: str) -> float:
    labels = [m.classification.label for m in members if group in m.groups]
    scored = [label for label in labels if label not in (Label.NODATA, Label.ERROR)]
    return 100 * scored.count(Label.PASS) / len(scored) if scored else 100.0
