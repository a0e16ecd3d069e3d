"""A metric crosses its threshold and returns: alarm states, e-mails and records follow."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from playwright.sync_api import expect, sync_playwright

from local_cloud.settings import Settings
from tests.e2e.demo import address, answer, other
from tests.e2e.prometheus_rules import HARM, situations
from tests.e2e.watched import (
    PATIENCE,
    alarm_states,
    changes,
    check_out,
    client,
    mails,
    on_host,
    open_carts,
    prometheus,
    put_cart,
)
from tests.processes.test_observe import drawn
from tests.support.paths import ROOT
from tests.support.plugin_filters import filter_of
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(2400), pytest.mark.usefixtures("story")]

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SHARED: dict[str, Any] = yaml.safe_load(
    (ROOT / "inventory/shared/metrics.yml").read_text(encoding="utf-8")
)
HOUR = 3600


@pytest.fixture(scope="module")
def stopped() -> str:
    """An instance of the idle colour whose shop is stopped."""
    live = answer("canary", "status", "--env", "local", "--json")["live"]
    return other(live) + "-2"


@pytest.fixture(scope="module")
def seen(stopped: str) -> dict[str, list[Any]]:
    """Cause two alarms with six carts and a stopped shop, then repair both.

    Return the records and e-mails since the start.
    """
    watched = ("ManyCarts", f"Unavailable-{stopped}")
    check_out(open_carts())  # carts of the demonstration and of earlier tests

    def all_are(state: str) -> bool:
        states = alarm_states()
        return all(states[name] == state for name in watched)

    wait_for(lambda: all_are("OK"), "both alarms are OK before anything is disturbed", PATIENCE, 1)
    time.sleep(5)  # an earlier change may be of this second, and its e-mail may still arrive
    since = time.time()
    moment = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    carts = [put_cart() for _ in range(6)]
    on_host(f"local-app-{stopped}", "systemctl stop shop")
    try:
        wait_for(lambda: all_are("ALARM"), "both alarms ring", PATIENCE, 1)
    finally:
        on_host(f"local-app-{stopped}", "systemctl start shop")
        check_out(carts)
    wait_for(lambda: all_are("OK"), "both alarms are OK again", PATIENCE, 1)
    found: dict[str, list[Any]] = {}

    def recorded() -> bool:
        found["rows"] = [row for row in changes(moment) if row["alarm"].endswith(watched)]
        found["mails"] = [each for each in mails(since) if any(name in each for name in watched)]
        return min(len(found["rows"]), len(found["mails"])) >= 4

    wait_for(recorded, "four changes are recorded and mailed", PATIENCE, 1)
    return found


@pytest.mark.long
@pytest.mark.parametrize("state", ["ALARM", "OK"])
def test_six_carts_ring_and_checking_out_ends_it(seen: dict[str, list[Any]], state: str) -> None:
    rows = [row for row in seen["rows"] if row["alarm"] == "shop-local-ManyCarts"]
    assert sorted(row["new"] for row in rows) == ["ALARM", "OK"]
    [row] = [row for row in rows if row["new"] == state]
    assert json.loads(row["message"])["NewStateReason"] == row["reason"]
    assert f'{state}: "shop-local-ManyCarts" in EU (Frankfurt)' in seen["mails"]


@pytest.mark.long
@pytest.mark.parametrize("state", ["ALARM", "OK"])
def test_a_stopped_shop_rings(seen: dict[str, list[Any]], state: str, stopped: str) -> None:
    name = f"shop-local-Unavailable-{stopped}"
    assert state in [row["new"] for row in seen["rows"] if row["alarm"] == name]
    assert f'{state}: "{name}" in EU (Frankfurt)' in seen["mails"]


def test_every_verdict_of_the_demonstration_is_in_the_history(story: dict[str, Any]) -> None:
    kept = answer("canary", "history", "--env", "local", "--json")
    verdicts = {row["canary"]: row["verdict"] for row in kept}
    for which in ("good", "bad"):
        told = story[which]["told"]
        assert verdicts[told["canary"]] == told["verdict"]


def test_every_widget_shows_something() -> None:
    cloudwatch = client("cloudwatch")
    names = {each["DashboardName"] for each in cloudwatch.list_dashboards()["DashboardEntries"]}
    assert names == {f"shop-local-{name}" for name in ("shop", "release", "website", "hosts")}
    for name in names:
        body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
        for widget in body["widgets"]:
            lines = drawn(Settings.load().endpoint, widget["properties"])
            title = f"{name}: {widget['properties']['title']}"
            assert lines, f"{title} has no line"
            assert all(lines), f"{title} has an empty line"


def test_prometheus_scrapes_every_instance_haproxy_and_the_prober() -> None:
    def healthy() -> set[str]:
        targets = prometheus("targets")["activeTargets"]
        return {each["labels"]["instance"] for each in targets if each["health"] == "up"}

    wanted = {"blue-1", "blue-2", "green-1", "green-2", "prober", "proxy-1"}
    wait_for(lambda: healthy() == wanted, f"{wanted} are scraped", PATIENCE, 1)


def test_no_panel_is_empty_under_load() -> None:
    """No panel is empty for either colour in the hour of the demonstration."""
    panels = filter_of("prometheus", "prometheus_panels")(
        SHARED["metric_panels"], served=SHARED["metric_served"], interval=5
    )
    assert len(panels) == 9
    now = time.time()
    for panel in panels:
        window = {"query": panel["query"], "start": now - HOUR, "end": now, "step": 15}
        result = prometheus("query_range", **window)["result"]
        drawn_values = {
            each["metric"]["colour"]: [float(value) for _, value in each["values"]]
            for each in result
        }
        assert set(drawn_values) == {"blue", "green"}, panel["title"]
        for colour, values in drawn_values.items():
            numbers = [value for value in values if not math.isnan(value)]
            assert numbers, f"{panel['title']} has no number for {colour}"


def test_each_rule_fires_when_its_alarm_would_and_not_otherwise() -> None:
    rules = yaml.safe_load(on_host("local-monitor-1", "cat /etc/prometheus/rules.yml"))
    annotations = {rule["alert"]: rule["annotations"] for rule in rules["groups"][0]["rules"]}
    assert set(annotations) == set(HARM)
    document = json.dumps(situations("/etc/prometheus/rules.yml", annotations))
    told = on_host(
        "local-monitor-1", "cat > /run/rules.json; promtool test rules /run/rules.json", document
    )
    assert "SUCCESS" in told


def test_a_person_opens_the_live_page() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        page = browser.new_page(viewport={"width": 1180, "height": 900})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://{address('local-monitor-1')}:9090/consoles/shop.html")
        expect(page.get_by_role("heading", level=2)).to_have_count(9, timeout=60_000)
        for panel in SHARED["metric_panels"]:
            expect(page.get_by_role("heading", name=panel["title"])).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("every 5 s")
        page.screenshot(path=str(ROOT / ".run/local/live.png"), full_page=True)
        browser.close()
    assert errors == []
