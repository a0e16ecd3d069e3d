"""A CloudWatch with a manual clock, and helpers to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_cloud.cloudwatch.api import OPERATIONS
from local_cloud.cloudwatch.service import CloudWatch

# 2026-11-21 12:00:00 UTC: a whole hour, so that minutes are easy to read.
NOON = 1_795_262_400
MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR


@dataclass
class World:
    """A CloudWatch. ``told`` holds the messages to SNS, as (ARN, subject, message)."""

    now: float = NOON
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cloud = CloudWatch(
            "123456789012",
            "eu-central-1",
            clock=lambda: self.now,
            publish=lambda *message: self.told.append(message),
        )

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation like a client, without the wire protocol."""
        return OPERATIONS[operation](self.cloud, parameters) or {}

    def put(self, *data: Mapping[str, Any], namespace: str = "Shop") -> None:
        """Publish data. A datum without MetricName belongs to the metric ``m``."""
        named = [{"MetricName": "m", **datum} for datum in data]
        self.call("PutMetricData", Namespace=namespace, MetricData=named)

    def series(
        self,
        stat: str,
        *,
        start: float = NOON - MINUTE,
        end: float = NOON,
        period: int = 60,
        name: str = "m",
        dimensions: Sequence[Mapping[str, str]] = (),
        unit: str | None = None,
    ) -> dict[int, float]:
        """Return one statistic by seconds since ``start``."""
        query = metric_query("q", stat, period=period, name=name, dimensions=dimensions, unit=unit)
        return self.points([query], start=start, end=end)["q"]

    def points(
        self,
        queries: Sequence[Mapping[str, Any]],
        *,
        start: float = NOON - MINUTE,
        end: float = NOON,
    ) -> dict[str, dict[int, float]]:
        """Return each result by its id, by seconds since ``start``, oldest first."""
        answer = self.call(
            "GetMetricData",
            MetricDataQueries=queries,
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        return {
            each["Id"]: {
                int(time.timestamp() - start): value
                for time, value in zip(each["Timestamps"], each["Values"], strict=True)
            }
            for each in answer["MetricDataResults"]
        }


def metric_query(
    id_: str,
    stat: str = "Sum",
    *,
    period: int = 60,
    name: str = "m",
    dimensions: Sequence[Mapping[str, str]] = (),
    unit: str | None = None,
    namespace: str = "Shop",
    wanted: bool = True,
) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": list(dimensions)}
    stated = {"Metric": metric, "Period": period, "Stat": stat, **({"Unit": unit} if unit else {})}
    return {"Id": id_, "MetricStat": stated, "ReturnData": wanted}


def dimensions(**pairs: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs.items()]
