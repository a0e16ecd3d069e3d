"""The instances that are read from CloudWatch: running ones, or those of a past window."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from canary.environment import CloudWatchSource, parse_environment
from canary.model import Arm, Release
from canary.sources.base import Query
from canary.sources.cloudwatch import CloudWatch
from tests.unit.canary.test_environment import GOOD
from tests.unit.canary.test_sources_cloudwatch import VALUES, Metrics, source


class Compute:
    """EC2 with three instances in two pages."""

    def __init__(self) -> None:
        self.filters: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> Compute:
        assert name == "describe_instances"
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        self.filters = call["Filters"]
        for names in (["local-app-blue-10", "local-app-blue-2"], ["local-app-blue-1"]):
            instances = [
                {"InstanceId": f"i-{name[15:]}", "Tags": [{"Key": "Name", "Value": name}]}
                for name in names
            ]
            yield {"Reservations": [{"Instances": instances}]}


def test_instances_come_in_the_order_of_the_proxys_servers() -> None:
    compute = Compute()
    assert source(Metrics(VALUES), compute).instances("blue") == ("i-1", "i-2", "i-10")
    wanted = {item["Name"]: item["Values"] for item in compute.filters}
    assert wanted["tag:colour"] == ["blue"]
    assert wanted["tag:role"] == ["app"]
    assert wanted["tag:Environment"] == ["local"]
    assert wanted["instance-state-name"] == ["pending", "running"]


def test_instances_that_are_not_in_ec2_are_named_in_the_policy() -> None:
    """EC2 is not called: ``object()`` would fail."""
    wanted = copy.deepcopy(GOOD)
    wanted["source"]["instances"] = {"blue": ["web-2", "web-1"], "green": ["web-3", "web-4"]}
    environment = parse_environment(wanted)
    assert isinstance(environment.source, CloudWatchSource)
    metrics = Metrics(VALUES)
    found = CloudWatch(environment.source, environment, 5, metrics=metrics, compute=object())
    assert found.instances("blue") == ("web-2", "web-1")
    arms = {Arm.CANDIDATE: Release("v2", "", "green", found.instances("green"))}
    series = found.read([Query("errors", "errors", "Sum", "requests")], arms, 100, 105)
    assert [one.instance for one in series] == ["web-3", "web-4"]
    (query, *_) = metrics.calls[0]["MetricDataQueries"]
    dimensions = query["MetricStat"]["Metric"]["Dimensions"]
    assert {"Name": "Instance", "Value": "web-3"} in dimensions
    assert "The policy names the instances" in found.found_by("blue")


class Listing(Metrics):
    """Lists the metrics of instances, some of which no longer exist."""

    def __init__(self, published: dict[str, str], values: dict[str, float]) -> None:
        super().__init__(values)
        self.published = published

    def get_paginator(self, _operation: str) -> Listing:
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(call)
        fixed = [one for one in call["Dimensions"] if "Value" in one]
        for instance, name in self.published.items():
            dimensions = [*fixed, {"Name": "Instance", "Value": instance}]
            yield {"Metrics": [{"MetricName": name, "Dimensions": dimensions}]}


def test_the_instances_of_a_window_include_those_that_have_ended_since() -> None:
    """i-2 was terminated after the window, i-9 before it: CloudWatch lists both for two weeks."""
    metrics = Listing(
        {"i-1": "latency", "i-2": "latency", "i-9": "gone"},
        {"latency SampleCount": 7.0, "gone SampleCount": 7.0},
    )
    metrics.skip = ("gone SampleCount",)
    found = source(metrics, Running(["i-1"])).instances("green", (100, 110))
    assert found == ("i-1", "i-2")
    assert {"Name": "Colour", "Value": "green"} in metrics.calls[0]["Dimensions"]
    assert source(metrics, Running(["i-1"])).instances("green") == ("i-1",), "only those of now"


class Running:
    """Lists running instances."""

    def __init__(self, instances: list[str]) -> None:
        self.instances = instances

    def get_paginator(self, _operation: str) -> Running:
        return self

    def paginate(self, **_call: Any) -> list[dict[str, Any]]:
        return [{"Reservations": [{"Instances": [{"InstanceId": i} for i in self.instances]}]}]


def test_it_names_every_metric_that_a_colour_published() -> None:
    listing = Listing({"i-1": "latency", "i-2": "errors", "i-3": "latency"}, VALUES)
    assert source(listing, Compute()).names("blue") == ("errors", "latency")
    asked = {one["Name"]: one.get("Value") for one in listing.calls[0]["Dimensions"]}
    assert asked["Colour"] == "blue"
