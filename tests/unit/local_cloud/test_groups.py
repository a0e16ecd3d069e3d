"""The firewall of security groups: its rules, and when it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_cloud import groups
from local_cloud.emulator.security import Permission
from local_cloud.groups import Firewall, members, table
from local_cloud.settings import Settings
from tests.unit.local_cloud.examples import instance

SETTINGS = Settings(state=Path("/s"), cache=Path("/c"), bridge="ccbr0")
APP = instance(ip="10.77.1.4", group_ids=("sg-app",))
OTHER = instance(ip="10.77.1.5", group_ids=("sg-app", "sg-other"))
DATA = instance(ip="10.77.2.4", group_ids=("sg-data",))
HOSTS = [APP, OTHER, DATA]


def rules(*permissions: Permission) -> list[str]:
    text = table(SETTINGS, members(HOSTS), permissions)
    inside = text.split("established,related accept\n")[1].split("  }")[0]
    return [line.strip() for line in inside.splitlines() if line.strip()]


def test_without_a_permission_nobody_reaches_an_instance() -> None:
    everybody = "{ 10.77.1.4, 10.77.1.5, 10.77.2.4 }"
    assert rules() == [f"ip daddr != {everybody} accept", "drop"]


@pytest.mark.parametrize(
    ("permission", "rule"),
    [
        (
            Permission("sg-data", "tcp", (5432, 5432), source="sg-app"),
            "ip saddr { 10.77.1.4, 10.77.1.5 } ip daddr { 10.77.2.4 } tcp dport 5432-5432 accept",
        ),
        (
            Permission("sg-other", "udp", (1, 9), network="10.77.0.0/24"),
            "ip saddr { 10.77.0.0/24 } ip daddr { 10.77.1.5 } udp dport 1-9 accept",
        ),
        (
            Permission("sg-data", "-1", source="sg-data"),
            "ip saddr { 10.77.2.4 } ip daddr { 10.77.2.4 } accept",
        ),
        (
            Permission("sg-data", "icmp", (8, -1), network="0.0.0.0/0"),
            "ip daddr { 10.77.2.4 } icmp type 8 accept",
        ),
        (
            Permission("sg-data", "icmp", (-1, -1), network="0.0.0.0/0"),
            "ip daddr { 10.77.2.4 } meta l4proto icmp accept",
        ),
        (Permission("sg-nobody", "tcp", (1, 1), network="0.0.0.0/0"), None),
        (Permission("sg-data", "tcp", (1, 1), source="sg-nobody"), None),
    ],
)
def test_a_permission_is_a_rule_for_those_who_are_there(
    permission: Permission, rule: str | None
) -> None:
    assert rules(permission)[1:-1] == ([] if rule is None else [rule])


def test_an_instance_that_is_gone_has_left_its_groups() -> None:
    gone = instance(ip="10.77.1.6", group_ids=("sg-app",), state="terminated")
    assert members([APP, gone]) == {"": ["10.77.1.4"], "sg-app": ["10.77.1.4"]}


def test_a_cloud_without_instances_holds_nothing_back() -> None:
    assert "drop" not in table(SETTINGS, members([]), [])


def test_the_table_is_written_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(groups, "run", lambda *_, stdin: written.append(stdin))
    firewall = Firewall(SETTINGS)
    firewall.follow(HOSTS, [])
    firewall.follow(HOSTS, [])
    assert len(written) == 1
    firewall.follow(HOSTS[:2], [])
    assert len(written) == 2
    assert "10.77.2.4" not in written[-1]


def test_a_kernel_that_cannot_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(groups, "FILTERED", tmp_path / "absent")
    monkeypatch.setattr(groups, "succeeds", lambda *_: False)
    Firewall(SETTINGS).start()
    assert "not enforced" in caplog.text
