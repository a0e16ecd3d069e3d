"""Somebody else's app, without AWS, git or metrics of its own: the path of docs/own-app.md.

A real HAProxy, two small servers, and commands as a user types them. boto3 cannot be imported.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.canary_load import Quiet, send_requests
from tests.support.canary_world import World

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        shutil.which("haproxy", path="/usr/sbin:/usr/bin") is None,
        reason="haproxy is not installed: apt-get install haproxy",
    ),
]
POLICY = Path(".run/test/canary.yml")
DEPLOY = "sh -c 'echo {colour} {release} >> deployed.txt'"
BAD = "1.2-bad"
SHORTER = {
    "period: 10s ": "period: 2s ",
    "warmup: 1m ": "warmup: 4s ",
    "minimum: 5m ": "minimum: 20s ",
    "maximum: 30m ": "maximum: 120s ",
    "steps: [5%, 20%, 50%]": "steps: [20%, 50%]",
    "negligible: 0.5%": "negligible: 3%",
}
WITHOUT_AWS = "import sys\nsys.modules['boto3'] = sys.modules['botocore'] = None\n"


class Failing(Quiet):
    """Fails a tenth of the requests if the bad release is installed; health checks succeed."""

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        if self.path == "/" and self.server.release() == BAD and random.random() < 0.1:  # noqa: S311
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()


class Bare(World):
    """The world without a cloud."""

    def _start(self) -> None:
        self._start_proxy()
        self.repository = self.directory / "repository"
        self.repository.mkdir()
        stop = threading.Event()
        for _ in range(3):
            self._meanwhile(send_requests, self.port, stop)
        self._stack.callback(stop.set)

    def started(self, *words: str) -> dict[str, object]:
        """Run a command that must succeed; return what it says."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bare]:
    monkeypatch.setattr("tests.support.canary_world.Quiet", Failing)
    with tempfile.TemporaryDirectory(prefix="canary-") as name:
        (Path(name) / "python").mkdir()
        (Path(name) / "python" / "sitecustomize.py").write_text(WITHOUT_AWS)
        monkeypatch.setenv("PYTHONPATH", f"{name}/python")
        with Bare(Path(name)) as made:
            yield made


def shorten(path: Path) -> None:
    """Make the policy quick enough for a test."""
    text = path.read_text(encoding="utf-8")
    for old, new in SHORTER.items():
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def test_a_stranger_has_a_judged_release_and_a_rollback(world: Bare) -> None:
    words = ("--source", "proxy", "--proxy", "proxy.example", "--deploy", DEPLOY)
    assert world.started("init", "test", *words)["file"] == str(POLICY)
    shorten(world.repository / POLICY)
    checked = world.started("check", str(POLICY))
    assert checked["missing"]["run"] == []  # type: ignore[index]

    unnamed = world.run("status")
    assert unnamed.returncode == 2
    assert "canary promote --env test --colour blue" in unnamed.stderr
    world.started("promote", "--colour", "blue")
    world.started("deploy", "1.0", "--everywhere")
    assert world.status()["release"] == "1.0"

    good = world.started("run", "--candidate", "1.1")
    assert (good["verdict"], good["live"]) == ("PASS", "green")
    assert world.status()["release"] == "1.1"
    assert (world.repository / str(good["report"])).is_file()

    bad = world.run("run", "--candidate", BAD, "--json")
    assert bad.returncode == 1, bad.stderr
    outcome = json.loads(bad.stdout)
    assert outcome["reason"].startswith("Errors: ")
    found = world.status()
    assert (found["live"], found["release"]) == ("green", "1.1")
    assert found["colours"]["blue"]["share"] == 0

    rows = json.loads(world.run("history", "--json").stdout)
    assert [row["verdict"] for row in rows][:3] == ["FAIL", "PASS", "DEPLOYED"]
    assert [row["candidate"] for row in rows][:3] == [BAD, "1.1", "1.0"]


def test_a_policy_for_cloudwatch_says_what_to_install(world: Bare) -> None:
    world.started("init", "test", "--source", "cloudwatch")
    refused = world.run("analyze", "--start", "-30m")
    assert refused.returncode == 2
    assert "pip install" in refused.stderr
    assert "Traceback" not in refused.stderr
