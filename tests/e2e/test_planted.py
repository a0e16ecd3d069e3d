"""Releases with planted harm on booted hosts: late, on one host, or none but a fresh process.

Run by hand, because four canaries wait for minutes: 20 minutes after the demonstration. The numbers
of each canary are added to ``.run/local/planted.jsonl``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.demo import SHOPPERS, Hosts, call, other, status, wait_for_shoppers
from tests.e2e.planted import bad_host, deploy_base, patient, run, unchanged, with_catalogue_memory
from tests.support.session_cloud import SessionCloud

pytestmark = [pytest.mark.long, pytest.mark.rare, pytest.mark.timeout(3600)]
FULL_CACHE = 60
"""Seconds after which the caches of the live release are full under this load."""
LATE_PERIODS = 3
ONSET = 120


@pytest.fixture(scope="module", autouse=True)
def load(cloud: SessionCloud) -> Iterator[None]:
    """Shoppers on a base release that has filled its caches."""
    assert cloud.policy.exists()
    deploy_base()
    start = ("-e", "load=start", "-e", f"users={SHOPPERS}", "-e", "minutes=60")
    call("ansible-playbook", "playbooks/load.yml", *start)
    wait_for_shoppers()
    time.sleep(FULL_CACHE)
    yield
    Hosts().stop_load()
    call("canary", "deploy", "HEAD", "--env", "local", "--everywhere")


def test_a_late_outage_is_taken_back_within_three_periods() -> None:
    found = run(f"error=500+{ONSET}s", patient())
    assert found.verdict == "FAIL", found.reason
    assert found.reason.startswith("Errors: ")
    assert found.to_first is not None
    assert found.to_first > ONSET - 5
    assert found.periods is not None
    assert found.periods <= LATE_PERIODS, found
    assert status("local")["proxy"]["shares"][f"{other(status('local')['live'])}-1"] == 0


@pytest.mark.parametrize(
    "faults", ["error=503:0.05", "latency=14ms"], ids=["5 % errors", "50 % slower"]
)
def test_one_bad_host_of_two_is_named(faults: str) -> None:
    bad = bad_host()
    found = run(f"{faults}#{bad}", unchanged)
    assert found.verdict == "FAIL", found.reason
    assert bad in found.reason
    assert bad in found.told
    assert bad in found.report


def test_a_fresh_process_passes_with_the_catalogues_memory_metric() -> None:
    found = run("", with_catalogue_memory)
    assert found.verdict == "PASS", found.reason
