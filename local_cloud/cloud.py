"""Start, stop and remove the cloud: ``local-cloud up``, ``down`` and ``destroy``."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from local_cloud import cgroups
from local_cloud.emulator import STATUS_PATH, environment
from local_cloud.errors import DaemonError, HostError
from local_cloud.image import Image
from local_cloud.machine import Machine, names
from local_cloud.network import owner, raise_network, remove_network
from local_cloud.preflight import preflight
from local_cloud.processes import find_process
from local_cloud.progress import say, step
from local_cloud.readiness import await_ssh
from local_cloud.seed import make_key
from local_cloud.settings import Settings

DAEMON = "local_cloud.daemon"
START_TIMEOUT = 30.0
STOP_TIMEOUT = 30.0


def up(settings: Settings) -> bool:
    """Start the cloud. Return False if it was up already."""
    if daemon_pid(settings) is not None:
        if status(settings) is not None:
            return False
        stop_daemon(settings)  # the daemon runs but does not respond
    preflight(settings)
    image = Image(settings.images)
    image.build()
    make_key(settings)
    settings.record()
    raise_network(settings)
    with step(f"Starting the AWS API at {settings.endpoint}"):
        start_daemon(settings, image)
    await_hosts(settings)
    return True


def down(settings: Settings) -> bool:
    """Stop the daemon and all hosts, keep disks and state. Return False if nothing ran."""
    was = stop_daemon(settings)
    running = [name for name in names(settings) if Machine(settings, name).pid is not None]
    if running:
        with step(f"Stopping {len(running)} hosts"), ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: Machine(settings, name).stop(), running))
    return was or bool(running)


def exists(settings: Settings) -> bool:
    """Return whether the machine has anything of this cloud."""
    return settings.state.exists() or owner(settings) == str(settings.state)


def destroy(settings: Settings) -> None:
    """Remove every process, interface, rule and file of this cloud."""
    stop_daemon(settings)
    with step("Removing hosts, network and state"):
        for name in names(settings):
            Machine(settings, name).remove()
        for name in cgroups.strays(settings):
            cgroups.kill_members(settings, name)
            cgroups.remove_cgroups(settings, name)
        remove_network(settings)
        shutil.rmtree(settings.state)


def daemon_pid(settings: Settings) -> int | None:
    """Return the process id of the running daemon. Its command line identifies it."""
    return find_process(DAEMON, str(settings.state))


def start_daemon(settings: Settings, image: Image) -> None:
    log = settings.state / "daemon.out"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", DAEMON, str(settings.state)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ
            | {"PYTHONUTF8": "1"}
            | environment(settings.state / "images.json", image.key, image.built)
            | settings.environment(),
        )
    deadline = time.monotonic() + START_TIMEOUT
    while status(settings) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            last = " / ".join(log.read_text().strip().splitlines()[-2:])
            raise DaemonError(
                f"The daemon did not start: {last or 'it printed nothing'}. See {log}"
            )
        time.sleep(0.05)


def stop_daemon(settings: Settings) -> bool:
    """Stop the daemon. Return False if it did not run."""
    pid = daemon_pid(settings)
    if pid is None:
        return False
    with step("Stopping the AWS API"):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        while daemon_pid(settings) is not None:
            if time.monotonic() > deadline:
                say(f"The daemon (process {pid}) did not end in {STOP_TIMEOUT:g} s: killed.")
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.05)
    return True


def await_hosts(settings: Settings) -> None:
    """Wait for the hosts that existed when the cloud went down."""
    due = [each for each in instances(settings) if each["state"] in ("pending", "running")]
    if due:
        with step(f"Booting {len(due)} hosts"):
            for each in due:
                await_quietly(IPv4Address(each["ip"]))


def await_quietly(address: IPv4Address) -> None:
    """Wait for SSH. Report a host without SSH; the cloud counts as up anyway."""
    try:
        await_ssh(address)
    except HostError as error:
        say(str(error))


def instances(settings: Settings) -> list[dict[str, Any]]:
    """Return the instances that the API lists; none when the API is down."""
    return list((status(settings) or {"instances": []})["instances"])


def status(settings: Settings) -> dict[str, Any] | None:
    """Return the status that the daemon reports, or None."""
    if not Path("/sys/class/net", settings.bridge).exists():
        return None  # the address belongs to another program: send nothing to it
    try:
        with urllib.request.urlopen(settings.endpoint + STATUS_PATH, timeout=5) as answer:  # noqa: S310
            report: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return None
    return report
