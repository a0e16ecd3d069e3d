"""The marks and weights of a release on its dashboard, and failures to publish them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from canary.environment import Dashboard, parse_environment
from canary.errors import StateError
from canary.state.base import Row
from canary.state.board import CloudWatchBoard, marked, marks
from canary.traffic.observed import ObservedTraffic
from tests.unit.canary.rollout_world import World
from tests.unit.canary.test_environment import GOOD

pytestmark = pytest.mark.usefixtures("aws")
ROW = Row("c1", 1_800_000_000, 1_800_000_090, "PASS", 0, "v1 aaa", "v2 bbb", "green", "me", "fine")
GRAPH = {"type": "metric", "properties": {"title": "Errors", "metrics": [["Shop", "errors"]]}}
SETTINGS = Dashboard(name="shop-local-release", namespace="Shop", metric="traffic_weight")


def board() -> CloudWatchBoard:
    return CloudWatchBoard(SETTINGS, parse_environment({**GOOD, "endpoint_url": None}))


def cloudwatch() -> Any:
    return boto3.client("cloudwatch", region_name="eu-central-1")


class Slow:
    """CloudWatch that answers when a test allows it, and refuses the calls that a test names."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()
        self.taken: list[float] = []
        self.error: Exception | None = None

    def put_metric_data(self, *, Namespace: str, MetricData: list[Any]) -> None:  # noqa: N803
        assert Namespace == "Shop"
        self.asked.set()
        self.go.wait(30)
        if self.error:
            raise self.error
        self.taken += [each["Value"] for each in MetricData if "green" in str(each)]


def finish() -> None:
    for thread in threading.enumerate():
        if thread.name == "canary-board":
            thread.join(30)


def test_each_verdict_is_a_mark_and_nothing_else_is() -> None:
    rows = [
        replace(ROW, verdict="FAIL", candidate="bad ccc", ended=1_800_000_300.0),
        replace(ROW, verdict="DEPLOYED"),
        replace(ROW, verdict="COULD NOT RUN"),
        ROW,
    ]
    assert [(mark["label"], mark["value"]) for mark in marks(rows)] == [
        ("PASS v2", "2027-01-15T08:01:30Z"),  # date -u -d @1800000090
        ("FAIL bad", "2027-01-15T08:05:00Z"),
    ]


def test_marks_leave_all_else_of_a_dashboard_as_it_is() -> None:
    lined = {"properties": {"annotations": {"horizontal": [{"value": 5}], "vertical": ["old"]}}}
    text = {"type": "text", "properties": {"markdown": "# Shop"}}
    number = {"type": "metric", "properties": {"view": "singleValue"}}
    body = {"start": "-PT3H", "widgets": [text, number, {**GRAPH, **lined}]}
    found = marked(body, [{"value": "now"}])
    assert found["start"] == "-PT3H"
    assert found["widgets"][:2] == [text, number]
    assert found["widgets"][2]["properties"]["annotations"] == {
        "horizontal": [{"value": 5}],
        "vertical": [{"value": "now"}],
    }
    assert marked(found, [{"value": "now"}]) == found


def test_verdicts_are_drawn_on_the_dashboard_that_is_there() -> None:
    board().mark([ROW])  # there is no dashboard, so there is nothing to do
    assert cloudwatch().list_dashboards()["DashboardEntries"] == []
    body = json.dumps({"widgets": [GRAPH]})
    cloudwatch().put_dashboard(DashboardName=SETTINGS.name, DashboardBody=body)
    board().mark([ROW])
    answer = cloudwatch().get_dashboard(DashboardName=SETTINGS.name)
    [widget] = json.loads(answer["DashboardBody"])["widgets"]
    assert widget["properties"]["annotations"]["vertical"] == marks([ROW])


def test_a_slow_cloudwatch_holds_nobody_up_and_gets_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, told = Slow(), board()
    monkeypatch.setattr(told, "_cloudwatch", slow)
    told.tell({"blue": 1.0, "green": 0.0})
    assert slow.asked.wait(30)
    for share in (0.05, 0.2, 0.5):
        told.tell({"blue": 1 - share, "green": share})
    assert slow.taken == []
    slow.go.set()
    finish()
    assert slow.taken == [0.0, 50.0]
    told.tell({"blue": 0.0, "green": 1.0})
    finish()
    assert slow.taken == [0.0, 50.0, 100.0]


def test_what_cloudwatch_refuses_is_said_once_traffic_is_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, told = Slow(), board()
    slow.error = RuntimeError("AccessDenied")
    slow.go.set()
    monkeypatch.setattr(slow, "get_dashboard", cloudwatch().get_dashboard, raising=False)
    monkeypatch.setattr(told, "_cloudwatch", slow)
    told.tell({"blue": 1.0, "green": 0.0})
    finish()
    with pytest.raises(StateError, match="could not be shown on shop-local-release: AccessDenied"):
        told.mark([ROW])


def test_weights_are_told_whenever_they_are_read_or_changed() -> None:
    world = World()
    told: list[Mapping[str, float]] = []
    shown = ObservedTraffic(world.proxy, ("blue", "green"), told.append)
    assert shown.set("green", 0.2, 60) == shown.status() == world.proxy.status()
    shown.release()
    shown.promote("green")
    on_candidate = {"blue": 0.8, "green": 0.2}
    assert told == [
        on_candidate,
        on_candidate,
        {"blue": 1.0, "green": 0.0},
        {"blue": 0.0, "green": 1.0},
    ]
    assert world.proxy.live == "green"


def test_what_is_told_is_the_metric_of_each_colour() -> None:
    told = board()
    told.tell({"blue": 0.8, "green": 0.2})
    finish()
    found = cloudwatch().list_metrics(Namespace="Shop", MetricName="traffic_weight")["Metrics"]
    dimensions = [{part["Name"]: part["Value"] for part in each["Dimensions"]} for each in found]
    assert {each["Colour"] for each in dimensions} == {"blue", "green"}
    assert {each["Environment"] for each in dimensions} == {"local"}


def test_a_canary_that_ended_is_counted_by_its_verdict() -> None:
    made = board()
    made.tell({"blue": 1.0, "green": 0.0})
    made.count("FAIL", 95.0, 12.5)
    made.count("COULD NOT RUN", 3.0, None)
    finish()
    where = [{"Name": "Environment", "Value": "local"}]
    metrics = cloudwatch().list_metrics(Namespace="Shop")["Metrics"]
    counted = {
        (one["MetricName"], tuple(d["Value"] for d in one["Dimensions"]))
        for one in metrics
        if one["MetricName"].startswith("canary_")
    }
    assert counted == {
        ("canary_finished", ("local",)),
        ("canary_finished", ("local", "FAIL")),
        ("canary_finished", ("local", "COULD NOT RUN")),
        ("canary_duration", ("local",)),
        ("canary_score", ("local",)),
    }
    now = datetime.now(UTC)
    answer = cloudwatch().get_metric_statistics(
        Namespace="Shop",
        MetricName="canary_finished",
        Dimensions=[*where, {"Name": "Verdict", "Value": "FAIL"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in answer["Datapoints"]) == 1
