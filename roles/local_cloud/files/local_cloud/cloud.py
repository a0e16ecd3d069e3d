"""Raise the cloud, lower it, remove it: what ``local-cloud up``, ``down`` and ``destroy`` do."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local_cloud.cgroups import remove_cgroups
from local_cloud.emulator import environment
from local_cloud.errors import DaemonError
from local_cloud.host import Machine, names
from local_cloud.image import Image
from local_cloud.network import raise_network, remove_network
from local_cloud.preflight import preflight
from local_cloud.progress import say, step
from local_cloud.seed import make_key
from local_cloud.settings import Settings

START_TIMEOUT = 30.0
STOP_TIMEOUT = 30.0


def up(settings: Settings) -> bool:
    """Bring the cloud up; False if it was."""
    if daemon_pid(settings) is not None and answers(settings):
        return False
    preflight(settings)
    image = Image(settings.images)
    image.build()
    make_key(settings)
    settings.record()
    raise_network(settings)
    with step(f"Starting AWS at {settings.endpoint}"):
        start_daemon(settings, image)
    return True


def down(settings: Settings) -> bool:
    """Halt the daemon and all hosts; disks and state stay. False if nothing ran."""
    was = stop_daemon(settings)
    running = [name for name in names(settings) if Machine(settings, name).pid is not None]
    if running:
        with step(f"Halting {len(running)} hosts"), ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: Machine(settings, name).stop(), running))
    return was or bool(running)


def destroy(settings: Settings) -> bool:
    """Remove every process, interface, rule and file that is ours; False if there was none."""
    if not settings.state.exists():
        return False
    stop_daemon(settings)
    with step("Removing hosts, network and state"):
        for name in names(settings):
            Machine(settings, name).remove()
        for directory in settings.hosts.glob("*"):
            remove_cgroups(settings, directory.name)
        remove_network(settings)
        shutil.rmtree(settings.state)
    return True


def daemon_pid(settings: Settings) -> int | None:
    """Return the daemon's process id while it lives."""
    try:
        pid = int((settings.state / "daemon.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if "local_cloud.daemon" in command else None


def start_daemon(settings: Settings, image: Image) -> None:
    log = settings.state / "daemon.out"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local_cloud.daemon"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ
            | environment(settings.state / "images.json", image.key)
            | settings.environment(),
        )
    deadline = time.monotonic() + START_TIMEOUT
    while not answers(settings):
        if process.poll() is not None or time.monotonic() > deadline:
            last = " / ".join(log.read_text().strip().splitlines()[-2:])
            raise DaemonError(f"The daemon did not start: {last or 'it said nothing'}. See {log}")
        time.sleep(0.05)


def stop_daemon(settings: Settings) -> bool:
    """End the daemon in order; False if it did not run."""
    pid = daemon_pid(settings)
    if pid is None:
        return False
    with step("Stopping AWS"):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        while daemon_pid(settings) is not None:
            if time.monotonic() > deadline:
                say(f"The daemon (process {pid}) did not end in {STOP_TIMEOUT:g} s: killed.")
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.05)
    (settings.state / "daemon.pid").unlink(missing_ok=True)
    return True


def answers(settings: Settings) -> bool:
    """Say whether the endpoint answers HTTP now."""
    if not Path("/sys/class/net", settings.bridge).exists():
        return False
    try:
        with urllib.request.urlopen(f"{settings.endpoint}/moto-api/", timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
