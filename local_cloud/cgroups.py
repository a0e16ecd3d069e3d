"""Make control groups for each host, on machines whose systemd does not.

Without them the systemd of every host would use the same groups, and treat the processes of other
hosts as its own.
"""

import contextlib
import os
import shlex
import signal
import time
from pathlib import Path

from local_cloud.settings import Settings

ROOT = Path("/sys/fs/cgroup")
PARENT = "cart-canary"


def hierarchies() -> list[Path]:
    """Return the roots of the hierarchies in which systemd tracks processes."""
    if Path("/run/systemd/system").is_dir():
        return []
    if (ROOT / "cgroup.procs").exists():
        return [ROOT]
    return [path for path in (ROOT / "systemd", ROOT / "unified") if path.is_dir()]


def cgroup_paths(settings: Settings, name: str) -> list[Path]:
    """Return the groups of host ``name``, or none if the machine's systemd makes them."""
    return [root / PARENT / f"{settings.bridge}-{name}" for root in hierarchies()]


def join_commands(paths: list[Path]) -> str:
    """Return shell commands that move the shell itself into the groups."""
    return "\n".join(
        f"mkdir -p {shlex.quote(str(path))}; echo $$ > {shlex.quote(str(path))}/cgroup.procs"
        for path in paths
    )


def remove_cgroups(settings: Settings, name: str) -> None:
    """Remove the groups of host ``name``. The last host also removes the parent."""
    for path in cgroup_paths(settings, name):
        deadline = time.monotonic() + 2
        while path.exists() and time.monotonic() < deadline:
            _remove_tree(path)
            time.sleep(0.01)
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def strays(settings: Settings) -> list[str]:
    """Return the names of all hosts that have groups, including unknown hosts."""
    prefix = f"{settings.bridge}-"
    found = {path.name for root in hierarchies() for path in (root / PARENT).glob(f"{prefix}*")}
    return sorted(name.removeprefix(prefix) for name in found)


def kill_members(settings: Settings, name: str) -> None:
    """Kill every process in the groups of host ``name``."""
    for path in cgroup_paths(settings, name):
        for listing in path.rglob("cgroup.procs"):
            for pid in listing.read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _remove_tree(path: Path) -> None:
    """Remove a tree of groups, leaves first. One with a dying process stays until the next try."""
    leaves_first = sorted((entry for entry in path.rglob("*") if entry.is_dir()), reverse=True)
    for group in [*leaves_first, path]:
        with contextlib.suppress(OSError):
            group.rmdir()
