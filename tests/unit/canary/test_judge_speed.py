"""The optimisations of the judge change no bit of its numbers."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from canary.evidence.pooling import HostRows, pooled
from canary.judge import judge
from canary.judge.host_effects import Hosts, Span, effects_of
from canary.judge.priors import cold_noise
from canary.judge.rule import rule_of, sign_of
from canary.policy import Metric, parse_policy
from canary.stats.distributions import Floats
from tests.unit.canary.suspect_windows import finding
from tests.unit.canary.test_suspicion import counters
from tests.unit.canary.verdict_recordings import healthy, policy

POLICY = parse_policy("""
version: 1
metrics:
- {name: latency, kind: latency}
- {name: errors, kind: count}
- {name: cpu, kind: gauge}
- {name: requests, kind: throughput}
""")
HOSTS, PERIODS = 40, 30
metrics = pytest.mark.parametrize("metric", POLICY.metrics, ids=lambda metric: metric.name)


def measured(seed: int = 7) -> tuple[Floats, Floats, Floats]:
    """Return values, samples and spread of some hosts, with missing values."""
    random = np.random.default_rng(seed)
    values = np.exp(random.normal(3, 0.3, (HOSTS, PERIODS)))
    values[random.random(values.shape) < 0.05] = np.nan
    samples = random.poisson(500, values.shape).astype(float)
    return values, samples, np.full(values.shape, 0.7)


@metrics
@pytest.mark.parametrize("end", [3, 17, PERIODS])
def test_periods_in_a_row_are_pooled_like_picked_ones(metric: Metric, end: int) -> None:
    """Adjacent columns are a view, and selected columns are a copy."""
    names = tuple(f"host-{row}" for row in range(HOSTS))
    rows = HostRows(names, *map(np.asfortranarray, measured()))
    picked = HostRows(names, *(part[:, np.arange(end)] for part in measured()))
    found = pooled(metric, rows.at(np.arange(end)))
    for field in fields(found)[1:]:
        one, other = getattr(found, field.name), getattr(pooled(metric, picked), field.name)
        assert one.tobytes() == other.tobytes(), field.name


@metrics
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("factor", [1.0, 5.0], ids=["alike", "one far"])
def test_effects_beyond_a_gate_are_those_without_one(
    metric: Metric, factor: float, *, gaps: bool
) -> None:
    values, chances, _ = measured()
    values[3] *= factor
    other = np.broadcast_to(np.nanmean(measured(8)[0], axis=0), values.shape)
    hosts = Hosts(values, chances, other, chances)
    rule = rule_of(POLICY, metric, sign_of(metric), None)
    noise, span = cold_noise(metric, 60), Span(14, gaps=gaps)
    gate = math.log(2.0)
    whole = effects_of(metric, hosts, rule, noise, span)
    quick = effects_of(metric, hosts, rule, noise, span, gate)
    far = whole.known & (whole.effect >= gate)
    assert quick.effect.tobytes() == whole.effect.tobytes()
    assert quick.known.tobytes() == whole.known.tobytes()
    for field in fields(whole):
        one, all_of = getattr(quick, field.name), getattr(whole, field.name)
        assert not far.any() or one.tobytes() == all_of.tobytes(), field.name


@pytest.mark.parametrize("silent", [(), ("candidate-1", "baseline-1")])
def test_counters_of_many_hosts_are_still_recognised(silent: tuple[str, ...]) -> None:
    """Only some hosts are checked first, and one of them may have no value at all."""
    change = counters()
    kept = healthy(instances=20)
    kept = replace(
        kept,
        series=tuple(
            replace(one, values=(None,) * len(one.values))
            if one.instance in silent and one.metric == "errors"
            else change(one) or one
            for one in kept.series
        ),
    )
    judgement = judge(policy(), kept)
    assert "only ever rise" in finding(judgement, "errors").sentence
