"""The dependencies of a release as wheels for the target's Python, verified by hash.

Hosts need no package index: what the lock names is downloaded once, here, and kept in a cache
under the lock's own hash.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from canary.errors import ArtifactError
from canary.reading import OBJECT, read_bytes

GLIBC_MINOR = 36  # Debian 12; wheels for any older glibc run there too
OLDEST_GLIBC_MINOR = 17


@dataclass(frozen=True, slots=True)
class Target:
    """The Python and platform of the hosts: Debian 12 on this machine's architecture."""

    python: str = "3.11"
    machine: str = "x86_64"

    @property
    def abi(self) -> str:
        return "cp" + self.python.replace(".", "")

    def pip_options(self) -> list[str]:
        """Return the options that make pip choose wheels for the target, not for this machine."""
        glibc = range(GLIBC_MINOR, OLDEST_GLIBC_MINOR - 1, -1)
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in glibc]
        platforms += [f"manylinux2014_{self.machine}", f"linux_{self.machine}"]
        options = ["--python-version", self.python, "--implementation", "cp"]
        for abi in (self.abi, "abi3", "none"):
            options += ["--abi", abi]
        for platform in platforms:
            options += ["--platform", platform]
        return options


def default_cache() -> Path:
    """Return the directory of downloaded wheels on this machine."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cart-canary" / "wheels"


def wheels(lock: bytes, target: Target, cache: Path) -> dict[str, bytes]:
    """Return the wheels that ``lock`` names, by file name, from the cache if they are there."""
    key = hashlib.sha256(lock + f"\n{target}".encode()).hexdigest()[:32]
    kept = cache / key
    if not kept.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as scratch:
            _download(lock, target, Path(scratch))
            _keep(Path(scratch) / "wheels", kept)
    return {path.name: read_bytes(path, OBJECT) for path in sorted(kept.glob("*.whl"))}


def _download(lock: bytes, target: Target, scratch: Path) -> None:
    requirements = scratch / "requirements.txt"
    requirements.write_bytes(lock)
    (scratch / "wheels").mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    command += ["--requirement", str(requirements), "--dest", str(scratch / "wheels")]
    done = subprocess.run(
        [*command, *target.pip_options()], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-3:]
        raise ArtifactError(
            f"The app's dependencies could not be downloaded for Python {target.python}: "
            f"{' '.join(reason)}"
        )


def _keep(found: Path, kept: Path) -> None:
    """Rename a complete download, so that an interrupted one leaves no partial cache."""
    try:
        found.rename(kept)
    except OSError:
        if not kept.is_dir():  # otherwise another build put the same wheels there first
            raise
