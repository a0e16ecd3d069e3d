"""The difference of two readings, as data for PutMetricData."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.metrics.clients import set_aside
from app.metrics.histogram import value
from app.metrics.slots import Counter, Histogram, Key, Reading

Datum = dict[str, Any]
MAX_VALUES = 150  # per metric in one call: API_MetricDatum, "Values"
MAX_DATA = 1_000  # per call: API_PutMetricData, "MetricData"
CHECKOUT = "/cart/checkout"
#: Requested by the proxy and by Prometheus, not by users.
NOT_COUNTED = frozenset({"/status", "/ready", "/live", "/metrics"})


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU and memory of the processes of an instance in a period, if known."""

    cpu_percent: float
    memory_megabytes: float


def difference(now: Reading, before: Reading) -> Reading:
    """Return the counts between two readings."""
    result = Reading({name: now.counters[name] - before.counters[name] for name in Counter})
    for key, histogram in now.series.items():
        part = Histogram()
        part.add(histogram)
        part.add(before.series.get(key, Histogram()), sign=-1)
        result.series[key] = part
    result.clients = [a - b for a, b in zip(now.clients, before.clients, strict=True)]
    return result


class Served:
    """The requests of users in a period: those by which a release is judged, and the others.

    Routes in ``unjudged`` depend on other services, such as the host of a repository that a user
    names. Errors of a few clients are caused by these clients rather than by the release.
    """

    def __init__(self, period: Reading, unjudged: Collection[str] = ()) -> None:
        users = {key: part for key, part in period.series.items() if key[0] not in NOT_COUNTED}
        self.judged = {key: part for key, part in users.items() if key[0] not in unjudged}
        self.counters = period.counters
        elsewhere = {key: part for key, part in users.items() if key[0] in unjudged}
        self.errors_elsewhere = _errors(elsewhere)
        pairs = zip(period.clients[::2], period.clients[1::2], strict=True)
        self._few = set_aside(pair for pair in pairs if pair[0])

    @property
    def requests(self) -> int:
        return max(_count(self.judged.items()) - self._few[0], 0)

    @property
    def errors(self) -> int:
        return max(_errors(self.judged) - self._few[1], 0)

    @property
    def errors_of_few(self) -> int:
        """The errors of a few clients, which ``errors`` does not include."""
        return self._few[1]


def _errors(series: Mapping[Key, Histogram]) -> int:
    return _count(item for item in series.items() if item[0][2] >= 500)


def instance_data(
    served: Served, restarts: int, usage: Usage | None, start: int, dimensions: Mapping[str, str]
) -> list[Datum]:
    """Return the metrics of one instance. A count of zero is sent as 0."""
    checkouts = {key: part for key, part in served.judged.items() if key[0] == CHECKOUT}
    values: list[tuple[str, str, float]] = [
        ("requests", "Count", served.requests),
        ("errors", "Count", served.errors),
        ("errors_of_few", "Count", served.errors_of_few),
        ("errors_elsewhere", "Count", served.errors_elsewhere),
        ("checkouts", "Count", _count(item for item in checkouts.items() if item[0][2] == 200)),
        ("restarts", "Count", restarts),
        ("cache_errors", "Count", served.counters[Counter.CACHE_ERRORS]),
    ]
    if usage:
        values += [("cpu", "Percent", usage.cpu_percent)]
        values += [("memory", "Megabytes", usage.memory_megabytes)]
    head = _head(start, dimensions)
    return [
        *(
            {"MetricName": name, "Unit": unit, "Value": float(v), **head}
            for name, unit, v in values
        ),
        *_distribution("latency", served.judged.values(), head),
        *_distribution("checkout_latency", checkouts.values(), head),
    ]


def service_data(served: Served, start: int, environment: str) -> list[Datum]:
    """Return the metrics for alarms: all instances share these series.

    ``failed`` is 0 or 1 for each request, so its average is the share of failures. An alarm on it
    needs no metric math.
    """
    checkouts = {key: part for key, part in served.judged.items() if key[0] == CHECKOUT}
    requests, errors = served.requests, served.errors
    seen = [(value, count) for value, count in ((0.0, requests - errors), (1.0, errors)) if count]
    head = _head(start, {"Environment": environment})
    failed = {
        "MetricName": "failed",
        "Unit": "None",
        "Values": [value for value, _ in seen],
        "Counts": [float(count) for _, count in seen],
        **head,
    }
    return [
        *([failed] if seen else []),
        *_distribution("checkout_latency", checkouts.values(), head),
    ]


def environment_data(
    carts: int, cents: int, start: int, dimensions: Mapping[str, str]
) -> list[Datum]:
    """Return the gauges of the shared store; only one instance publishes them."""
    head = _head(start, dimensions)
    return [
        {"MetricName": "carts", "Unit": "Count", "Value": float(carts), **head},
        {"MetricName": "cartsvalue", "Unit": "None", "Value": cents / 100, **head},
    ]


def calls(data: Iterable[Datum]) -> list[list[Datum]]:
    """Split the data into calls: each metric at most once in a call, and not too many data."""
    result: list[list[Datum]] = []
    taken: list[set[tuple[Any, ...]]] = []
    for datum in data:
        key = (datum["MetricName"], datum["Timestamp"], str(datum["Dimensions"]))
        fits = (n for n, keys in enumerate(taken) if key not in keys and len(keys) < MAX_DATA)
        number = next(fits, len(taken))
        if number == len(taken):
            taken.append(set())
            result.append([])
        taken[number].add(key)
        result[number].append(datum)
    return result


def _head(start: int, dimensions: Mapping[str, str]) -> Datum:
    return {
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Timestamp": datetime.fromtimestamp(start, UTC),
        "StorageResolution": 1,
    }


def _count(series: Iterable[tuple[Key, Histogram]]) -> int:
    return sum(part.count for _, part in series)


def _distribution(name: str, parts: Iterable[Histogram], head: Datum) -> list[Datum]:
    """Return the non-empty buckets as Values and Counts, at most 150 in each datum."""
    whole = Histogram()
    for part in parts:
        whole.add(part)
    filled = [(value(index), count) for index, count in enumerate(whole.buckets) if count]
    return [
        {
            "MetricName": name,
            "Unit": "Milliseconds",
            "Values": [round(each, 6) for each, _ in filled[first : first + MAX_VALUES]],
            "Counts": [float(count) for _, count in filled[first : first + MAX_VALUES]],
            **head,
        }
        for first in range(0, len(filled), MAX_VALUES)
    ]
