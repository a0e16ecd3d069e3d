"""Metrics from CloudWatch, read with GetMetricData.

A value is used only if the response is complete. Throttling and broken
connections are retried by botocore. What still fails is a SourceError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from canary.environment import CloudWatchSource, Environment, client_options
from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.sources.base import Query, Window, log_spread, periods
from canary.sources.cloudwatch_complete import Points, require_complete
from canary.sources.cloudwatch_ended import found_by, published
from canary.sources.cloudwatch_live import live

QUERIES_PER_CALL = 500  # the API's limit
HASTE = 30
"""A period shorter than this many seconds leaves time for one retry only."""
REGION = "The region is environment: region of the policy, or the variable AWS_DEFAULT_REGION"

Statistic = tuple[str, str, str, str]  # metric, statistic, colour, instance


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One metric of one instance, and the ids of the statistics to request."""

    query: Query
    arm: Arm
    instance: str
    ids: dict[str, str]  # part (value, samples, p50, p90) -> id in GetMetricData


class CloudWatch:
    """Reads one series per metric and instance, as the instances published them."""

    own_clocks = True

    def __init__(
        self,
        settings: CloudWatchSource,
        environment: Environment,
        period: int,
        *,
        metrics: Any = None,
        compute: Any = None,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._period = period
        where = {**client_options(environment), "config": _patience(period)}
        try:
            self._metrics = metrics or boto3.client("cloudwatch", **where)
            self._compute = compute or boto3.client("ec2", **where)
        except BotoCoreError as error:
            raise SourceError(f"CloudWatch can't be used: {error} {REGION}") from error

    def describe(self) -> str:
        return (
            f"CloudWatch namespace {self._settings.namespace}, every {self._period} s, "
            f"in {self._environment.endpoint_url or self._environment.region or 'this account'}"
        )

    def found_by(self, colour: str) -> str:
        return found_by(self._settings, self._environment.name, colour)

    def instances(self, colour: str, window: Window | None = None) -> tuple[str, ...]:
        present = self._live(colour)
        if window is None:
            return present
        return (*present, *sorted(self._ended(colour, present, window)))

    def names(self, colour: str) -> tuple[str, ...]:
        known = {"environment": self._environment.name, "colour": colour}
        where = self._settings.namespace, self._settings.dimensions
        return tuple(sorted({one.name for one in published(self._metrics, *where, known)}))

    def _ended(self, colour: str, present: tuple[str, ...], window: Window) -> set[str]:
        """Return the instances that are not live now, but have values in ``window``."""
        known = {"environment": self._environment.name, "colour": colour}
        where = self._settings.namespace, self._settings.dimensions
        listed = published(self._metrics, *where, known)
        ended = [one for one in listed if one.instance not in present]
        asked = [
            self._metric_query(f"q{at}", one.name, "SampleCount", colour, one.instance)
            for at, one in enumerate(ended)
        ]
        found: set[str] = set()
        for first in range(0, len(asked), QUERIES_PER_CALL):
            points = self._fetch(asked[first : first + QUERIES_PER_CALL], *window)
            found.update(ended[int(name[1:])].instance for name, got in points.items() if got)
        return found

    def _live(self, colour: str) -> tuple[str, ...]:
        return tuple(live(self._compute, self._settings, self._environment.name, colour))

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        axis = periods(start, end, self._period)
        if not axis:
            return ()
        asked: dict[Statistic, dict[str, Any]] = {}
        wanted = [
            self._ask(query, arm, release, instance, asked)
            for arm, release in arms.items()
            for instance in release.instances
            for query in queries
        ]
        points: dict[str, Points] = {}
        every = list(asked.values())
        for first in range(0, len(every), QUERIES_PER_CALL):
            batch = every[first : first + QUERIES_PER_CALL]
            points.update(self._fetch(batch, axis[0], axis[-1] + self._period))
        return tuple(_series(want, points, axis) for want in wanted)

    def _ask(
        self,
        query: Query,
        arm: Arm,
        release: Release,
        instance: str,
        asked: dict[Statistic, dict[str, Any]],
    ) -> _Wanted:
        """Add the data that ``query`` needs to ``asked``. Two metrics may share data."""
        samples = (query.samples, "Sum") if query.samples else (query.name, "SampleCount")
        parts = {"value": (query.name, query.statistic), "samples": samples}
        if query.spread:
            parts |= {"p50": (query.name, "p50"), "p90": (query.name, "p90")}
        ids = {}
        for part, (name, statistic) in parts.items():
            key = (name, statistic, release.colour, instance)
            if key not in asked:
                asked[key] = self._metric_query(f"q{len(asked)}", *key)
            ids[part] = asked[key]["Id"]
        return _Wanted(query, arm, instance, ids)

    def _metric_query(
        self, identifier: str, name: str, statistic: str, colour: str, instance: str
    ) -> dict[str, Any]:
        known = {"environment": self._environment.name, "colour": colour, "instance": instance}
        dimensions = [
            {"Name": key, "Value": template.format_map(known)}
            for key, template in self._settings.dimensions.items()
        ]
        metric = {
            "Namespace": self._settings.namespace,
            "MetricName": name,
            "Dimensions": dimensions,
        }
        stat = {"Metric": metric, "Period": self._period, "Stat": statistic}
        return {"Id": identifier, "MetricStat": stat, "ReturnData": True}

    def _fetch(self, batch: list[dict[str, Any]], start: int, end: int) -> dict[str, Points]:
        points: dict[str, Points] = {query["Id"]: {} for query in batch}
        status: dict[str, str] = {}
        for page in self._pages(batch, start, end):
            for result in page["MetricDataResults"]:
                identifier = result["Id"]
                status[identifier] = result.get("StatusCode", "Complete")
                times = (int(time.timestamp()) for time in result["Timestamps"])
                points[identifier].update(zip(times, result["Values"], strict=True))
        require_complete(batch, status, points)
        return points

    def _pages(self, batch: list[dict[str, Any]], start: int, end: int) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            more = {"NextToken": token} if token else {}
            try:
                page = self._metrics.get_metric_data(
                    MetricDataQueries=batch,
                    StartTime=datetime.fromtimestamp(start, UTC),
                    EndTime=datetime.fromtimestamp(end, UTC),
                    ScanBy="TimestampAscending",
                    **more,
                )
            except (BotoCoreError, ClientError) as error:
                raise SourceError(f"GetMetricData of CloudWatch failed: {error}") from error
            yield page
            following = page.get("NextToken")
            if following is None:
                return
            if following == token:
                raise SourceError(
                    "CloudWatch returns the same page of GetMetricData again and again"
                )
            token = following


def _patience(period: int) -> Config:
    """Return time limits that end within a period, including the pauses between attempts."""
    attempts = 2 if period < HASTE else 5
    return Config(
        connect_timeout=2,
        read_timeout=max(2, 0.8 * period / attempts),
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


def _series(want: _Wanted, points: dict[str, Points], axis: tuple[int, ...]) -> Series:
    parts = {part: points[identifier] for part, identifier in want.ids.items()}
    spread: tuple[float | None, ...] = ()
    if want.query.spread:
        spread = tuple(log_spread(parts["p50"].get(t), parts["p90"].get(t)) for t in axis)
    return Series(
        metric=want.query.metric,
        arm=want.arm,
        instance=want.instance,
        times=axis,
        values=tuple(parts["value"].get(time) for time in axis),
        samples=tuple(parts["samples"].get(time) for time in axis),
        spread=spread,
    )
