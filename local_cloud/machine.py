"""A host: Debian under systemd, in namespaces, on an overlay of the base image.

A host is a directory: ``host.json`` is its record, ``upper`` holds the changes of its disk, ``pid``
names its supervisor. The host outlives the process that started it, and can be started again from
its directory. Its overlay is mounted in a separate mount namespace, so nothing stays mounted when
the host ends in any way. A tmpfs for the runtime files of nspawn is mounted there too: nspawn
reboots no host while they are on a disk.
"""

import json
import os
import shutil
import signal
import time
from dataclasses import asdict
from pathlib import Path

from local_cloud import network
from local_cloud.cgroups import cgroup_paths, join_commands, remove_cgroups
from local_cloud.commands import run
from local_cloud.errors import HostError
from local_cloud.host import Host
from local_cloud.processes import children, is_init, signal_process
from local_cloud.seed import seed
from local_cloud.settings import Settings

STOP_TIMEOUT = 25.0
DETACHED = "setsid --fork unshare --mount --propagation slave sh -c"
SUPERVISOR = "systemd-nspawn --quiet --boot --register=no --console=pipe"
# Signals to systemd as process 1: systemd(1), "Signals".
POWER_OFF = signal.SIGRTMIN + 4
CTRL_ALT_DELETE = signal.SIGINT
REBOOT = 133  # exit status of systemd-nspawn --keep-unit when the host reboots

# $1 host directory, $2 image root, then the command of the supervisor.
LAUNCH = """\
set -eu
directory=$1 image=$2; shift 2
exec >> "$directory/console.log" 2>&1 < /dev/null
{join}
mkdir -p "$directory/root"
mount -t overlay local-cloud "$directory/root" \
-o "lowerdir=$image,upperdir=$directory/upper,workdir=$directory/work"
mkdir -p /run/systemd/nspawn; mount -t tmpfs local-cloud /run/systemd/nspawn
echo $$ > "$directory/pid.new"; mv "$directory/pid.new" "$directory/pid"
status={reboot}
while [ "$status" = {reboot} ]; do
    status=0
    "$@" || status=$?
done
[ "$status" != 0 ] || touch "$directory/halted"
"""


class Machine:
    """The host ``name`` of one local cloud, with its directory and its operations."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.name = name
        self.directory = settings.hosts / name

    @property
    def exists(self) -> bool:
        return (self.directory / "host.json").exists()

    @property
    def host(self) -> Host:
        """Return the record of the host, stored when it was created."""
        try:
            record = json.loads((self.directory / "host.json").read_text())
        except FileNotFoundError:
            known = ", ".join(names(self.settings)) or "none"
            raise HostError(f'There is no host "{self.name}". Hosts: {known}.') from None
        lists = {name: tuple(record[name]) for name in ("keys", "nameservers")}
        return Host(**{**record, **lists})

    @property
    def pid(self) -> int | None:
        """Return the process id of the supervisor while the host runs."""
        try:
            pid = int((self.directory / "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if str(self.directory) in command.split("\0") else None

    @property
    def leader(self) -> int | None:
        """Return the process id of the host's systemd, as the controller sees it."""
        pid = self.pid
        family = (
            [] if pid is None else [grand for child in children(pid) for grand in children(child)]
        )
        return next((process for process in family if is_init(process)), None)

    @property
    def halted(self) -> bool:
        """Return whether the host was shut down cleanly since its last start."""
        return (self.directory / "halted").exists()

    def forget_halt(self) -> None:
        (self.directory / "halted").unlink(missing_ok=True)

    def create(self, host: Host) -> None:
        """Create the directory and the disk of the host if they are missing."""
        if self.exists:
            return
        shutil.rmtree(self.directory, ignore_errors=True)
        for part in ("upper", "work"):
            (self.directory / part).mkdir(parents=True, mode=0o755)
        seed(self.directory / "upper", Path(host.image), host, self.settings)
        record = json.dumps({**asdict(host)}, indent=2)
        (self.directory / "host.json.new").write_text(record)
        (self.directory / "host.json.new").rename(self.directory / "host.json")

    def start(self) -> None:
        """Boot the host if it is not running."""
        if self.pid is not None:
            return
        host = self.host
        if not Path(host.image).is_dir():
            raise HostError(
                f"The base image {host.image} of host {self.name} is missing; its disk is useless "
                "without it. Start again: local-cloud destroy && local-cloud up"
            )
        network.attach(self.settings, self.name, host.address)
        (self.directory / "pid").unlink(missing_ok=True)
        self.forget_halt()
        # The host has its own /proc/sys/net; the rest of /proc/sys is that of the controller.
        environment = {**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}
        run(*self._launch_command(host), environment=environment)
        self._await_pid()

    def _launch_command(self, host: Host) -> list[str]:
        paths = cgroup_paths(self.settings, self.name)
        script = LAUNCH.format(join=join_commands(paths), reboot=REBOOT)
        return [
            *DETACHED.split(),
            script,
            "launch",
            str(self.directory),
            host.image,
            *self._supervisor_command(managed=not paths),
        ]

    def _supervisor_command(self, *, managed: bool) -> list[str]:
        """Return the nspawn command; ``managed``: the systemd of the machine makes the groups."""
        return [
            *SUPERVISOR.split(),
            *([] if managed else ["--keep-unit"]),
            f"--machine={self.name}",
            "--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_RESOURCE,CAP_IPC_LOCK",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            f"--network-namespace-path=/run/netns/{network.namespace(self.settings, self.name)}",
            "--directory",
            str(self.directory / "root"),
        ]

    def _await_pid(self) -> None:
        deadline = time.monotonic() + 10
        while self.leader is None:
            if time.monotonic() > deadline:
                raise HostError(f"Host {self.name} did not boot. {self.log_end()}")
            time.sleep(0.02)

    def log_end(self) -> str:
        """Return the end of the console log."""
        log = self.directory / "console.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return f"Its console ends: {' / '.join(lines[-3:])}" if lines else "Its console is empty."

    def stop(self) -> None:
        """Shut the host down; kill it if that takes longer than STOP_TIMEOUT."""
        signal_process(self.leader, POWER_OFF)
        if not self._ended(STOP_TIMEOUT):
            self._kill()
        remove_cgroups(self.settings, self.name)

    def reboot(self) -> None:
        """Ask the host's systemd to reboot: same disk, same address."""
        leader = self.leader
        if leader is None:
            raise HostError(f"Host {self.name} does not run. Start it first.")
        signal_process(leader, CTRL_ALT_DELETE)

    def remove(self) -> None:
        """Kill the host and delete its disk."""
        self._kill()
        remove_cgroups(self.settings, self.name)
        if self.exists:
            network.detach(self.settings, self.name, self.host.address)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _kill(self) -> None:
        """Kill the host's systemd with all its processes, then the supervisor."""
        signal_process(self.leader, signal.SIGKILL)
        if not self._ended(2):
            signal_process(self.pid, signal.SIGKILL)
            self._ended(5)

    def _ended(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self.pid is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


def names(settings: Settings) -> list[str]:
    """Return the names of all hosts that have a directory."""
    return sorted(path.parent.name for path in settings.hosts.glob("*/host.json"))
