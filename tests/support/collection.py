"""The Ansible collection, built and installed as a user does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def build(checkout: Path, directory: Path) -> Path:
    """Build the archive of a checkout into ``directory``."""
    _ansible_galaxy("build", checkout, "--output-path", directory)
    (archive,) = directory.glob("cart-canary-*.tar.gz")
    return archive


def install(archive: Path, directory: Path) -> Path:
    """Install the archive alone, without the collections it depends on; return its directory."""
    _ansible_galaxy("install", archive, "--no-deps", "--collections-path", directory)
    return directory / "ansible_collections/cart/canary"


def _ansible_galaxy(verb: str, *words: str | Path) -> None:
    command = [BIN / "ansible-galaxy", "collection", verb, *words]
    done = subprocess.run(
        [str(word) for word in command],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
