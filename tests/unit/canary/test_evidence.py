"""The table of evidence: hosts by periods, pooled by one rule for judge and report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.evidence.oddities import oddities_of
from canary.evidence.pairs import pairs_of
from canary.evidence.periods import judged_times
from canary.evidence.table import table_of
from canary.judge import judge, judge_table
from canary.model import Arm, Recording, Series
from canary.policy import parse_policy
from canary.report.curves import group_curve, host_curves
from tests.unit.canary.windows import window_of

START, PERIODS = 600, 12
POLICY = parse_policy("""
version: 1
warmup: 0m
minimum: 5m
maximum: 12m
metrics:
- {name: p90, kind: quantile}
- {name: mean, kind: latency}
- {name: errors, kind: count}
- {name: crashes, kind: count, per: time}
- {name: requests, kind: throughput}
- {name: cpu, kind: gauge}
- {name: memory, kind: level}
- {name: connects, kind: count, source: "proxy.connection_errors"}
""")
NAMES = [metric.name for metric in POLICY.metrics]


def series(
    metric: str,
    arm: Arm,
    host: str,
    values: list[float | None],
    samples: list[float | None] | None = None,
    start: int = START,
) -> Series:
    times = tuple(range(start, start + 60 * len(values), 60))
    return Series(metric, arm, host, times, tuple(values), tuple(samples or [None] * len(values)))


def recording(*found: Series) -> Recording:
    return window_of(found, START, PERIODS)


def unlike() -> Recording:
    """Two hosts per arm with one and nine parts of the traffic, gaps, and an odd value."""
    found = []
    for name in NAMES:
        for arm, parts in ((Arm.BASELINE, (9.0, 1.0)), (Arm.CANDIDATE, (1.0, 9.0))):
            for host, part in enumerate(parts):
                values: list[float | None] = [10.0 + 20.0 * host + period for period in range(12)]
                values[3 + host] = None
                values[7] = -1.0 if host else values[7]
                found.append(series(name, arm, f"{arm}-{host}", values, [100 * part] * len(values)))
    return recording(*found)


def test_a_gauge_is_drawn_as_it_is_judged() -> None:
    """Both use the plain mean of the hosts, 20 and 20, not one weighted by requests, 12 and 28."""
    hosts = ((Arm.BASELINE, (900.0, 100.0)), (Arm.CANDIDATE, (100.0, 900.0)))
    found = [
        series("cpu", arm, f"{arm}-{value}", [value] * PERIODS, [samples] * PERIODS)
        for arm, both in hosts
        for value, samples in zip((10.0, 30.0), both, strict=True)
    ]
    table = table_of(POLICY, recording(*found))
    cpu = next(metric for metric in POLICY.metrics if metric.name == "cpu")
    for arm in Arm:
        assert [value for _, value in group_curve(cpu, table, arm)] == [20.0] * PERIODS


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_drawn_as_it_is_judged(name: str) -> None:
    metric = next(metric for metric in POLICY.metrics if metric.name == name)
    table = table_of(POLICY, unlike())
    pairs = pairs_of(metric, table, judged_times(POLICY, table.recording, 10**9))
    for arm, side in ((Arm.CANDIDATE, pairs.candidate), (Arm.BASELINE, pairs.baseline)):
        drawn = [value for _, value in group_curve(metric, table, arm)]
        shares = name in ("errors", "connects")
        judged = side.values / side.samples if shares else side.values
        assert drawn == [value if np.isfinite(value) else None for value in judged.tolist()]


def test_hosts_are_pooled_as_their_kind_asks() -> None:
    found = [
        series(name, Arm.CANDIDATE, host, [value], [samples])
        for name in NAMES
        for host, value, samples in (("i-1", 4.0, 100.0), ("i-2", 1.0, 300.0))
    ]
    table = table_of(POLICY, recording(*found))
    drawn = {
        metric.name: group_curve(metric, table, Arm.CANDIDATE)[0][1] for metric in POLICY.metrics
    }
    assert drawn == {
        "p90": pytest.approx(1.75),
        "mean": pytest.approx(1.75),
        "errors": pytest.approx(5 / 400),
        "crashes": 5.0,
        "requests": 5.0,
        "cpu": 2.5,
        "memory": 2.5,
        "connects": pytest.approx(5 / 400),
    }


def test_single_hosts_are_drawn_where_there_are_several() -> None:
    table = table_of(POLICY, unlike())
    cpu = next(metric for metric in POLICY.metrics if metric.name == "cpu")
    assert [host for host, _ in host_curves(cpu, table, "candidate", 12)] == [
        "candidate-0",
        "candidate-1",
    ]
    one = recording(series("cpu", Arm.CANDIDATE, "i-1", [1.0]))
    assert host_curves(cpu, table_of(POLICY, one), "candidate", 12) == ()


def test_a_hole_is_a_hole_in_the_drawing() -> None:
    found = series("cpu", Arm.CANDIDATE, "i-1", [5.0, None, 7.0])
    cpu = next(metric for metric in POLICY.metrics if metric.name == "cpu")
    table = table_of(POLICY, recording(found), START + 240)
    values = [value for _, value in group_curve(cpu, table, Arm.CANDIDATE)]
    assert values == [5.0, None, 7.0, None]


def test_a_table_never_changes() -> None:
    table = table_of(POLICY, unlike())
    rows, group = table.rows["cpu", "candidate"], table.groups["candidate"]
    for array in (rows.values, rows.samples, rows.spread, group.reported, table.times, table.step):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1
    with pytest.raises(AttributeError):
        table.times = table.times  # type: ignore[misc]


def test_one_table_judges_every_look_as_a_table_of_that_look_does() -> None:
    kept = unlike()
    table = table_of(POLICY, kept)
    for look in kept.looks:
        assert judge_table(POLICY, table, look) == judge(POLICY, kept, look)
        assert judge_table(POLICY, table, look) == judge(POLICY, until(kept, look), look)


def until(kept: Recording, look: int) -> Recording:
    """Return the recording as it was at a look."""
    cut = []
    for one in kept.series:
        count = sum(time + 60 <= look for time in one.times)
        cut.append(
            replace(
                one,
                times=one.times[:count],
                values=one.values[:count],
                samples=one.samples[:count],
                spread=one.spread[:count],
            )
        )
    return replace(kept, series=tuple(cut))


def test_what_is_odd_about_a_host_is_noted() -> None:
    kept = recording(
        series("cpu", Arm.CANDIDATE, "i-1", [-1.0, 2.0, 3.0]),
        series("cpu", Arm.CANDIDATE, "i-1", [1.0, 2.0, 3.0]),
        series("cpu", Arm.CANDIDATE, "i-2", [1.0, 2.0], start=START + 1),
    )
    named = replace(kept.candidate, instances=("i-1", "i-2", "i-3"))
    table = table_of(POLICY, replace(kept, candidate=named))
    found = {(one.kind, one.host, one.count) for one in oddities_of(POLICY, table, 10**9)}
    assert found == {
        ("impossible", "i-1", 1),
        ("duplicate", "i-1", 1),
        ("off grid", "i-2", 2),
        ("silent", "i-3", len(table.times)),
    }


def test_oddities_are_told_beside_the_verdict() -> None:
    kept = unlike()
    twice = replace(kept, series=(*kept.series, kept.series[0]))
    quality = judge(POLICY, twice).quality
    assert (
        "p90 of baseline-0 (baseline) has more than one series: each counts as one host" in quality
    )
    assert (
        "cpu of candidate-1 (candidate) holds 1 negative or infinite values, which are not used"
        in quality
    )


def test_what_the_proxy_counts_does_not_speak_for_a_host() -> None:
    """If the proxy counts connections of a host, the host itself has not reported yet."""
    kept = recording(
        series("connects", Arm.CANDIDATE, "i-1", [0.0] * 3, [9.0] * 3),
        series("cpu", Arm.CANDIDATE, "i-2", [1.0] * 3),
    )
    group = table_of(POLICY, kept).groups["candidate"]
    assert group.hosts == ("i-1", "i-2")
    assert group.reported.any(axis=1).tolist() == [False, True]


def test_a_period_that_no_table_holds_is_no_silent_mistake() -> None:
    table = table_of(POLICY, recording(series("cpu", Arm.CANDIDATE, "i-1", [1.0])), START + 60)
    with pytest.raises(ValueError, match="not built up to"):
        table.columns((START + 600,))
