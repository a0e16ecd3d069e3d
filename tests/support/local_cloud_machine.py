"""A local cloud for tests, and everything that it could leave behind on the machine."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local_cloud.kernel import REMEMBERED, WANTED
from local_cloud.settings import Settings
from tests.support.waiting import wait_for

COMMAND = str(Path(sys.executable).with_name("local-cloud"))


@dataclass(frozen=True)
class Traces:
    """Everything on the machine that a cloud changes, without the changes of other clouds."""

    links: frozenset[str]
    tables: frozenset[str]
    mounts: frozenset[str]
    namespaces: frozenset[str]
    groups: frozenset[str]
    processes: frozenset[str]
    kernel: tuple[str, ...]


def traces(settings: Settings) -> Traces:
    """Read the state of the machine from ``ip``, ``nft`` and /proc."""
    strangers = foreign_bridges(settings)

    def ours(name: str) -> bool:
        return not any(stranger in name for stranger in strangers)

    links = (str(link["ifname"]) for link in json.loads(output("ip", "-json", "link")))
    mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    groups = filter(Path.is_dir, Path("/sys/fs/cgroup").glob("*/cart-canary/*"))
    return Traces(
        links=frozenset(filter(ours, links)),
        tables=frozenset(filter(ours, output("nft", "list", "tables").splitlines())),
        mounts=frozenset(filter(ours, mounts)) - {"/run/netns"},
        namespaces=frozenset(filter(ours, output("ip", "netns", "list").splitlines())),
        groups=frozenset(filter(ours, map(str, groups))),
        processes=frozenset(processes(str(settings.state))),
        kernel=tuple(as_before(setting, together=bool(strangers)) for setting in WANTED),
    )


def as_before(setting: Path, *, together: bool) -> str:
    """Return a kernel setting, or its original value while other clouds use it."""
    note = REMEMBERED / setting.name
    return (note if together and note.exists() else setting).read_text().strip()


def foreign_bridges(settings: Settings) -> list[str]:
    """Return the bridges of other local clouds."""
    found = json.loads(output("ip", "-json", "-details", "link", "show", "type", "bridge"))
    named = [str(link["ifname"]) for link in found if "ifalias" in link]
    return [name for name in named if name != settings.bridge]


def processes(word: str) -> list[str]:
    """Return the command lines with ``word``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if word in command and "pytest" not in command:
            found.append(command)
    return found


def output(*command: str) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return finished.stdout


class Cloud:
    """A separate local cloud, used through its command."""

    def __init__(self, settings: Settings, key: Path) -> None:
        self.settings = settings
        self.key = key

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            capture_output=True,
            text=True,
            check=check,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **self.settings.environment()},
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.settings.endpoint,
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - any is accepted
            config=Config(retries={"max_attempts": 0}),
        )

    def ssh_command(self, address: str, command: str) -> list[str]:
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        return ["ssh", "-i", str(self.key), *options.split(), f"admin@{address}", command]

    def ssh(self, address: str, command: str) -> str:
        """Run ``command`` on a host with the private key of its key pair."""
        return output(*self.ssh_command(address, command)).strip()

    def instance(self, instance_id: str) -> dict[str, Any]:
        found = self.client("ec2").describe_instances(InstanceIds=[instance_id])
        instance: dict[str, Any] = found["Reservations"][0]["Instances"][0]
        return instance

    def state(self, instance_id: str) -> str:
        name: str = self.instance(instance_id)["State"]["Name"]
        return name

    def await_state(self, instance_id: str, state: str) -> float:
        """Wait until the instance is in ``state``, and return the seconds."""
        began = time.monotonic()
        wait_for(lambda: self.state(instance_id) == state, f"{instance_id} {state}")
        return time.monotonic() - began
