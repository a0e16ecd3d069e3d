"""The benchmark's fast form of Kayenta's rule gives the same results as the literal form."""

from __future__ import annotations

import numpy as np
import pytest

from canary.kayenta.rules import Direction, Label, Rules, classify
from tests.bench.verdict import world_a, world_b
from tests.bench.verdict.comparators import (
    EVERY,
    KAYENTA_Z,
    MATCHED,
    SIZE,
    Match,
    alarms,
    growing_ratio,
    match,
    values,
)
from tests.bench.verdict.ranks import shifted_z
from tests.bench.verdict.readings import METRICS, NONE, Canaries, Harm

pytestmark = pytest.mark.long

WORSE = Harm("everything a little", latency=1.05, errors_5xx=1.5, errors_4xx=1.15, cpu=1.06)
LOOK = 30


def canaries(world: str) -> Canaries:
    if world == "A":
        return world_a.simulate(world_a.SCENARIOS["S3"], WORSE, 40, LOOK, seed=21)
    return world_b.simulate(world_b.SCENARIOS["B1"], WORSE, 40, LOOK, seed=21)


def agreement(world: str, name: str) -> float:
    """Return the share of canaries on which both forms agree about one metric."""
    x, y = values(canaries(world), name)
    fast = (shifted_z(x, y, (LOOK,), 0.25) > KAYENTA_Z) & (growing_ratio(x, y, (LOOK,)) >= 1)
    rules = Rules(direction=Direction.INCREASE)
    # Turned metrics are negative, where Kayenta's ratio gate means nothing: shift them up.
    lift = 1e6 if (x[np.isfinite(x)] < 0).any() else 0.0
    literal = [
        classify(rules, a[np.isfinite(a)] + lift, b[np.isfinite(b)] + lift).label is Label.HIGH
        for a, b in zip(x, y, strict=True)
    ]
    return float(np.mean(fast[:, 0] == np.array(literal)))


@pytest.mark.parametrize("world", ["A", "B"])
def test_fast_form_agrees_with_the_literal_one(world: str) -> None:
    """Within 1 %: the literal form stops its root search at 1e-4, on the line that can decide."""
    agreements = [agreement(world, name) for name in METRICS]
    assert min(agreements) >= 0.95
    assert np.mean(agreements) >= 0.99


def test_some_canaries_alarm_and_some_do_not() -> None:
    """Otherwise the agreement above would be meaningless."""
    found = np.array(
        [first > 0 for first in alarms(canaries("A"), Match(3.0, 1.05))[EVERY].values()]
    )
    assert 0.02 < found.mean() < 0.9


def test_size_matching_gives_the_size() -> None:
    equal = world_a.simulate(world_a.SCENARIOS["S1"], NONE, 300, LOOK, seed=5)
    found = alarms(equal, match(equal))[MATCHED]
    share = np.mean(np.any([first > 0 for first in found.values()], axis=0))
    assert share <= SIZE
    assert match(equal).z > KAYENTA_Z
