"""The logs of every host are in CloudWatch, and hold no password."""

from __future__ import annotations

import json

import pytest

from tests.support.session_cloud import SessionCloud
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
WORD = "this-entry-arrives"


def entries(cloud: SessionCloud, group: str) -> dict[str, list[str]]:
    """Return the messages of a group by host."""
    found: dict[str, list[str]] = {}
    pages = cloud.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=group):
        for event in page["events"]:
            message = json.loads(event["message"])["message"]
            found.setdefault(event["logStreamName"], []).append(message)
    return found


def test_the_logs_of_every_host_arrive_in_the_group_of_its_kind(cloud: SessionCloud) -> None:
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/shop/local/")
    kept = {group["logGroupName"]: group["retentionInDays"] for group in groups["logGroups"]}
    kinds = ("app", "data", "monitor", "proxy")
    assert kept == {f"/shop/local/{kind}": 30 for kind in kinds}
    hosts = list(cloud.hosts())
    for host in hosts:
        cloud.ssh(host, f"logger --tag=test {WORD}")
    cloud.ssh("local-data-1", 'cd /; sudo -u postgres psql -c "SELECT no_such_column" || true')
    stored: dict[str, list[str]] = {}

    def all_arrived() -> bool:
        for kind in kinds:
            stored.update(entries(cloud, f"/shop/local/{kind}"))
        return all(WORD in stored.get(host, []) for host in hosts)

    wait_for(all_arrived, "an entry of every host arrives", 120)
    assert sorted(stored) == sorted(hosts)
    assert any("no_such_column" in message for message in stored["local-data-1"])
    for secret in (cloud.run / "local/secrets").iterdir():
        word = secret.read_text(encoding="utf-8").strip()
        assert not [host for host in hosts if any(word in said for said in stored[host])]
