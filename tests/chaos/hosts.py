"""Actions of faults on a host: commands, signals, the EC2 API, access from outside."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from local_cloud.lookup import find_machine
from local_cloud.machine import Machine
from local_cloud.settings import Settings
from tests.support.paths import ROOT

PROXY, DATA = "local-proxy-1", "local-data-1"
PATIENCE = 240


def shop(colour: str, number: int) -> str:
    return f"local-app-{colour}-{number}"


def on(host: str, command: str, stdin: str = "") -> str:
    """Run a command on a host, as root; it must succeed."""
    ssh = ["local-cloud", "ssh", host, f"sudo sh -c '{command}'"]
    done = subprocess.run(
        ssh, cwd=ROOT, input=stdin, check=False, capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode:
        raise RuntimeError(f"{host}: {command}: {done.stdout}{done.stderr}")
    return done.stdout


def kill(host: str, unit: str, number: str = "KILL") -> None:
    """Kill every process of a unit, like the kernel when memory runs out, or send a signal."""
    on(host, f"systemctl kill --signal={number} --kill-whom=all {unit}")


def start(host: str, unit: str) -> None:
    """Start a unit, if it has not restarted by itself."""
    on(host, f"systemctl reset-failed {unit}; systemctl start {unit}")


def kill_worker(host: str) -> None:
    """Kill one worker of the shop: not its supervisor, and not the housekeeper."""
    main = "$(systemctl show --property=MainPID --value shop)"
    others = "grep -q -e housekeeper -e resource_tracker /proc/$p/cmdline"
    on(host, f"kill -9 $(for p in $(pgrep -P {main}); do {others} || echo $p; done | tail -1)")


def publisher(host: str, number: str) -> None:
    """Send a signal to the metrics publisher of an instance."""
    # In brackets, so that the pattern does not match this command itself.
    on(host, f"pkill --signal {number} --full [a]pp.housekeeper")


@cache
def machine(name: str) -> Machine:
    """Return a host of the local cloud; cached, because the API may be down later."""
    return find_machine(Settings.load(), name)


def inside(name: str, path: str) -> Path:
    """Return the path of a file of a host on this machine, without using its network."""
    leader = machine(name).leader
    return Path(f"/proc/{leader}/root{path}")


def power(name: str, *, running: bool) -> None:
    """Stop or start an instance through the EC2 API, and wait for its state."""
    call = ec2().start_instances if running else ec2().stop_instances
    _wait(name, call, "instance_running" if running else "instance_stopped")


def terminate(name: str) -> None:
    """Terminate an instance with its disk through the EC2 API."""
    _wait(name, ec2().terminate_instances, "instance_terminated")
    machine.cache_clear()


def _wait(name: str, call: Callable[..., Any], word: str) -> None:
    identity = machine(name).name
    call(InstanceIds=[identity])
    ec2().get_waiter(word).wait(InstanceIds=[identity], WaiterConfig={"Delay": 1})


def ec2() -> Any:
    return boto3.client(
        "ec2",
        endpoint_url=Settings.load().endpoint,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="unchecked",  # noqa: S106 - the local cloud takes any
    )
