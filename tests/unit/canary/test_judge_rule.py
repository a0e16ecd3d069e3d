"""The rule of one metric: the kappa of each channel."""

from __future__ import annotations

from canary.judge.rule import rule_of
from canary.learned import Learned, MeasuredNoise
from tests.bench.verdict.readings import policy


def test_the_slope_of_a_level_has_a_width_of_its_own() -> None:
    """A wide slope does not widen the interval of the level, and a wide level not the slope's."""
    asked = policy(30)
    memory = next(metric for metric in asked.metrics if metric.kind == "level")
    noise = MeasuredNoise(tau=0.3, phi=0.8, host=0.4)
    kappa = {"pass": ((4, 1.0), (30, 1.2)), "pass_slope": ((4, 2.0), (30, 2.5))}
    rule = rule_of(asked, memory, 1.0, Learned(60, noise, noise, kappa))
    assert [rule.kappa("pass", k) for k in (4, 30)] == [1.0, 1.2]
    assert [rule.kappa("pass_slope", k) for k in (4, 30)] == [2.0, 2.5]
