"""A canary of a release that changes three tables, while ``pg_dump`` runs again and again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.chaos.hosts import DATA
from tests.chaos.load import Load
from tests.chaos.orders import Books, compare, orders
from tests.e2e.demo import address, other
from tests.support.paths import ROOT
from tests.support.releases import WIDER, release
from tests.support.session_cloud import SessionCloud

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
RATE = 100
LONGEST = 600
"""Seconds after which the loop of dumps ends by itself."""
DUMPS = "/tmp/dumps"  # noqa: S108 - on a host of the local cloud


@contextmanager
def dumping(cloud: SessionCloud) -> Iterator[None]:
    """Dump the shop's database again and again, and count the dumps."""
    dump = f"sudo -u postgres pg_dump --format=custom shop > /dev/null && echo >> {DUMPS}"
    unit = f"systemd-run --unit=dumps --property=RuntimeMaxSec={LONGEST}"
    cloud.ssh(DATA, f'rm -f {DUMPS}; {unit} sh -c "while {dump}; do :; done"')
    try:
        yield
        assert cloud.ssh(DATA, "systemctl is-active dumps || true").strip() == "active"
    finally:
        cloud.ssh(DATA, "systemctl stop dumps || true")


def test_no_customer_notices_a_release_that_changes_three_tables(cloud: SessionCloud) -> None:
    live = cloud.status()["live"]
    files = {f"app/store/migrations/postgres/{name}.sql": sql for name, sql in WIDER.items()}
    release("wider", "", f"A release with three migrations, {time.time_ns()}", files)
    with Load(address("local-proxy-1"), RATE) as load, dumping(cloud):
        done = subprocess.run(
            ["canary", "run", "--env", "local", "--candidate", "refs/demo/wider", "--json"],
            cwd=ROOT,
            env=cloud.environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        dumps = len(cloud.ssh(DATA, f"cat {DUMPS}").splitlines())
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"]) == (0, "PASS"), told
    assert cloud.status()["live"] == other(live)
    assert dict(load.failed) == {}, load.why
    assert sum(load.sent.values()) > 60 * RATE / 2
    assert compare(load.told, orders(load.run)) == Books(0, 0)
    assert dumps > 20
