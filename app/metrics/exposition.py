"""Metrics for Prometheus: the sum over all workers of the instance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from app.metrics import process
from app.metrics.histogram import BUCKETS, bound, bucket
from app.metrics.slots import Counter, Reading, read

#: Prometheus gets only the buckets whose bounds are nearest to these milliseconds.
_SHOWN_MS = (1, 2, 5, 10, 20, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000)
_SHOWN = [bucket(each) for each in _SHOWN_MS]

Gauges = Callable[[], dict[str, float]]


class Exposition:
    """The metrics: ``gauges`` returns the shop's gauges, ``flush`` counts this worker's notes."""

    def __init__(
        self,
        directory: Path,
        root: Callable[[], int],
        gauges: Gauges,
        flush: Callable[[], None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._root = root
        self._gauges = gauges
        self._flush = flush
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics. The registry calls this at each scrape."""
        self._flush()
        reading = read(self._directory)
        yield _durations(reading)
        yield from _counters(reading)
        family = process.tree(self._root())
        yield _gauge(
            "shop_memory_bytes",
            "Resident memory of the instance's processes",
            sum(each.resident_bytes for each in family),
        )
        cpu = sum(each.cpu_seconds for each in family)
        text = "Processor time of the instance's living processes"
        yield CounterMetricFamily("shop_cpu_seconds", text, value=cpu)
        for name, value in self._gauges().items():
            yield _gauge(f"shop_{name}", f"The shop's {name.replace('_', ' ')}", value)


def _durations(reading: Reading) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "shop_request_duration_seconds",
        "How long each response took",
        labels=("route", "method", "status"),
    )
    for (route, method, status), histogram in sorted(reading.series.items()):
        running = list(itertools.accumulate(histogram.buckets))
        shown = [(f"{bound(index) / 1000:.6g}", running[index]) for index in _SHOWN]
        family.add_metric(
            (route, method, str(status)),
            [*shown, ("+Inf", running[BUCKETS - 1])],
            histogram.microseconds / 1e6,
        )
    return family


def _counters(reading: Reading) -> Iterator[CounterMetricFamily]:
    requests = CounterMetricFamily(
        "shop_requests", "Answers given", labels=("route", "method", "status")
    )
    for (route, method, status), histogram in sorted(reading.series.items()):
        requests.add_metric((route, method, str(status)), histogram.count)
    yield requests
    for name, counter in (
        ("hits", Counter.CACHE_HITS),
        ("misses", Counter.CACHE_MISSES),
        ("errors", Counter.CACHE_ERRORS),
    ):
        value = reading.counters[counter]
        yield CounterMetricFamily(f"shop_cache_{name}", f"Cache {name}", value=value)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
