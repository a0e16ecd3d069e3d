"""After every kill, all traffic returns to the live release."""

from __future__ import annotations

import socket
import subprocess
from typing import Any

import boto3
import pytest
from playwright.sync_api import expect, sync_playwright

from local_cloud.settings import Settings
from tests.chaos.faults import FAULTS
from tests.chaos.orders import Books
from tests.chaos.relay import Relay
from tests.chaos.row import suffer
from tests.e2e.demo import address, answer, locust, other
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

#: The first test also waits for the demonstration.
pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
TWO_PERIODS = 12.0
"""Two periods of 5 s, and the time of the queries."""
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def status() -> dict[str, Any]:
    found: dict[str, Any] = answer("canary", "status", "--env", "local", "--json")
    return found


def answers(host: str) -> bool:
    """Return whether a host has an open SSH port."""
    try:
        with socket.create_connection((host, 22), timeout=1):
            return True
    except OSError:
        return False


def test_faults_cost_no_customer_anything(story: dict[str, Any]) -> None:
    """Two rows of ``make chaos``; the second canary runs without a repair."""
    assert story
    known = {fault.name: fault for fault in FAULTS}
    blind = [known["kill -9 a live shop"], known["CloudWatch away"]]
    with Relay(Settings.load().endpoint) as relay:
        first = suffer("a live shop dies, metrics are away", blind, relay, None)
        cut_off = [known["canary - proxy cut"]]
        second = suffer("the canary is cut off from the proxy", cut_off, relay, first)
    for row in (first, second):
        told = str(row)
        assert sum(row.sent.values()) > 500, told
        assert sum(row.failed[kind] for kind in ("read", "write") if kind in row.failed) == 0, told
        assert row.books == Books(0, 0), told
        assert row.to_zero is not None, told
        assert row.ended not in ("PASS", "(went on)"), told
        assert row.agrees == "yes", told
    assert first.next == "ran"
    assert (second.to_zero or 0.0) <= TWO_PERIODS


@pytest.mark.rare
def test_a_terminated_instance_is_gone_and_comes_back(story: dict[str, Any]) -> None:
    assert story
    idle = other(status()["live"])
    name = f"local-app-{idle}-2"
    gone = address(name)
    hosts = answer("local-cloud", "status", "--json")["hosts"]
    identity = next(host["id"] for host in hosts if host["name"] == name)
    ec2 = boto3.client(
        "ec2",
        endpoint_url=Settings.load().endpoint,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="unchecked",  # noqa: S106 - the local cloud takes any
    )
    ec2.terminate_instances(InstanceIds=[identity])

    wait_for(lambda: not answers(gone), f"{name} is gone", 30, 0.3)
    subprocess.run(
        ["ansible-playbook", "site.yml"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    known = answer("local-cloud", "status", "--json")["hosts"]
    back = [each for each in known if each["name"] == name and each["state"] == "running"]
    assert len(back) == 1
    assert back[0]["id"] != identity
    # the host has the release of its colour, and the proxy uses it
    assert status()["proxy"]["states"][f"{idle}-2"].startswith("UP")


def test_a_person_starts_a_load_on_locusts_page(story: dict[str, Any]) -> None:
    """A real browser fills in the form and sees a row for a colour."""
    live = story["bad"]["told"]["live"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        page = browser.new_page()
        page.goto(f"http://{address('local-monitor-1')}:8089/")
        start = page.get_by_role("button", name="Start")
        again = page.get_by_role("button", name="New")
        expect(start.or_(again).first).to_be_visible()
        if again.count():  # an earlier load may have run
            again.click()
        page.get_by_label("Number of users").fill("10")
        start.click()
        wait_for(lambda: locust("/stats/requests")["user_count"] == 10, "10 shoppers came", 60, 0.3)
        expect(page.get_by_text(f"/cart/checkout [{live}]").first).to_be_visible(timeout=60_000)
        browser.close()
    locust("/stop", "POST")
