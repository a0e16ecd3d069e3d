"""Controllers of one canary are killed, one after another, at a real HAProxy."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from canary.cli.controller import Controller
from tests.support.bare_world import BAD, Bare, bare_world
from tests.support.marks import needs_haproxy
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.long, needs_haproxy]
FULL = 256
"""A server's weight at equal shares, and when its colour carries everything."""
PERIOD = 30
"""Gives a lease of 59 s, in which a controller can start even on a busy machine."""
POLICY: dict[str, Any] = {
    "version": 1,
    "period": PERIOD,
    "warmup": PERIOD,
    "minimum": 8 * PERIOD,
    "maximum": 30 * PERIOD,
    "steps": ["20%", "50%"],
    "traffic_rule": {"minimum_samples": 50, "split_tolerance": "20 points"},
    "metrics": [{"name": "errors", "kind": "count", "source": "proxy.errors", "negligible": "3%"}],
    "environment": {
        "name": "test",
        "source": "proxy",
        "state": "file",
        "traffic": {"kind": "haproxy", "host": "proxy", "key": "k", "known_hosts": "h"},
        "metrics_file": "canary.prom",
        "hooks": {
            "deploy": {"command": ["sh", "-c", "echo {colour} {release} >> deployed.txt"]},
            "promoted": {"command": ["sh", "-c", "echo promoted >> told.txt"]},
            "rolled_back": {"command": ["sh", "-c", "echo rolled_back >> told.txt"]},
        },
    },
}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bare]:
    with bare_world(monkeypatch) as made:
        path = made.repository / ".run/test/canary.yml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(POLICY), encoding="utf-8")
        made.started("deploy", "1.0", "--everywhere")
        yield made


@contextmanager
def weights(bare: Bare) -> Iterator[list[int]]:
    """Yield the candidate's weights in HAProxy, in order of time."""
    seen, stop = [bare.green_weight()], threading.Event()

    def look() -> None:
        while not stop.wait(0.05):
            if (weight := bare.green_weight()) != seen[-1]:
                seen.append(weight)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def directory(bare: Bare) -> Path:
    (found,) = (bare.repository / ".run/test/canaries").iterdir()
    return found


def looks(bare: Bare) -> int:
    """Return the number of looks in the checkpoint."""
    try:
        text = (directory(bare) / "checkpoint.json").read_text(encoding="utf-8")
        return len(json.loads(text)["checkpoint"]["comparison"]["recording"]["looks"])
    except (FileNotFoundError, TypeError, ValueError):
        return 0


def killed_after(bare: Bare, process: subprocess.Popen[str], number: int) -> None:
    """Kill a controller after look ``number``."""

    def judged() -> bool:
        if process.poll() is not None:
            raise AssertionError("\n".join(process.communicate()))
        return looks(bare) >= number

    wait_for(judged, f"look {number}", 240)
    process.kill()
    process.communicate()


def controlled_by(bare: Bare, process: int) -> None:
    controller = Controller(directory(bare))
    wait_for(lambda: controller.process() == process, f"process {process} controls it", 60)


@pytest.mark.rare
def test_five_kills_change_neither_the_verdict_nor_the_weights(bare: Bare) -> None:
    with weights(bare) as seen:
        process = bare.canary("run", "--candidate", "1.1", "--json")
        bare.wait_for_weight(process)
        process.kill()
        process.communicate()
        for number in range(1, 5):
            process = bare.canary("resume", "--json")
            killed_after(bare, process, number)
        again = bare.canary("resume", "--json")
        controlled_by(bare, again.pid)
        refused = bare.run("resume")
        out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert refused.returncode == 2
    assert "is running (process" in refused.stderr
    outcome = json.loads(out)
    assert outcome["verdict"] == "PASS"
    assert len(seen) == 3, f"none, 20 %, 50 %, and never less or more: {seen}"
    assert seen[0] == 0 < seen[1] < seen[2] == FULL
    report(bare, outcome, "promoted")
    events = [json.loads(line)["kind"] for line in log(bare)]
    assert events.count("resumed") == 5
    assert events.count("end") == events.count("promoted") == 1
    assert bare.run("resume").returncode == 0, "it ended with PASS, and its controller was done"


def test_a_bad_release_is_refused_by_its_third_controller(bare: Bare) -> None:
    process = bare.canary("run", "--candidate", BAD, "--json")
    bare.wait_for_weight(process)
    process.kill()
    process.communicate()
    second = bare.canary("resume")
    wait_for(lambda: any('"resumed"' in line for line in log(bare)), "the second one", 120)
    second.kill()
    second.communicate()
    done = bare.run("resume", "--json")
    assert done.returncode == 1, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["verdict"] == "FAIL"
    assert bare.green_weight() == 0
    report(bare, outcome, "rolled_back")


def test_a_detached_canary_is_followed_and_stopped(bare: Bare) -> None:
    started = bare.started("run", "--candidate", "1.1", "--detach")
    controller = Controller(directory(bare))
    assert controller.process() == started["process"]
    assert "nothing starts the controller again" in str(started["lost"]) or started["unit"]
    following = bare.canary("attach", "--json")
    wait_for(bare.green_weight, "the candidate carries traffic", 240)
    done = bare.run("stop", "--json")
    assert done.returncode == 0, done.stderr
    assert bare.green_weight() == 0
    out, err = following.communicate(timeout=120)
    assert following.returncode == 2, err
    assert json.loads(out) == json.loads(done.stdout)
    assert "Stopped by SIGTERM" in json.loads(out)["reason"]
    assert "green carries" in err
    assert controller.process() is None
    nothing = bare.run("stop")
    assert nothing.returncode == 2
    assert "No canary runs" in nothing.stderr


def test_a_canary_whose_controller_is_dead_is_stopped(bare: Bare) -> None:
    process = bare.canary("run", "--candidate", "1.1")
    bare.wait_for_weight(process)
    process.kill()
    process.communicate()
    done = bare.run("stop", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reason"] == "Stopped by canary stop"
    assert bare.green_weight() == 0
    assert bare.status()["canary"] is None


def log(bare: Bare) -> list[str]:
    return (directory(bare) / "live/events.jsonl").read_text(encoding="utf-8").splitlines()


def report(bare: Bare, outcome: dict[str, Any], hook: str) -> None:
    """Check that each step after a verdict was done once, and that the recording replays to it."""
    replayed = bare.run("replay", str(directory(bare) / "recording.json"), "--json")
    assert json.loads(replayed.stdout)["verdict"] == outcome["verdict"]
    assert (bare.repository / "told.txt").read_text(encoding="utf-8").split() == [hook]
    rows = json.loads(bare.run("history", "--json").stdout)
    assert [row["verdict"] for row in rows] == [outcome["verdict"], "DEPLOYED"]
    metrics = (bare.repository / "canary.prom").read_text(encoding="utf-8")
    verdict = outcome["verdict"]
    assert f'canary_finished_total{{environment="test",verdict="{verdict}"}} 1' in metrics
    assert bare.status()["canary"] is None
    assert not (directory(bare) / "checkpoint.json").exists()
