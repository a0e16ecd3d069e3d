"""Check, before any change, whether this machine can run the local cloud.

``python -m local_cloud.preflight`` ends with status 0 if the machine could boot hosts once the
Debian packages are installed, else with 1 and the reason.
"""

import contextlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from local_cloud.cgroups import hierarchies
from local_cloud.commands import run
from local_cloud.errors import CommandError, PreflightError
from local_cloud.network import refuse_foreign_route
from local_cloud.settings import Settings

# The required programs, and the Debian packages that contain them.
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "setsid": "util-linux",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
STILL_RUNS = "What runs anywhere: make demo, canary try, canary analyze, make test-unit."


def preflight(settings: Settings) -> None:
    """Raise PreflightError with the first reason why this machine cannot run the cloud."""
    require_linux()
    require_root()
    require_programs()
    require_overlay(settings.state)
    require_cgroups()
    require_firewall()
    refuse_foreign_route(settings)


def cannot_boot(settings: Settings) -> str:
    """Return why this machine cannot boot hosts, in a few words; empty if it can."""

    def programs() -> None:
        require_programs()
        require_firewall()

    return could_not_boot(settings) or first_sentence(programs)


def could_not_boot(settings: Settings) -> str:
    """Return why this machine could not boot hosts even if all programs were installed."""
    there = settings.state.exists()

    def machine() -> None:
        require_linux()
        require_root()
        require_overlay(settings.state)
        require_cgroups()

    try:
        return first_sentence(machine)
    finally:
        if not there:
            with contextlib.suppress(OSError):
                settings.state.rmdir()


def first_sentence(check: Callable[[], None]) -> str:
    """Return the first sentence of a preflight error, or an empty string without an error."""
    try:
        check()
    except PreflightError as error:
        return str(error).split(". ")[0]
    return ""


def require_linux() -> None:
    system = platform.system()
    if system != "Linux":
        raise PreflightError(f"The local cloud needs Linux, and this is {system}. {STILL_RUNS}")


def require_root() -> None:
    if os.geteuid() != 0:
        raise PreflightError(
            f"The local cloud boots hosts, which needs root; you are user {os.geteuid()}. "
            f"Type: sudo -E local-cloud up. {STILL_RUNS}"
        )


def require_programs(find: Callable[[str], str | None] = shutil.which) -> None:
    missing = [program for program in PROGRAMS if find(program) is None]
    if missing:
        packages = sorted({PROGRAMS[program] for program in missing})
        raise PreflightError(
            f"Not installed: {', '.join(missing)}. Type: apt-get install -y {' '.join(packages)}"
        )


def require_overlay(state: Path) -> None:
    """Try an overlay mount in the file system of the state directory, in a new namespace."""
    state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="preflight-", dir=state) as directory:
        parts = [Path(directory, part) for part in ("lower", "upper", "work", "root")]
        for part in parts:
            part.mkdir()
        lower, upper, work, root = map(str, parts)
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = f'mount -t overlay local-cloud "{root}" -o "{options}"'
        try:
            run("unshare", "--mount", "sh", "-c", mount)
        except CommandError as error:
            raise PreflightError(
                f"Cannot mount an overlay in {state}. The local cloud needs mount rights and "
                f"a file system such as ext4 or xfs: a virtual machine has them, most containers "
                f"do not. Choose another directory: LOCAL_CLOUD_STATE=/path. {STILL_RUNS} ({error})"
            ) from None


def require_cgroups() -> None:
    for root in hierarchies():
        if not os.access(root, os.W_OK):
            raise PreflightError(
                f"{root} is read-only, and hosts need control groups of their own. A virtual "
                f"machine has them, most containers do not. {STILL_RUNS}"
            )


def require_firewall() -> None:
    try:
        run("nft", "list", "tables")
    except CommandError as error:
        raise PreflightError(
            f"nftables does not work on this kernel, and hosts need it for their network. {error}"
        ) from None


if __name__ == "__main__":
    if reason := could_not_boot(Settings.load()):
        sys.exit(reason)
