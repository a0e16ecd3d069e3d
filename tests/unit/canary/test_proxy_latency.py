"""The latency that the proxy measures, as a series, across a restart of the proxy."""

from __future__ import annotations

from canary.model import Arm
from canary.rollout.collect import ProxyCounts
from canary.traffic.base import Status

SERVERS = {"blue-1": (Arm.BASELINE, "i-b1"), "green-1": (Arm.CANDIDATE, "i-g1")}


def counted() -> ProxyCounts:
    return ProxyCounts(SERVERS, {"slow": "latency"}, 5)


def status(started: int, responses: int, microseconds: int) -> Status:
    times = {"timed": responses, "microseconds": microseconds}
    counters = {name: {"blue-1": number, "green-1": 0} for name, number in times.items()}
    return Status("blue", {}, {}, {}, counters=counters, started=started)


def values(proxy: ProxyCounts) -> dict[str, tuple[float | None, ...]]:
    return {series.instance: series.values for series in proxy.series()}


def test_it_is_a_mean_in_milliseconds() -> None:
    proxy = counted()
    proxy.start(status(1, 100, 7_000_000))
    proxy.add(status(1, 140, 8_000_000), 0, 105)  # 40 responses in 1 s: 25 ms each
    proxy.add(status(2, 150, 9_000_000), 0, 110)  # restarted: 150 responses in 9 s, 60 ms each
    proxy.add(status(2, 150, 9_000_000), 0, 115)  # nothing was timed: not measured
    assert values(proxy) == {"i-b1": (25.0, 60.0, None), "i-g1": (None, None, None)}
    assert {s.instance: s.samples for s in proxy.series()}["i-b1"] == (40.0, 150.0, 0.0)


def test_another_process_goes_on_with_what_was_counted() -> None:
    first, second = counted(), counted()
    first.start(status(1, 100, 7_000_000))
    first.add(status(1, 140, 8_000_000), 0, 105)
    last = status(first.since or 0, 140, 8_000_000)
    second.restore(last, first.served, first.split(), first.series())
    for proxy in (first, second):
        proxy.add(status(1, 150, 8_500_000), 0, 110)
    assert values(second) == values(first) == {"i-b1": (25.0, 50.0), "i-g1": (None, None)}
