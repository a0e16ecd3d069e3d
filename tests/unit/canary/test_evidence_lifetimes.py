"""Hosts that come, go, are replaced or idle: each is mentioned, and none causes a FAIL."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.evidence.pairs import pairs_of
from canary.evidence.table import table_of
from canary.judge import judge
from canary.model import Recording, Verdict
from canary.policy import parse_policy
from tests.unit.canary.test_judge_hosts import hurt
from tests.unit.canary.verdict_recordings import PERIODS, POLICY, healthy, policy


def only(kept: Recording, host: str, first: int = 0, last: int = PERIODS) -> Recording:
    """Keep a host's values from period ``first`` up to, not including, ``last``."""

    def part(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
        return tuple(value if first <= at < last else None for at, value in enumerate(values))

    return replace(
        kept,
        series=tuple(
            replace(
                one,
                values=part(one.values),
                samples=part(one.samples),
                spread=part(one.spread),
            )
            if one.instance == host
            else one
            for one in kept.series
        ),
    )


def loaded(kept: Recording, host: str, factor: float, since: int = 0) -> Recording:
    """Change the requests of a host, and with them its errors and its CPU."""
    for metric in ("errors", "cpu"):
        kept = hurt(kept, host, metric, factor, since)
    return replace(
        kept,
        series=tuple(
            replace(
                one,
                samples=tuple(
                    x * factor if x is not None and at >= since else x
                    for at, x in enumerate(one.samples)
                ),
            )
            if one.instance == host
            else one
            for one in kept.series
        ),
    )


def scaled(kept: Recording, arm: str, at: int, factor: float, hosts: int) -> Recording:
    """Change the load of each host of an arm from period ``at`` on."""
    for host in range(1, hosts + 1):
        kept = loaded(kept, f"{arm}-{host}", factor, at)
    return kept


def verdicts(kept: Recording) -> set[Verdict]:
    return {judge(policy(), kept, until=60 * minute).verdict for minute in range(12, PERIODS, 6)}


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_baseline_that_is_scaled_out_makes_no_harm(seed: int) -> None:
    """A third host takes a part of the load, so the CPU of each host falls by a third."""
    kept = only(healthy(seed, instances=3), "baseline-3", first=25)
    kept = only(kept, "candidate-3", last=0)
    kept = scaled(kept, "baseline", 25, 2 / 3, 3)
    assert Verdict.FAIL not in verdicts(kept)
    said = judge(policy(), kept).quality
    assert any("the baseline's baseline-3 came later, at " in one for one in said)
    assert any("cpu and memory are not compared there" in one for one in said)


def test_a_candidate_that_is_scaled_in_makes_no_harm_and_does_not_pass() -> None:
    """The host that left may have been stopped or may have crashed."""
    kept = only(healthy(instances=3), "candidate-3", last=25)
    kept = scaled(kept, "candidate", 25, 3 / 2, 2)
    assert Verdict.FAIL not in verdicts(kept)
    judgement = judge(policy(), kept)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert any("candidate-3 went: its last report is of" in one for one in judgement.quality)


def test_a_candidate_host_that_comes_later_is_told_and_may_pass() -> None:
    kept = only(healthy(instances=3), "candidate-3", first=15)
    early, late = judge(policy(), kept, until=60 * 22), judge(policy(), kept)
    assert early.verdict is Verdict.INCONCLUSIVE
    assert "candidate-3 came only 7 periods ago" in early.reason
    assert late.verdict is not Verdict.FAIL
    assert any("the candidate's candidate-3 came later" in one for one in late.quality)
    assert not any("reported no metrics" in one for one in late.quality)


@pytest.mark.parametrize(
    ("first", "last", "until", "silent"),
    [(3, PERIODS, 15, slice(0, 3)), (0, 3, 6, slice(3, 6))],
    ids=["reports late", "reports no more"],
)
def test_throughput_is_not_compared_while_a_host_may_serve_without_a_report(
    first: int, last: int, until: int, silent: slice
) -> None:
    """A publisher that is late or down looks like fewer requests."""
    asked = policy("- {name: throughput, kind: throughput}\n")
    kept = only(with_throughput(healthy(instances=4)), "candidate-3", first, last)
    for minute in range(5, until + 1):
        assert judge(asked, kept, until=60 * (minute + 2)).verdict is not Verdict.FAIL
    metric = next(one for one in asked.metrics if one.kind == "throughput")
    table = table_of(asked, kept)
    pairs = pairs_of(metric, table, [int(at) for at in table.times[:until]])
    unknown = np.isnan(pairs.candidate.values)
    assert unknown[silent].all()
    assert unknown.sum() == 3


def with_throughput(kept: Recording) -> Recording:
    """Add the requests of each host as a metric."""
    counted = [one for one in kept.series if one.metric == "errors"]
    added = [replace(one, metric="throughput", values=one.samples) for one in counted]
    return replace(kept, series=(*kept.series, *added))


def test_a_fresh_host_that_warms_up_is_no_harm() -> None:
    """It is twice as slow in its first minutes. Its errors count from its start."""
    kept = only(healthy(instances=3), "candidate-3", first=20)
    slow = hurt(kept, "candidate-3", "p90 latency", 3.0, since=20)
    slow = hurt(slow, "candidate-3", "p90 latency", 1 / 3, since=29)
    assert Verdict.FAIL not in verdicts(slow)
    failing = hurt(kept, "candidate-3", "errors", 150.0, since=20)
    assert judge(policy(), failing, until=60 * 26).verdict is Verdict.FAIL


def test_a_replaced_host_is_told_as_one_change() -> None:
    kept = only(healthy(instances=3), "baseline-3", first=22)
    kept = only(kept, "baseline-2", last=20)
    said = judge(policy(), kept).quality
    assert any("baseline-3 came later" in one and "in place of baseline-2" in one for one in said)


def test_an_idle_host_is_told_and_its_load_is_not_compared() -> None:
    """Its CPU is almost 0, which would make the candidate look expensive."""
    idle = loaded(healthy(instances=3), "baseline-3", 0.01)
    assert Verdict.FAIL not in verdicts(idle)
    assert any("baseline-3 is idle" in one for one in judge(policy(), idle).quality)


def test_throughput_is_that_of_all_hosts_though_one_lacks_a_value() -> None:
    asked = parse_policy(POLICY + "- {name: requests, kind: throughput}\n")
    kept = healthy(instances=2)
    metric = asked.metrics[-1]
    source = [one for one in kept.series if one.metric == "errors"]
    steady = tuple(replace(one, metric="requests", values=(100.0,) * PERIODS) for one in source)
    kept = replace(kept, series=(*kept.series, *steady))
    kept = replace(
        kept,
        series=tuple(
            replace(one, values=tuple(None if at == 9 else x for at, x in enumerate(one.values)))
            if (one.instance, one.metric) == ("candidate-2", "requests")
            else one
            for one in kept.series
        ),
    )
    table = table_of(asked, kept)
    pairs = pairs_of(metric, table, table.times.tolist())
    assert np.unique(pairs.candidate.values).tolist() == [200.0]
