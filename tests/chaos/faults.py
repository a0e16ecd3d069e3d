"""Faults of hosts, network, clocks and the API, each with its repair."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

from local_cloud.cloud import daemon_pid
from local_cloud.settings import Settings
from tests.chaos import clocks, disks, links
from tests.chaos.fault import Fault, Scene
from tests.chaos.hosts import (
    DATA,
    PROXY,
    kill,
    kill_worker,
    power,
    publisher,
    start,
    terminate,
)
from tests.chaos.operation import OPERATION, run_site
from tests.chaos.relay import LOST
from tests.support.paths import ROOT

MEMORY = "/var/lib/shop-traffic"
STATE = "/var/lib/shop"


def freeze_api(seconds: float) -> None:
    """Make the AWS API hang: it stores and returns no metrics and renews no lock."""
    process = daemon_pid(Settings.load())
    assert process is not None, "the local cloud is not up"
    os.kill(process, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(process, signal.SIGCONT)


def kill_api() -> None:
    process = daemon_pid(Settings.load())
    assert process is not None, "the local cloud is not up"
    os.kill(process, signal.SIGKILL)


def restart_api() -> None:
    subprocess.run(["local-cloud", "up"], cwd=ROOT, check=True, capture_output=True)


def cloudwatch(name: str, mode: str) -> Fault:
    def turn(scene: Scene, to: str) -> None:
        scene.relay.mode = to

    return Fault(
        name,
        lambda scene: turn(scene, mode),
        lambda scene: turn(scene, "well"),
        evidence=True,
        pairs=False,
    )


def restart_on_full_disk(scene: Scene) -> None:
    disks.fill(scene.candidate, STATE, "shop")
    kill(scene.candidate, "shop")


PROCESSES = (
    Fault("kill -9 canary", lambda s: s.canary.kill(), pairs=False),
    Fault("freeze canary", lambda s: s.canary.send_signal(signal.SIGSTOP), pairs=False),
    Fault("kill -9 the proxy", lambda _: kill(PROXY, "haproxy")),
    Fault("kill -9 a live worker", lambda s: kill_worker(s.alive)),
    Fault("kill -9 a live shop", lambda s: kill(s.alive, "shop")),
    Fault("kill -9 a candidate's shop", lambda s: kill(s.candidate, "shop")),
    Fault("kill -9 a live publisher", lambda s: publisher(s.alive, "KILL")),
    Fault(
        "a candidate's publisher hangs",
        lambda s: publisher(s.candidate, "STOP"),
        lambda s: publisher(s.candidate, "CONT"),
        evidence=True,
        pairs=False,
    ),
    Fault(
        "kill -9 the cache",
        lambda _: kill(DATA, "redis-server"),
        lambda _: start(DATA, "redis-server"),
    ),
    Fault(
        "kill -9 the database",
        lambda _: kill(DATA, "postgresql@15-main"),
        lambda _: start(DATA, "postgresql@15-main"),
    ),
)
API = (
    Fault("AWS API hangs for 20 s", lambda _: freeze_api(20)),
    Fault("kill -9 the AWS API", lambda _: kill_api(), lambda _: restart_api(), pairs=False),
    cloudwatch("CloudWatch away", "away"),
    cloudwatch("CloudWatch throttled", "throttled"),
    cloudwatch("CloudWatch slow", "slow"),
    cloudwatch("CloudWatch partial", "partial"),
    cloudwatch("CloudWatch with holes", "holes"),
    cloudwatch(f"CloudWatch without {LOST}", "lost"),
)
HOSTS = (
    Fault(
        "a live host is stopped",
        lambda s: power(s.alive, running=False),
        lambda s: power(s.alive, running=True),
    ),
    Fault(
        "a candidate's host is stopped",
        lambda s: power(s.candidate, running=False),
        lambda s: power(s.candidate, running=True),
    ),
    Fault(
        "a candidate's host is terminated",
        lambda s: terminate(s.candidate),
        lambda _: run_site(),
        pairs=False,
    ),
    Fault(
        "a candidate's disk is full",
        lambda s: disks.fill(s.candidate, STATE, "shop"),
        lambda s: disks.empty(s.candidate, STATE, "shop"),
    ),
    Fault(
        "a candidate's shop restarts on a full disk",
        restart_on_full_disk,
        lambda s: disks.empty(s.candidate, STATE, "shop"),
        pairs=False,
    ),
    Fault(
        "the proxy's disk is full",
        lambda _: disks.fill(PROXY, MEMORY),
        lambda _: disks.empty(PROXY, MEMORY),
    ),
    Fault(
        "a candidate's clock is 2 min ahead",
        lambda s: clocks.skew(s.candidate, 120),
        lambda s: clocks.right(s.candidate),
        evidence=True,
        pairs=False,
    ),
    Fault(
        "a candidate's clock is 2 min behind",
        lambda s: clocks.skew(s.candidate, -120),
        lambda s: clocks.right(s.candidate),
        evidence=True,
        pairs=False,
    ),
)
NETWORK = (
    Fault(
        "canary - proxy cut", lambda _: links.cut("controller", PROXY, 22), lambda _: links.heal()
    ),
    Fault("proxy - a live host cut", lambda s: links.cut(PROXY, s.alive), lambda _: links.heal()),
    Fault("a live host - data cut", lambda s: links.cut(s.alive, DATA), lambda _: links.heal()),
    Fault(
        "a candidate's host - data cut",
        lambda s: links.cut(s.candidate, DATA),
        lambda _: links.heal(),
    ),
    Fault(
        "candidate - AWS API cut",
        lambda s: links.cut("controller", s.candidate, None),
        lambda _: links.heal(),
        evidence=True,
        pairs=False,
    ),
    Fault(
        f"proxy - a live host {links.how_slow()}",
        lambda s: links.slow(PROXY, s.alive),
        lambda s: links.quicken(PROXY, s.alive),
    ),
    Fault(
        f"a live host - data {links.how_slow()}",
        lambda s: links.slow(s.alive, DATA),
        lambda s: links.quicken(s.alive, DATA),
    ),
)
KINDS = (PROCESSES, API, HOSTS, NETWORK, OPERATION)
FAULTS = tuple(fault for kind in KINDS for fault in kind)


def pair(draw: random.Random) -> list[Fault]:
    """Draw two faults of different kinds; a process is killed before its host is stopped."""
    first, second = sorted(draw.sample(range(len(KINDS)), 2))
    return [
        draw.choice([fault for fault in KINDS[kind] if fault.pairs]) for kind in (first, second)
    ]
