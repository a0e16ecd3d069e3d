"""The CloudWatch source with responses like CloudWatch's: paged, partial, throttled."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from canary.cli.first_policy import Answers, first_policy
from canary.environment import CloudWatchSource, parse_environment
from canary.errors import SourceError
from canary.model import Arm, Release
from canary.policy import parse_policy
from canary.sources.base import Query
from canary.sources.cloudwatch import QUERIES_PER_CALL, CloudWatch
from canary.sources.queries import source_queries
from tests.support.paths import ROOT
from tests.unit.canary.test_environment import GOOD

ARMS = {
    Arm.BASELINE: Release("v1", "a", "blue", ("i-1",)),
    Arm.CANDIDATE: Release("v2", "b", "green", ("i-2",)),
}
LATENCY = Query("latency", "latency", "Average", spread=True)
TAIL = Query("tail", "latency", "p99", spread=True)
ERRORS = Query("errors", "errors", "Sum", samples="requests")


class Metrics:
    """Answers each query with its statistic's value; pages hold ``size`` results each."""

    def __init__(self, values: dict[str, float], size: int = 1000) -> None:
        self.values = values
        self.size = size
        self.calls: list[dict[str, Any]] = []
        self.status = "Complete"
        self.error: ClientError | None = None
        self.skip: tuple[str, ...] = ()
        self.endless = False

    def get_metric_data(self, **call: Any) -> dict[str, Any]:
        if self.error:
            raise self.error
        self.calls.append(call)
        first = int(call.get("NextToken", "0"))
        queries = call["MetricDataQueries"][first : first + self.size]
        more = first + self.size < len(call["MetricDataQueries"])
        answer: dict[str, Any] = {"MetricDataResults": [self.result(q, call) for q in queries]}
        if self.endless or more:
            answer["NextToken"] = "0" if self.endless else str(first + self.size)
        return answer

    def result(self, query: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
        stat = query["MetricStat"]
        name = f"{stat['Metric']['MetricName']} {stat['Stat']}"
        times = [] if name in self.skip else [call["StartTime"]]
        values = [self.values[name]] * len(times)
        return {
            "Id": query["Id"],
            "Label": name,
            "Timestamps": times,
            "Values": values,
            "StatusCode": self.status,
        }


VALUES = {
    "latency Average": 21.0,
    "latency SampleCount": 300.0,
    "latency p50": 100.0,
    "latency p90": 189.79,
    "latency p99": 60.0,
    "errors Sum": 2.0,
    "requests Sum": 310.0,
}


def source(metrics: Metrics, compute: Any = None) -> CloudWatch:
    environment = parse_environment(GOOD)
    assert isinstance(environment.source, CloudWatchSource)
    return CloudWatch(
        environment.source, environment, 5, metrics=metrics, compute=compute or object()
    )


def test_who_has_no_instance_is_told_how_instances_are_found() -> None:
    said = source(Metrics(VALUES)).found_by("green")
    for word in ("colour=green", "Environment=", "dimensions Environment, Colour, Instance"):
        assert word in said


def test_a_missing_region_is_told_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    environment = parse_environment({**GOOD, "region": None})
    assert isinstance(environment.source, CloudWatchSource)
    with pytest.raises(SourceError, match="environment: region of the policy, or the variable"):
        CloudWatch(environment.source, environment, 5)


@mock_aws
def test_what_the_documentation_publishes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    page = (ROOT / "docs/own-app.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    known: dict[str, Any] = {}
    exec(code, known)  # noqa: S102 - our own documentation
    known["publish"]("blue", "i-1", 400, 1, [0.02] * 400, time.time() // 60 * 60)
    policy = parse_policy(first_policy(Answers("prod", "cloudwatch"), "canary.yml"), "canary.yml")
    environment = parse_environment(policy.environment)
    assert isinstance(environment.source, CloudWatchSource)
    found = CloudWatch(environment.source, environment, 60)
    assert found.names("blue") == ("errors", "latency", "requests")
    now = int(time.time())
    assert found.instances("blue", (now - 600, now + 600)) == ("i-1",)
    (series,) = found.read(
        source_queries([metric for metric in policy.metrics if metric.name == "errors"]),
        {Arm.BASELINE: Release("v1", "a", "blue", ("i-1",))},
        now - 600,
        now + 120,
    )
    assert [value for value in series.values if value] == [1.0]
    assert [samples for samples in series.samples if samples] == [400.0]


def test_each_metric_brings_values_samples_and_spread() -> None:
    metrics = Metrics(VALUES)
    found = source(metrics).read([LATENCY, ERRORS], ARMS, 100, 110)
    assert [(series.metric, series.arm, series.instance) for series in found] == [
        ("latency", "baseline", "i-1"),
        ("errors", "baseline", "i-1"),
        ("latency", "candidate", "i-2"),
        ("errors", "candidate", "i-2"),
    ]
    latency, errors = found[:2]
    assert latency.times == (100, 105)
    assert latency.values == (21.0, None), "what CloudWatch leaves out stays missing"
    assert latency.samples == (300.0, None)
    assert latency.spread[0] == pytest.approx(0.5, abs=1e-4)
    assert latency.spread[1] is None
    assert errors.values == (2.0, None)
    assert errors.samples == (310.0, None)
    assert errors.spread == ()


def test_the_call_names_namespace_dimensions_period_and_window() -> None:
    metrics = Metrics(VALUES)
    source(metrics).read([ERRORS], ARMS, 100, 110)
    call = metrics.calls[0]
    assert call["StartTime"] == datetime.fromtimestamp(100, UTC)
    assert call["EndTime"] == datetime.fromtimestamp(110, UTC)
    stat = call["MetricDataQueries"][0]["MetricStat"]
    assert stat["Period"] == 5
    assert stat["Metric"] == {
        "Namespace": "Shop",
        "MetricName": "errors",
        "Dimensions": [
            {"Name": "Environment", "Value": "local"},
            {"Name": "Colour", "Value": "blue"},
            {"Name": "Instance", "Value": "i-1"},
        ],
    }


def test_statistics_that_two_metrics_need_are_paid_for_once() -> None:
    metrics = Metrics(VALUES)
    source(metrics).read([LATENCY, TAIL], ARMS, 100, 105)
    # per arm: Average, p99, SampleCount, p50, p90
    assert len(metrics.calls[0]["MetricDataQueries"]) == 2 * 5


def test_pages_are_followed_to_the_last() -> None:
    metrics = Metrics(VALUES, size=3)
    found = source(metrics).read([LATENCY, ERRORS], ARMS, 100, 105)
    assert len(metrics.calls) == 4  # 2 arms x 6 statistics, 3 a page
    assert all(series.values == (VALUES_OF[series.metric],) for series in found)


VALUES_OF = {"latency": 21.0, "errors": 2.0}


def test_more_queries_than_a_call_may_hold_become_two_calls() -> None:
    metrics = Metrics(VALUES)
    many = tuple(f"i-{number}" for number in range(300))
    arms = {Arm.BASELINE: Release("v1", "a", "blue", many)}
    found = source(metrics).read([ERRORS], arms, 100, 105)
    assert [len(call["MetricDataQueries"]) for call in metrics.calls] == [QUERIES_PER_CALL, 100]
    assert len(found) == 300


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_an_incomplete_answer_is_refused(status: str) -> None:
    metrics = Metrics(VALUES)
    metrics.status = status
    with pytest.raises(SourceError, match=f"not complete \\({status}\\)"):
        source(metrics).read([ERRORS], ARMS, 100, 105)


@pytest.mark.parametrize(
    ("lost", "how"),
    [
        ("latency Average", "SampleCount without Average at"),
        ("latency SampleCount", "Average without SampleCount at"),
    ],
)
def test_a_datapoint_that_lacks_a_statistic_is_a_hole_in_the_answer(lost: str, how: str) -> None:
    """CloudWatch says Complete, but a datapoint always has all of its statistics."""
    metrics = Metrics(VALUES)
    metrics.skip = (lost,)
    with pytest.raises(SourceError, match=f"for latency is not complete \\({how}"):
        source(metrics).read([LATENCY, ERRORS], ARMS, 100, 105)


def test_an_answer_may_lack_percentiles_or_a_metric_without_events() -> None:
    """A publisher of sums has no percentiles. Without an error there is no datapoint of errors."""
    metrics = Metrics(VALUES)
    metrics.skip = ("latency p50", "latency p90", "errors Sum")
    latency, errors = source(metrics).read([LATENCY, ERRORS], ARMS, 100, 105)[:2]
    assert (latency.values, latency.spread) == ((21.0,), (None,))
    assert (errors.values, errors.samples) == ((None,), (310.0,))


def test_throttling_that_outlasts_the_retries_is_a_sentence() -> None:
    metrics = Metrics(VALUES)
    error = {"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}
    metrics.error = ClientError(error, "GetMetricData")
    with pytest.raises(SourceError, match=r"GetMetricData of CloudWatch failed.*Rate exceeded"):
        source(metrics).read([ERRORS], ARMS, 100, 105)


def test_a_token_that_repeats_is_not_followed_for_ever() -> None:
    metrics = Metrics(VALUES)
    metrics.endless = True
    with pytest.raises(SourceError, match="the same page"):
        source(metrics).read([ERRORS], ARMS, 100, 105)


def test_no_period_means_no_call() -> None:
    metrics = Metrics(VALUES)
    assert source(metrics).read([ERRORS], ARMS, 100, 104) == ()
    assert metrics.calls == []
