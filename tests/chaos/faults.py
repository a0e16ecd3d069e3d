"""Faults that a host, its network or the API meets, each with the way back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

import boto3
from local_cloud.cloud import daemon_pid
from local_cloud.settings import Settings

from tests.e2e.demo import address, answer
from tests.e2e.releases import ROOT

NETEM_DELAY = "150ms"


@dataclass(frozen=True)
class Fault:
    """``inflict`` and ``heal`` are told the live and the idle colour."""

    name: str
    inflict: Callable[[str, str], None]
    heal: Callable[[str, str], None] = lambda _live, _idle: None


def on(host: str, command: str) -> None:
    """Run a command on a host, as root."""
    ssh = ["local-cloud", "ssh", host, f"sudo sh -c '{command}'"]
    subprocess.run(ssh, cwd=ROOT, check=True, capture_output=True, timeout=60)


def kill(host: str, unit: str, whom: str = "all") -> None:
    on(host, f"systemctl kill --signal=KILL --kill-whom={whom} {unit}")


def start(host: str, unit: str) -> None:
    on(host, f"systemctl reset-failed {unit}; systemctl start {unit}")


def kill_worker(host: str) -> None:
    """Kill one worker of the shop, not its supervisor."""
    main = "systemctl show --property=MainPID --value shop"
    on(host, f"kill -9 $(pgrep -P $({main}) | tail -1)")


def interface(host: str) -> str:
    """Return the controller's end of a host's network cable, which is named by its number."""
    settings = Settings.load()
    number = int(IPv4Address(address(host))) - int(settings.network[0])
    return f"{settings.bridge}-{number:x}"


def netem(host: str, *what: str) -> None:
    """Make a host's network worse, or with nothing said as good as before."""
    command = ["tc", "qdisc", "replace" if what else "del", "dev", interface(host), "root"]
    subprocess.run([*command, *(("netem", *what) if what else ())], check=True)


def freeze_api(seconds: float) -> None:
    """Let the AWS API hang: no metric is taken, none is read, no lock is renewed."""
    process = daemon_pid(Settings.load())
    assert process is not None, "the local cloud is not up"
    os.kill(process, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(process, signal.SIGCONT)


def power(name: str, *, running: bool) -> None:
    """Stop or start an instance through the EC2 API, and wait until it is so."""
    ec2 = boto3.client(
        "ec2",
        endpoint_url=Settings.load().endpoint,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="unchecked",  # noqa: S106 - the local cloud takes any
    )
    hosts = answer("local-cloud", "status", "--json")["hosts"]
    identity = next(host["id"] for host in hosts if host["name"] == name)
    (ec2.start_instances if running else ec2.stop_instances)(InstanceIds=[identity])
    word = "instance_running" if running else "instance_stopped"
    ec2.get_waiter(word).wait(InstanceIds=[identity], WaiterConfig={"Delay": 1})


FAULTS = (
    Fault("kill -9 the proxy", lambda _l, _i: kill("local-proxy-1", "haproxy")),
    Fault("kill -9 a live worker", lambda live, _: kill_worker(f"local-app-{live}-1")),
    Fault("kill -9 a live shop", lambda live, _: kill(f"local-app-{live}-2", "shop")),
    Fault(
        "kill -9 the cache",
        lambda _l, _i: kill("local-data-1", "redis-server"),
        lambda _l, _i: start("local-data-1", "redis-server"),
    ),
    Fault(
        "kill -9 the database",
        lambda _l, _i: kill("local-data-1", "postgresql@15-main"),
        lambda _l, _i: start("local-data-1", "postgresql@15-main"),
    ),
    Fault("AWS API hangs for 20 s", lambda _l, _i: freeze_api(20)),
    Fault(
        "a live host is stopped",
        lambda live, _: power(f"local-app-{live}-2", running=False),
        lambda live, _: power(f"local-app-{live}-2", running=True),
    ),
    Fault(
        "a live host is 150 ms further away",
        lambda live, _: netem(f"local-app-{live}-2", "delay", NETEM_DELAY),
        lambda live, _: netem(f"local-app-{live}-2"),
    ),
    Fault(
        "a live host is cut off",
        lambda live, _: netem(f"local-app-{live}-2", "loss", "100%"),
        lambda live, _: netem(f"local-app-{live}-2"),
    ),
)
