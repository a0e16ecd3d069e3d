"""Dashboards are stored unchanged, and invalid ones are rejected.

Rules are from the API's "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_cloud.cloudwatch.errors import (
    DashboardInvalidInputError,
    InvalidParameterValueError,
    ResourceNotFoundError,
)
from tests.unit.local_cloud.cloudwatch_world import NOON, World

METRIC = {"metrics": [["Shop", "carts"]], "region": "eu-central-1"}


def widget(kind: str = "metric", **changes: Any) -> dict[str, Any]:
    return {"type": kind, "x": 0, "y": 0, "width": 12, "height": 6, "properties": METRIC, **changes}


def noted(vertical: Any) -> dict[str, Any]:
    return {**METRIC, "annotations": {"vertical": vertical}}


def body(*widgets: Any) -> str:
    return json.dumps({"widgets": list(widgets)})


def put(world: World, text: str, name: str = "shop") -> list[dict[str, str]]:
    answer = world.call("PutDashboard", DashboardName=name, DashboardBody=text)
    messages: list[dict[str, str]] = answer["DashboardValidationMessages"]
    return messages


def test_a_dashboard_is_kept_as_it_was_given() -> None:
    world = World()
    text = body(widget(), widget("text", properties={"markdown": "# Shop"}))
    assert put(world, text) == []
    found = world.call("GetDashboard", DashboardName="shop")
    assert found == {
        "DashboardArn": "arn:aws:cloudwatch::123456789012:dashboard/shop",
        "DashboardBody": text,
        "DashboardName": "shop",
    }
    (entry,) = world.call("ListDashboards", DashboardNamePrefix="sh")["DashboardEntries"]
    assert (entry["LastModified"].timestamp(), entry["Size"]) == (NOON, len(text))
    assert world.call("ListDashboards", DashboardNamePrefix="x")["DashboardEntries"] == []
    world.call("DeleteDashboards", DashboardNames=["shop"])
    with pytest.raises(ResourceNotFoundError, match="Dashboard shop does not exist"):
        world.call("GetDashboard", DashboardName="shop")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "/"),
        ("{", "/"),
        ("[]", "/"),
        ("{}", "/widgets"),
        ('{"widgets": {}}', "/widgets"),
        (body(*[widget()] * 501), "/widgets"),
        (body(5), "/widgets/0"),
        (body(widget("graph")), "/widgets/0/type"),
        (body(widget(width=25)), "/widgets/0/width"),
        (body(widget(width=0)), "/widgets/0/width"),
        (body(widget(width="12")), "/widgets/0/width"),
        (body(widget(x=24)), "/widgets/0/x"),
        (body(widget(y=-1)), "/widgets/0/y"),
        (body(widget(height=1001)), "/widgets/0/height"),
        (body(widget(properties=None)), "/widgets/0/properties"),
        (body(widget(), widget(properties={})), "/widgets/1/properties"),
        (body(widget(properties={**METRIC, "metrics": {"a": 1}})), "/widgets/0/properties/metrics"),
        (body(widget(properties={**METRIC, "metrics": [[]]})), "/widgets/0/properties/metrics/0"),
        (body(widget(properties={**METRIC, "view": "cake"})), "/widgets/0/properties/view"),
        (body(widget(properties=noted(5))), "/widgets/0/properties/annotations/vertical"),
        (
            body(widget(properties=noted([{"label": "x"}]))),
            "/widgets/0/properties/annotations/vertical/0/value",
        ),
        (
            body(widget(properties=noted([[{"value": "2026-11-26T11:00Z"}, {"value": "noon"}]]))),
            "/widgets/0/properties/annotations/vertical/0/value",
        ),
        (body(widget("text", properties={})), "/widgets/0/properties/markdown"),
        (body(widget("log", properties={})), "/widgets/0/properties/query"),
        (body(widget("alarm", properties={})), "/widgets/0/properties/alarms"),
    ],
)
def test_what_is_no_dashboard_is_refused(text: str, path: str) -> None:
    world = World()
    with pytest.raises(DashboardInvalidInputError) as refused:
        put(world, text)
    assert [fault[0] for fault in refused.value.faults] == [path]
    assert path in refused.value.message
    assert world.cloud.dashboards.all() == []


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"metrics": [["Shop", "carts"]]}, "/widgets/0/properties/region"),
        ({**METRIC, "colour": "blue"}, "/widgets/0/properties/colour"),
    ],
)
def test_what_may_not_be_drawn_is_a_warning(properties: dict[str, Any], path: str) -> None:
    """API PutDashboard: "only warning messages [...] the input was valid enough"."""
    world = World()
    assert [each["DataPath"] for each in put(world, body(widget(properties=properties)))] == [path]
    assert [each.name for each in world.cloud.dashboards.all()] == ["shop"]


def test_alarm_annotations_do_for_metrics() -> None:
    shown = {"annotations": {"alarms": ["arn"]}, "region": "eu-central-1"}
    assert put(World(), body(widget(properties=shown))) == []


@pytest.mark.parametrize("name", ["", "a b", "a.b", "n" * 256])
def test_names(name: str) -> None:
    """PutDashboard: "valid characters are A-Z, a-z, 0-9, "-", and "_"", at most 255."""
    with pytest.raises(InvalidParameterValueError, match="DashboardName"):
        put(World(), body(), name)


def test_delete_takes_what_there_is() -> None:
    """DeleteDashboards: "attempts to delete as many dashboards as possible"."""
    world = World()
    put(world, body())
    with pytest.raises(ResourceNotFoundError, match="nobody"):
        world.call("DeleteDashboards", DashboardNames=["nobody", "shop"])
    assert world.cloud.dashboards.all() == []
    with pytest.raises(InvalidParameterValueError, match="1 to 100 names, not 0"):
        world.call("DeleteDashboards", DashboardNames=[])
