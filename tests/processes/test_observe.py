"""Dashboards and alarms that the playbook creates from the metric catalogue."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.metrics.batch import Datum, Served, Usage, environment_data, instance_data, service_data
from app.metrics.slots import Histogram, Reading
from canary.environment import Dashboard, parse_environment
from canary.state.base import Row
from canary.state.board import CloudWatchBoard, weights
from tests.support.ansible_runs import Ansible
from tests.support.cloudwatch_client import client, running

pytestmark = [pytest.mark.timeout(600)]

OBSERVE = "playbooks/observe.yml"
ANSWERED = {
    ("/cart", "POST", 200): 40,
    ("/cart", "POST", 503): 2,
    ("/cart/checkout", "POST", 200): 9,
}
URLS = [{"name": "shop", "url": "http://192.0.2.1/status"}]
MADE = {"cart.canary.dashboards : Create dashboards", "cart.canary.alarms : Create alarms"}
PERIODS = 6
SLOWER = {"fast": 60, "slow": 300}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("cloudwatch") / "state") as found:
        yield found


@pytest.fixture(scope="module")
def ansible(address: str, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    variables = {"aws_endpoint": address, "environment_reachable": True, "probe_urls": URLS}
    return Ansible(tmp_path_factory.mktemp("run"), variables=variables)


def bodies(address: str) -> dict[str, Any]:
    cloudwatch = client(address)
    names = [each["DashboardName"] for each in cloudwatch.list_dashboards()["DashboardEntries"]]
    return {
        name: json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
        for name in names
    }


def alarms(address: str) -> dict[str, Any]:
    """Return the parameters of each alarm by name, without its state."""
    return {
        alarm["AlarmName"]: {key: value for key, value in alarm.items() if "State" not in key}
        for alarm in client(address).describe_alarms()["MetricAlarms"]
    }


def publish_as_the_shop_does(address: str) -> None:
    """Publish half a minute of metrics of two colours and a prober."""
    reading = Reading()
    for key, count in ANSWERED.items():
        reading.series[key] = Histogram()
        reading.series[key].buckets[150] = count
    now = int(time.time()) // 5 * 5
    for start in range(now - 5 * PERIODS, now, 5):
        for colour, instance in (("blue", "i-1"), ("green", "i-2")):
            where = {"Environment": "local", "Colour": colour, "Instance": instance}
            put(address, instance_data(Served(reading), 0, Usage(12.0, 90.0), start, where))
            put(address, service_data(Served(reading), start, "local"))
        put(address, environment_data(7, 3500_00, start, {"Environment": "local"}))
        moment = datetime.fromtimestamp(start, UTC)
        put(address, weights("traffic_weight", "local", {"blue": 0.8, "green": 0.2}, moment))
        put(address, [probed("availability", "None", 1.0, start)])
        put(address, [probed("probe_latency", "Seconds", 0.02, start)])


def put(address: str, data: list[Datum]) -> None:
    client(address).put_metric_data(Namespace="Shop", MetricData=data)


def probed(name: str, unit: str, value: float, start: int) -> Datum:
    return {
        "MetricName": name,
        "Unit": unit,
        "Value": value,
        "Timestamp": datetime.fromtimestamp(start, UTC),
        "Dimensions": [{"Name": "Environment", "Value": "local"}, {"Name": "Url", "Value": "shop"}],
        "StorageResolution": 1,
    }


def drawn(address: str, properties: dict[str, Any]) -> list[Any]:
    """Return the values of each line of a widget, as the console queries them."""
    queries: list[dict[str, Any]] = []
    for number, line in enumerate(properties["metrics"]):
        *where, shown = line
        if "expression" in shown:
            query = {"Id": shown["id"], "Expression": shown["expression"]}
            query |= {"Period": properties["period"], "ReturnData": shown.get("visible", True)}
        else:
            namespace, name, *pairs = where
            named = zip(pairs[::2], pairs[1::2], strict=True)
            metric = {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in named],
            }
            stat = {"Metric": metric, "Period": properties["period"], "Stat": properties["stat"]}
            query = {"Id": f"m{number}", "MetricStat": stat}
        queries.append(query)
    now = datetime.now(UTC)
    answer = client(address).get_metric_data(
        MetricDataQueries=queries,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
    )
    return [each["Values"] for each in answer["MetricDataResults"]]


def test_a_plan_shows_dashboards_and_alarms_and_makes_none(ansible: Ansible, address: str) -> None:
    plan = ansible.play(OBSERVE, "--check", "--diff")
    assert not plan.failed, plan.output
    assert set(plan.changed) >= MADE
    assert bodies(address) == {}
    assert alarms(address) == {}


def test_the_first_run_makes_them_and_the_second_changes_nothing(
    ansible: Ansible, address: str
) -> None:
    first = ansible.play(OBSERVE)
    assert not first.failed, first.output
    assert set(bodies(address)) == {
        f"shop-local-{n}" for n in ("shop", "release", "website", "hosts")
    }
    assert {"shop-local-ManyCarts", "shop-local-Unavailable-shop"} <= set(alarms(address))
    topic = "arn:aws:sns:eu-central-1:123456789012:shop-local-events"
    for alarm in alarms(address).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
    again = ansible.play(OBSERVE)
    assert not again.failed, again.output
    assert again.changed == ()


def test_every_line_of_every_widget_has_values_under_load(address: str) -> None:
    publish_as_the_shop_does(address)
    for name, body in bodies(address).items():
        for widget in body["widgets"]:
            lines = drawn(address, widget["properties"])
            title = widget["properties"]["title"]
            assert lines, f"{name}: {title} has no line"
            assert all(lines), f"{name}: {title} has an empty line"


def test_the_error_rate_that_an_alarm_sees_is_the_share_that_failed(address: str) -> None:
    body = bodies(address)["shop-local-website"]
    widget = next(w for w in body["widgets"] if "failed" in w["properties"]["title"])
    [values] = drawn(address, widget["properties"])
    share = ANSWERED["/cart", "POST", 503] / sum(ANSWERED.values())
    assert values[0] == pytest.approx(share)


def test_a_planned_change_is_shown_and_not_made(ansible: Ansible, address: str) -> None:
    before = bodies(address), alarms(address)
    plan = ansible.play(OBSERVE, "--check", "--diff", dashboards_period=30, alarms_paces=SLOWER)
    assert not plan.failed, plan.output
    assert set(plan.changed) >= MADE
    assert (bodies(address), alarms(address)) == before


def marks(address: str, dashboard: str) -> list[list[Any]]:
    """Return the annotations of each widget."""
    widgets = bodies(address)[f"shop-local-{dashboard}"]["widgets"]
    return [each["properties"].get("annotations", {}).get("vertical", []) for each in widgets]


def test_the_playbook_keeps_the_verdicts_that_the_command_drew(
    ansible: Ansible, address: str
) -> None:
    settings = Dashboard(name="shop-local-release", namespace="Shop", metric="traffic_weight")
    where = {"name": "local", "region": "eu-central-1", "endpoint_url": address}
    environment = parse_environment({**where, "source": {"kind": "cloudwatch", "namespace": "S"}})
    board = CloudWatchBoard(settings, environment)
    told = ("v1 aaa", "v2 bbb", "green", "me", "no harm")
    board.mark([Row("c1", 1_800_000_000, 1_800_000_090, "PASS", 0, *told)])
    drawn_marks = marks(address, "release")
    assert all([mark["label"] for mark in each] == ["PASS v2"] for each in drawn_marks)
    assert not any(marks(address, "shop"))
    for options in ((), ("--check",)):
        same = ansible.play(OBSERVE, "--tags", "dashboards", *options)
        assert not same.failed, same.output
        assert same.changed == ()
    other = ansible.play(OBSERVE, "--tags", "dashboards", dashboards_period=20)
    assert "cart.canary.dashboards : Create dashboards" in other.changed
    assert marks(address, "release") == drawn_marks


def test_an_alarm_that_nobody_wants_any_more_is_deleted(ansible: Ansible, address: str) -> None:
    client(address).put_metric_alarm(
        AlarmName="somebody-elses",
        MetricName="x",
        Namespace="Other",
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        Period=60,
        EvaluationPeriods=1,
    )
    changed = ansible.play(OBSERVE, "--tags", "alarms", probe_urls=[])
    assert not changed.failed, changed.output
    assert not any(name.endswith("-shop") for name in alarms(address))
    assert "shop-local-ErrorRate" in alarms(address)
    assert "somebody-elses" in alarms(address)
