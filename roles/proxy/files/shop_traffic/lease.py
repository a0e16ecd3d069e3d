"""The lease: a transient systemd timer that returns traffic to live unless it is renewed."""

from __future__ import annotations

import subprocess
import time
from typing import Protocol

from shop_traffic.config import RefusedError

PROGRAM = "/usr/local/sbin/shop-traffic"
LONGEST = 3600.0
SECONDS = 5.0


class Timer(Protocol):
    def arm(self, seconds: float) -> str:
        """Schedule ``release --expired NAME`` in ``seconds``; return NAME."""

    def disarm(self, name: str) -> None: ...


class SystemdTimer:
    """One transient timer per lease. A renewal arms a new timer before it removes the old one."""

    def arm(self, seconds: float) -> str:
        name = f"shop-traffic-lease-{time.time_ns()}"
        run(
            "systemd-run",
            "--quiet",
            "--collect",
            f"--unit={name}",
            f"--on-active={seconds:.3f}s",
            "--timer-property=AccuracySec=100ms",
            # HAProxy may be restarting, so retry until it takes the weights.
            "--property=Restart=on-failure",
            "--property=RestartSec=200ms",
            "--property=StartLimitIntervalSec=0",
            PROGRAM,
            "release",
            "--expired",
            name,
        )
        return name

    def disarm(self, name: str) -> None:
        run("systemctl", "stop", f"{name}.timer")


def run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.CalledProcessError as error:
        raise RefusedError(f"{' '.join(command[:1])} failed: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"{command[0]} could not be run: {error}") from error


def checked(seconds: float) -> float:
    if not 1 <= seconds <= LONGEST:
        raise RefusedError(f"A lease of {seconds:g} s is not between 1 and {LONGEST:g} s.")
    return seconds
