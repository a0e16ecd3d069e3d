"""Rules, targets and panels come from the catalogue and use existing series."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prober.page import SERIES

from app.metrics.batch import NOT_COUNTED
from app.metrics.exposition import Exposition
from app.metrics.slots import Slot
from app.settings import Settings
from tests.support.paths import ROOT
from tests.support.plugin_filters import filter_of

SHARED: dict[str, Any] = yaml.safe_load(
    (ROOT / "inventory/shared/metrics.yml").read_text(encoding="utf-8")
)
CATALOGUE: list[dict[str, Any]] = SHARED["metric_catalogue"]
PANELS: list[dict[str, Any]] = SHARED["metric_panels"]
SERVED: str = SHARED["metric_served"]
ALARMS = {alarm["name"]: alarm for metric in CATALOGUE for alarm in metric["alarms"]}


def rules(interval: int = 5) -> dict[str, dict[str, Any]]:
    made = filter_of("prometheus", "prometheus_rules")(
        CATALOGUE, served=SERVED, paces={"fast": 60, "slow": 300}, interval=interval
    )
    return {rule["alert"]: rule for rule in made["groups"][0]["rules"]}


def queries() -> list[str]:
    panels = filter_of("prometheus", "prometheus_panels")(PANELS, served=SERVED, interval=5)
    return [panel["query"] for panel in panels] + [rule["expr"] for rule in rules().values()]


@pytest.fixture
def exposed(tmp_path: Path) -> str:
    """The Prometheus metrics of the shop after one checkout."""
    Slot(tmp_path).record(("/cart/checkout", "POST", 200), 0.02)
    gauges = {"carts": 6.0, "cartsvalue": 10.0}
    return Exposition(tmp_path, lambda: 1, lambda: gauges).text().decode()


def test_there_is_a_rule_for_every_alarm_with_its_threshold() -> None:
    assert set(rules()) == set(ALARMS)
    for name, rule in rules().items():
        assert rule["expr"].endswith(f" {ALARMS[name]['threshold']}")
        assert rule["annotations"]["runbook"] == f"docs/runbooks/{name}.md"
        assert (ROOT / rule["annotations"]["runbook"]).is_file()
    assert rules()["ManyCarts"]["expr"] == "(max(shop_carts)) > 5"
    assert rules()["ManyCarts"]["for"] == "900s"
    assert rules()["Unavailable"]["expr"].endswith(" < 1")


def test_a_rate_sees_at_least_two_scrapes() -> None:
    assert "[60s]" in rules(interval=5)["ErrorRate"]["expr"]
    assert "[120s]" in rules(interval=30)["ErrorRate"]["expr"]


def test_nothing_is_left_to_be_filled_in() -> None:
    assert [query for query in queries() if "$" in query] == []


def test_every_series_that_is_asked_for_is_exposed(exposed: str) -> None:
    known = set(re.findall(r"^(\w+)[{ ]", exposed, re.MULTILINE)) | {name for name, _, _ in SERIES}
    asked = {name for query in queries() for name in re.findall(r"\b(?:shop|probe)_\w+", query)}
    assert asked - known == set()


def test_the_bucket_of_250_milliseconds_exists(exposed: str) -> None:
    ends = set(re.findall(r'le="([0-9.]+)"', exposed))
    asked = {end for query in queries() for end in re.findall(r'le="([0-9.]+)"', query)}
    assert len(asked) == 1
    assert asked <= ends


def test_a_request_is_what_the_shop_counts_as_one() -> None:
    [routes] = re.findall(r'route!~"(.*)"', SERVED)
    assert set(routes.split("|")) == NOT_COUNTED | set(Settings().unjudged_routes)


def test_the_nine_panels_of_the_original_dashboard_are_there() -> None:
    assert [panel["title"] for panel in PANELS] == [
        "Requests per second",
        "Mean response time",
        "Errors per second",
        "Requests per minute",
        "Response time, p50",
        "Response time, p90",
        "Requests served within 250 ms",
        "Memory of an instance",
        "CPU of an instance",
    ]
    assert all("by (colour" in panel["promql"] for panel in PANELS)


def test_grafana_draws_the_same_panels() -> None:
    board = filter_of("grafana", "grafana_dashboard")(PANELS, served=SERVED)
    assert json.loads(json.dumps(board)) == board
    assert [panel["title"] for panel in board["panels"]] == [panel["title"] for panel in PANELS]
    for panel in board["panels"]:
        [target] = panel["targets"]
        assert target["legendFormat"] == "{{colour}}"
        assert "$served" not in target["expr"]
        assert "$window" not in target["expr"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == 9
