"""The metric catalogue lists all published metrics, and nothing uses others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prober.probe import Result
from prober.publish import data_of, datum_of_backup

from app.metrics.batch import Served, Usage, environment_data, instance_data, service_data
from app.metrics.slots import Histogram, Reading
from canary.state.board import weights
from tests.support.paths import ROOT
from tests.support.plugin_filters import filter_of

CHECKOUT = ("/cart/checkout", "POST", 200)
FAILED = ("/cart", "POST", 503)
WHERE = {"Environment": "local", "Colour": "blue", "Instance": "i-1"}
AMBIGUOUS = {"alarms", "carts", "requests", "errors", "failed", "latency", "memory", "cpu"}  # words
FROM_ELSEWHERE = ("proxy",)  # scope of what HAProxy counts
PROBED = Result("shop", 1.0, available=True, reason="", latency=0.1, certificate_days=9.0)
RUNBOOKS = ROOT / "docs/runbooks"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]

SHARED = yaml.safe_load((ROOT / "inventory/shared/metrics.yml").read_text(encoding="utf-8"))
CATALOGUE: list[dict[str, Any]] = SHARED["metric_catalogue"]
DIMENSIONS: dict[str, list[str]] = SHARED["metric_dimensions"]


def published() -> set[tuple[str, str, tuple[str, ...]]]:
    """Return name, unit and dimensions of all metrics of shop, prober and ``canary run``."""
    reading = Reading()
    for key in (CHECKOUT, FAILED):
        reading.series[key] = Histogram()
        reading.series[key].buckets[0] = 1
    data = instance_data(Served(reading), 0, Usage(1.0, 1.0), 0, WHERE)
    data += service_data(Served(reading), 0, "local") + environment_data(
        1, 100, 0, {"Environment": "local"}
    )
    data += data_of(PROBED, "local", 60)
    data += [datum_of_backup(1.0, "local")]
    data += weights("traffic_weight", "local", {"blue": 1.0, "green": 0.0}, datetime.now(UTC))
    return {
        (each["MetricName"], each["Unit"], tuple(part["Name"] for part in each["Dimensions"]))
        for each in data
    }


def test_the_catalogue_is_what_is_published() -> None:
    listed = {
        (metric["name"], metric["unit"], tuple(DIMENSIONS[scope]))
        for metric in CATALOGUE
        for scope in metric["scopes"]
        if scope not in FROM_ELSEWHERE
    }
    assert listed == published()


def alarms(urls: list[str], certificates: Sequence[str] = ()) -> list[dict[str, Any]]:
    expanded: list[dict[str, Any]] = filter_of("alarms", "alarms_expand")(
        CATALOGUE,
        prefix="shop-local",
        environment="local",
        urls=urls,
        certificates=certificates,
        paces={"fast": 10, "slow": 20},
    )
    return expanded


def dashboards() -> dict[str, Any]:
    bodies: dict[str, Any] = filter_of("dashboards", "dashboards_bodies")(
        CATALOGUE,
        namespace="Shop",
        environment="local",
        region="eu-central-1",
        period=60,
        dimensions=DIMENSIONS,
    )
    return bodies


def titles(dashboard: str) -> list[str]:
    return [widget["properties"]["title"] for widget in dashboards()[dashboard]["widgets"]]


def test_each_metric_and_each_comparison_has_its_own_name() -> None:
    for names in (
        [metric["name"] for metric in CATALOGUE],
        [comparison["name"] for metric in CATALOGUE for comparison in metric["judge"]],
        [alarm["name"] for metric in CATALOGUE for alarm in metric["alarms"]],
    ):
        assert len(names) == len(set(names))


def test_a_comparison_is_made_of_the_metric_it_stands_under() -> None:
    for metric in CATALOGUE:
        for comparison in metric["judge"]:
            assert comparison.get("source", comparison["name"]) == metric["name"]


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    names = {alarm["name"] for metric in CATALOGUE for alarm in metric["alarms"]}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == names


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_is_whole(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert "TODO" not in text
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for heading in ("Diagnosis", "Mitigation"):
        assert "\n    " in sections[heading], f"{heading} has no command"


def test_there_is_an_alarm_for_a_service_and_for_each_url() -> None:
    names = {alarm["name"] for alarm in alarms(["shop", "carts"])}
    assert {"shop-local-ErrorRate", "shop-local-ManyCarts"} <= names
    assert {"shop-local-Unavailable-shop", "shop-local-Unavailable-carts"} <= names
    assert not any("Unavailable" in alarm["name"] for alarm in alarms([]))


def test_an_alarm_has_its_documented_threshold() -> None:
    """The thresholds, as documented in the runbooks."""
    known = {alarm["name"].removeprefix("shop-local-"): alarm for alarm in alarms(["shop"])}
    carts = known["ManyCarts"]
    assert (carts["threshold"], carts["evaluation_periods"], carts["period"]) == (5, 3, 20)
    assert (known["Unavailable-shop"]["comparison"], known["Unavailable-shop"]["threshold"]) == (
        "LessThanThreshold",
        1,
    )
    assert known["SlowResponses-shop"]["threshold"] == 0.2
    assert known["ProberSilent"]["treat_missing_data"] == "breaching"
    assert known["ProberSilent"]["dimensions"] == {"Environment": "local"}
    assert known["Unavailable-shop"]["dimensions"] == {"Environment": "local", "Url": "shop"}
    assert known["CheckoutLatency"]["extended_statistic"] == "p50"
    assert all("Runbook: docs/runbooks/" in alarm["description"] for alarm in known.values())


def test_only_a_url_that_is_asked_over_tls_has_a_certificate_to_watch() -> None:
    names = {alarm["name"] for alarm in alarms(["shop", "secure"], ["secure"])}
    assert [name for name in names if "Certificate" in name] == [
        "shop-local-CertificateExpires-secure"
    ]


def test_an_alarm_on_one_instance_is_refused() -> None:
    """Instances are replaced; an alarm on one would soon have no data."""
    metric = {"name": "cpu", "unit": "Percent", "alarms": [{"name": "Hot", "scope": "instance"}]}
    with pytest.raises(ValueError, match="scope is 'instance'; an alarm watches"):
        filter_of("alarms", "alarms_expand")(
            [metric], prefix="shop", environment="local", urls=[], paces={}
        )


def test_the_shops_dashboard_has_the_four_widgets_of_issue_4() -> None:
    assert sorted(titles("shop")) == [
        "Carts over time",
        "Checkouts per hour",
        "Mean checkout latency",
        "Total value in carts",
    ]


def test_the_release_dashboard_shows_both_colours_of_all_that_is_judged() -> None:
    body = dashboards()["release"]
    text = str(body)
    for metric in CATALOGUE:
        if metric["judge"] and "instance" in metric["scopes"]:
            assert f'MetricName="{metric["name"]}"' in text
    for widget in body["widgets"]:
        lines = [line[-1]["label"] for line in widget["properties"]["metrics"]]
        assert set(lines) == {"blue", "green"}


def test_widgets_stand_beside_one_another() -> None:
    for body in dashboards().values():
        places = [(widget["x"], widget["y"]) for widget in body["widgets"]]
        assert len(places) == len(set(places))
        assert all(widget["x"] + widget["width"] <= 24 for widget in body["widgets"])


def test_nothing_names_a_metric_but_the_catalogue_and_who_publishes_it() -> None:
    """Roles, playbooks and inventories get metrics from the catalogue."""
    names = {metric["name"] for metric in CATALOGUE} - AMBIGUOUS
    pattern = re.compile(rf"[\"'\s](?:{'|'.join(map(re.escape, names))})[\"'\s]")
    folders = ("dashboards", "alarms", "analyzer", "prometheus", "grafana", "alarm_recorder")
    for path in (file for role in folders for file in (ROOT / "roles" / role).rglob("*.*")):
        if "molecule" in path.parts:
            continue
        if path.suffix in (".yml", ".j2", ".py"):
            assert pattern.findall(path.read_text(encoding="utf-8")) == [], path


def test_only_alarms_that_differ_are_set() -> None:
    """Every difference to amazon.aws.cloudwatch_metric_alarm_info is detected."""
    differing = filter_of("alarms", "alarms_differing")
    wanted = alarms(["shop"])
    there = [as_told(alarm) for alarm in wanted]
    keys = {"namespace": "Shop", "topic": "arn:topic"}
    assert differing(wanted, there, **keys) == []
    assert differing(wanted, there[1:], **keys) == wanted[:1]
    assert differing(wanted, there, **keys | {"topic": "arn:other"}) == wanted
    for field in there[0]:
        changed = [{**there[0], field: "another"} if field != "dimensions" else there[1]]
        assert differing(wanted[:1], changed, **keys) == wanted[:1], field


def as_told(alarm: dict[str, Any]) -> dict[str, Any]:
    words = {"name": "alarm_name", "description": "alarm_description", "metric": "metric_name"}
    words |= {"comparison": "comparison_operator"}
    told = {words.get(key, key): value for key, value in alarm.items()}
    pairs = reversed(alarm["dimensions"].items())
    told["dimensions"] = [{"name": name, "value": value} for name, value in pairs]
    return told | {"namespace": "Shop", "alarm_actions": ["arn:topic"], "ok_actions": ["arn:topic"]}
