"""``state: file`` on booted hosts, for a user without an AWS account and without metrics."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hosts import foreign
from tests.hosts.foreign import Hosts
from tests.support.local_cloud_machine import Cloud
from tests.support.paths import ROOT
from tests.support.tables import make_table

pytestmark = [pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def hosts(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    yield foreign.start(cloud, tmp_path_factory.mktemp("foreign"))
    foreign.stop(cloud)


def status(hosts: Hosts) -> dict[str, Any]:
    done = hosts.canary("status", "--json", check=False)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_good_release_is_promoted_and_a_bad_one_refused_without_aws(hosts: Hosts) -> None:
    assert "deploy, run" in hosts.canary("check", ".run/prod/canary.yml").stdout
    began = hosts.canary("run", "--candidate", "v2", check=False)
    assert began.returncode == 2, "nobody said yet what is live"
    assert "canary promote --env prod --colour blue" in began.stdout + began.stderr
    first = hosts.canary("deploy", "v1", "--everywhere").stdout
    assert "blue is live, green is its standby" in first
    with foreign.shoppers(hosts):
        good = json.loads(hosts.canary("run", "--candidate", "v2", "--json").stdout)
        assert good["verdict"] == "PASS"
        assert good["baseline"].startswith("v1 ")
        after = status(hosts)
        assert after["live"] == after["proxy"]["live"] == "green"
        assert after["colours"]["blue"]["standby"], "the release before"
        back = hosts.canary("rollback").stdout
        assert "blue" in back
        assert status(hosts)["proxy"]["shares"] == {"blue-1": 1.0, "green-1": 0.0}
        done = hosts.canary("run", "--candidate", "v3", "--json", check=False)
        assert done.returncode == 1, done.stderr
        bad = json.loads(done.stdout)
    assert bad["verdict"] == "FAIL"
    assert "rrors" in bad["reason"]
    after = status(hosts)
    assert after["live"] == after["proxy"]["live"] == "blue"
    assert after["proxy"]["shares"] == {"blue-1": 1.0, "green-1": 0.0}
    assert "No standby" in hosts.canary("status").stdout
    nothing = hosts.canary("rollback", check=False)
    assert nothing.returncode == 2
    assert "Nothing was rolled back" in nothing.stderr
    rows = json.loads(hosts.canary("history", "--json").stdout)
    verdicts = [row["verdict"] for row in rows]
    assert verdicts == ["FAIL", "ROLLED BACK", "PASS", "DEPLOYED", "COULD NOT RUN"]
    kept = hosts.laptop / ".run/prod/state/objects/canaries" / bad["canary"] / "recording.json"
    assert kept.is_file()


def test_another_laptop_moves_nothing_until_the_colour_is_named(hosts: Hosts) -> None:
    other = hosts.directory / "other"
    foreign.write_policy(hosts, other)
    shutil.copytree(hosts.laptop / ".run/prod/state", other / ".run/prod/state")
    assert hosts.canary("status", cwd=other).returncode == 0, "copied files know everything"
    hosts.canary("promote", "--colour", "blue", "--force")
    hosts.canary("deploy", "v1")
    for words in (("rollback",), ("deploy", "v1")):
        refused = hosts.canary(*words, cwd=other, check=False)
        assert refused.returncode == 2
        assert f"the files in {other}" in refused.stderr or ".run/prod/state" in refused.stderr
        assert "canary promote --env prod --colour" in refused.stderr
    assert status(hosts)["proxy"]["live"] == "blue"
    hosts.canary("promote", "--colour", "green", cwd=other)
    behind = hosts.canary("status", check=False)
    assert behind.returncode == 1
    assert "blue" in behind.stdout
    assert "the proxy serves green" in behind.stdout
    hosts.canary("promote", "--colour", "blue")
    assert hosts.canary("status").returncode == 0


def holder(policy: Path, name: str, skew: int, work: float = 8) -> subprocess.Popen[str]:
    """Start a holder of the lock on a machine whose clock is off by ``skew`` seconds."""
    command = [sys.executable, "-m", "tests.support.lock_holder", str(policy), name, str(skew)]
    return subprocess.Popen([*command, str(work)], cwd=ROOT, text=True, stdout=subprocess.PIPE)


def heard(process: subprocess.Popen[str], word: str) -> None:
    """Read the output of a process up to ``word``."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return
    raise AssertionError(f"it never said {word}")


def ended(process: subprocess.Popen[str]) -> tuple[str, list[float]]:
    """Return how a holder ended, and when it acted."""
    out, _ = process.communicate(timeout=60)
    lines = out.splitlines()
    return lines[-1] if lines else "", [
        float(line.split()[1]) for line in lines if line.startswith("acts ")
    ]


def killed_holder(policy: Path) -> None:
    first = holder(policy, "a", skew=600, work=60)
    heard(first, "acts")
    assert ended(holder(policy, "b", skew=-600))[0] == "refused", "the holder is alive"
    first.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    first.communicate()
    third, acts = ended(holder(policy, "c", skew=-600))
    assert third == "done", "it takes the lock of the dead"
    assert acts[0] > killed + 7, "a lease after the last renewal, whatever the clocks say"


def paused_holder(policy: Path) -> None:
    first = holder(policy, "a", skew=-600, work=60)
    heard(first, "acts")
    first.send_signal(signal.SIGSTOP)
    try:
        second = holder(policy, "b", skew=600, work=12)
        heard(second, "acts")
    finally:
        first.send_signal(signal.SIGCONT)
    began = time.monotonic()
    how, acts = ended(first)
    # It may have been stopped between the check and the renewal of its lease.
    assert how in ("gave-up", "lost"), "it woke up after its lease"
    assert [act for act in acts if act > began] == []
    assert ended(second)[0] == "done"


def three_at_once(policy: Path) -> None:
    started = [holder(policy, name, skew) for name, skew in (("a", 600), ("b", 0), ("c", -600))]
    found = [ended(process) for process in started]
    assert sorted(how for how, _ in found) == ["done", "refused", "refused"]
    began = time.monotonic()
    assert ended(holder(policy, "d", skew=600, work=1))[0] == "done"
    assert time.monotonic() - began < 20, "a lock that was given back is free at once"


def test_the_lock_of_both_kinds_is_held_by_one_although_clocks_differ(
    hosts: Hosts, cloud: Cloud, tmp_path: Path
) -> None:
    files = foreign.write_policy(hosts, tmp_path)
    document = yaml.safe_load(files.read_text())
    make_table(cloud.client("dynamodb"), "foreign-lock", "environment")
    document["environment"] |= {
        "region": "eu-central-1",
        "endpoint_url": cloud.settings.endpoint,
        "state": {
            "kind": "aws",
            "live_parameter": "/foreign/live",
            "lock_table": "foreign-lock",
            "history_table": "none",
            "bucket": "none",
        },
    }
    aws = tmp_path / "aws.yml"
    aws.write_text(yaml.safe_dump(document))
    try:
        for schedule in (killed_holder, paused_holder, three_at_once):
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(schedule, (files, aws)))
    finally:
        cloud.client("dynamodb").delete_table(TableName="foreign-lock")
