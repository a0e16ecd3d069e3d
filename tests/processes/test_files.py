"""``state: file`` with a real HAProxy: no AWS, no boto3, and two laptops."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.support.canary_load import send_requests
from tests.support.laptops import Laptops, two_laptops
from tests.support.marks import needs_haproxy
from tests.support.paths import ROOT

pytestmark = [
    pytest.mark.timeout(600),
    needs_haproxy,
]


@pytest.fixture
def laptops(monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptops]:
    with two_laptops(monkeypatch) as made:
        yield made


def test_files_and_proxy_agree_or_nothing_moves(laptops: Laptops) -> None:
    mine, other = laptops.mine, laptops.other
    new = laptops.at(mine, "status")
    assert new.returncode == 2
    assert "There is no .run/test/state/live.json" in new.stderr
    assert "canary promote --env test --colour blue" in new.stderr
    first = laptops.at(mine, "deploy", "v2", "--everywhere")
    assert first.returncode == 0, first.stderr
    assert "blue is live, green is its standby" in first.stdout
    assert laptops.at(mine, "status").returncode == 0

    for words in (("rollback",), ("deploy", "v2")):
        refused = laptops.at(other, *words)
        assert refused.returncode == 2, refused.stdout
        assert "the files in .run/test/state do not have it" in refused.stderr
        assert "canary promote --env test --colour blue" in refused.stderr
    named = laptops.at(other, "promote", "--colour", "green")
    assert named.returncode == 0, named.stderr

    behind = laptops.at(mine, "status")
    assert behind.returncode == 1
    assert "do not have it" in behind.stdout
    assert "blue" in behind.stdout
    assert "but the proxy serves green" in behind.stdout
    assert laptops.at(mine, "rollback").returncode == 2
    back = laptops.at(mine, "rollback", "--colour", "blue")
    assert back.returncode == 0, back.stderr
    assert laptops.at(mine, "status").returncode == 0
    rows = json.loads(laptops.at(mine, "history", "--json").stdout)
    assert [row["verdict"] for row in rows] == ["ROLLED BACK", "DEPLOYED"]


@pytest.mark.long
def test_a_split_by_somebody_else_is_judged_without_a_word_that_changes_it(
    laptops: Laptops,
) -> None:
    laptops.at(laptops.mine, "deploy", "v2", "--everywhere")
    command = [sys.executable, str(ROOT / "tests/support/canary_ssh.py"), "canary@proxy", "set"]
    subprocess.run(
        [*command, "--candidate", "green", "--share", "0.3", "--lease", "600"],
        env={"CANARY_TEST_PROXY": str(laptops.directory / "traffic.json"), "PATH": "/usr/bin"},
        check=True,
    )
    laptops.asked()
    stop = threading.Event()
    shoppers = [threading.Thread(target=send_requests, args=(laptops.port, stop)) for _ in range(3)]
    for shopper in shoppers:
        shopper.start()
    try:
        done = laptops.at(laptops.mine, "run", "--observe", "--json")
    finally:
        stop.set()
        for shopper in shoppers:
            shopper.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["traffic"] == "Traffic was not touched."
    assert set(laptops.asked()) == {"status"}
    assert laptops.green_weight() > 0
