"""HAProxy, through ``shop-traffic`` on the proxy host, over SSH with a forced command.

The key can do nothing but this program's words; the program prints one line of JSON, or
refuses with a sentence on stderr. One SSH connection is opened and shared (ControlMaster), so
a word takes some ten milliseconds.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from canary.environment import HaproxyTraffic
from canary.errors import TrafficError
from canary.policy import COUNTERS
from canary.traffic.base import TIMES, Drill, Status

MAX_REASON = 1_000
SSH_FAILED = 255  # ssh's own exit status for "could not connect"
Counters = dict[str, Annotated[int, Field(ge=0)]]


class _Lease(BaseModel):
    until: float | None = None


class _Drill(BaseModel):
    errors: float
    delay: int
    writes: bool


class _Response(BaseModel):
    """The JSON that ``shop-traffic`` prints for status, set, release and promote.

    Unknown keys are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    live: Annotated[str, Field(min_length=1)]
    weights: dict[str, Annotated[int, Field(ge=0, le=256)]]
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]]
    states: dict[str, str]
    lease: _Lease
    fallback: tuple[str, ...] = ()
    releases: dict[str, str] = {}
    clocks: dict[str, int] = {}
    metrics_until: dict[str, int] = {}
    requests: Counters
    errors: Counters
    retries: Counters
    redispatches: Counters
    connection_errors: Counters = {}
    response_errors: Counters = {}
    check_failures: Counters = {}
    timed: Counters = {}
    microseconds: Counters = {}
    since: int | None = None
    drill: _Drill | None = None


class Haproxy:
    """The proxy of one environment. With ``drill``, it adds that to a candidate's responses."""

    def __init__(
        self, settings: HaproxyTraffic, *, ssh: str = "ssh", drill: Drill | None = None
    ) -> None:
        self._settings = settings
        self._ssh = ssh
        self._drill = drill

    def describe(self) -> str:
        return f"HAProxy on {self._settings.host}, as {self._settings.user}"

    def status(self) -> Status:
        return parse_status(self.ask("status"))

    def set(self, candidate: str, share: float, lease: int, matched: str | None = None) -> Status:
        words = ["set", "--candidate", candidate, "--share", f"{share:.6g}", "--lease", str(lease)]
        if matched is not None:
            words += ["--baseline-server", matched, "--matched"]
        if self._drill is not None:
            words += ["--errors", f"{self._drill.errors:.6f}", "--delay", str(self._drill.delay)]
            words += ["--writes"] if self._drill.writes else []
        return parse_status(self.ask(*words))

    def renew(self, lease: int) -> None:
        self.ask("renew", "--lease", str(lease))

    def release(self) -> Status:
        """Try the shared connection, then a new one, in case the shared one is stuck."""
        try:
            return parse_status(self.ask("release"))
        except TrafficError:
            return parse_status(self.ask("release", shared=False))

    def promote(self, colour: str, *, leased: bool = False) -> Status:
        words = ["--leased"] if leased else []
        return parse_status(self.ask("promote", "--colour", colour, *words))

    def standby(self, colour: str, *, may: bool) -> Status:
        words = [] if may else ["--off"]
        return parse_status(self.ask("standby", "--colour", colour, *words))

    def ask(self, *words: str, shared: bool = True) -> str:
        """Run ``shop-traffic`` with these words, and return what it printed."""
        # The words reach the proxy as one line, which it splits as a shell does.
        command = [*self._connection(shared=shared), *map(shlex.quote, words)]
        asked = f"shop-traffic {' '.join(words)} on {self._settings.host}"
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self._settings.timeout,
                check=False,
                start_new_session=True,  # the terminal's Ctrl-C is ours to handle, not ssh's
            )
        except subprocess.TimeoutExpired as error:
            raise TrafficError(
                f"{asked} did not respond within {self._settings.timeout:g} s"
            ) from error
        except OSError as error:
            raise TrafficError(f"{self._ssh} could not be started: {error}") from error
        if done.returncode == 0:
            return done.stdout
        reason = done.stderr.strip()[-MAX_REASON:] or f"exit status {done.returncode}"
        if done.returncode == SSH_FAILED:
            why = reason.rstrip(".")  # ssh ends some of its sentences itself
            raise TrafficError(f"The proxy can't be reached: {why}. {self._remedy(reason)}")
        raise TrafficError(f"{asked} was refused: {reason}")

    def _remedy(self, reason: str) -> str:
        """Return what to do about a failed connection."""
        settings = self._settings
        if f"{settings.key} not accessible" in reason:
            return (
                "Run the playbook with the role cart.canary.proxy first. It creates the key where "
                "proxy_canary_key says, and environment: traffic: key must name the same file"
            )
        if "Host key verification failed" in reason:
            return (
                f"{settings.known_hosts} does not have the host's key. For a new host, store it, "
                f"and compare its fingerprint: ssh-keyscan -p {settings.port} {settings.host} > "
                f"{settings.known_hosts}"
            )
        return f"Check by hand: ssh -i {settings.key} -p {settings.port} {self._login()} status"

    def _login(self) -> str:
        return f"{self._settings.user}@{self._settings.host}"

    def _connection(self, *, shared: bool) -> list[str]:
        settings = self._settings
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": settings.known_hosts,
            "ConnectTimeout": str(max(1, int(settings.timeout / 2))),
            "ServerAliveInterval": "2",
            "ServerAliveCountMax": "2",
            "LogLevel": "ERROR",
        }
        if shared:
            options |= {
                "ControlMaster": "auto",
                "ControlPath": str(_control_directory() / "%C"),
                "ControlPersist": "60",
            }
        else:
            options |= {"ControlMaster": "no", "ControlPath": "none"}
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        where = ["-F", "none", "-i", settings.key, "-p", str(settings.port)]
        return [self._ssh, *where, *flags, self._login()]


def parse_status(text: str) -> Status:
    """Parse and check the JSON that ``shop-traffic`` printed."""
    try:
        response = _Response.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the response"
        raise TrafficError(
            f"The proxy's response is not a status: {where}: {fault['msg']}; it was {text[:200]!r}"
        ) from error
    for other in (response.states, response.shares):
        if different := set(response.weights) ^ set(other):
            names = ", ".join(sorted(different))
            raise TrafficError(f"The proxy's response is incomplete for {names}")
    return Status(
        live=response.live,
        weights=response.weights,
        shares=response.shares,
        states=response.states,
        fallback=response.fallback,
        releases={name: release for name, release in response.releases.items() if release},
        clocks=response.clocks,
        metrics_until=response.metrics_until,
        lease_until=response.lease.until,
        counters={name: getattr(response, name) for name in COUNTERS + TIMES},
        drill=Drill(**response.drill.model_dump()) if response.drill else None,
        can_drill="drill" in response.model_fields_set,
        started=response.since,
    )


def _control_directory() -> Path:
    """Return a private directory for the shared connection; its path must stay short."""
    path = Path(tempfile.gettempdir()) / f"canary-ssh-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise TrafficError(f"{path} has another owner, or other users can access it; remove it")
    return path
