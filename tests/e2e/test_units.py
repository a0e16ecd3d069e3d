"""The sandboxes of the systemd units on all hosts, measured by ``systemd-analyze security``."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import ROOT
from tests.support.session_cloud import SessionCloud

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
LINE = re.compile(r"^(?:. Overall exposure level for )?(\S+\.service):? +(\d+\.\d)", re.MULTILINE)
#: A row of docs/security.md: | `unit` (role) | exposure | ...
ROW = re.compile(r"^\| `(\S+\.service)`[^|]*\| ([0-9.]+)", re.MULTILINE)
MOST = 2.0
OURS = {"shop", "loadgen", "log-shipper", "prober", "alarm-recorder", "shop-backup"}


@pytest.fixture(scope="module")
def exposures(cloud: SessionCloud) -> dict[str, float]:
    """Return the highest exposure of each unit on any host."""
    found: dict[str, float] = {}
    for host in cloud.hosts():
        text = cloud.ssh(host, "systemd-analyze security --no-pager")
        if "-data-" in host:  # a timer starts it, so it is in no list
            text += cloud.ssh(host, "systemd-analyze security --no-pager shop-backup.service")
        found |= {
            unit: max(float(number), found.get(unit, 0.0)) for unit, number in LINE.findall(text)
        }
    return found


def test_our_programs_are_sandboxed(exposures: dict[str, float]) -> None:
    units = {f"{name}.service" for name in OURS}
    assert units - exposures.keys() == set()
    assert {unit: exposures[unit] for unit in units if exposures[unit] > MOST} == {}


def test_the_page_states_every_exposure(exposures: dict[str, float]) -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    stated = {unit: float(number) for unit, number in ROW.findall(page)}
    assert {unit: exposures.get(unit) for unit in stated} == stated
