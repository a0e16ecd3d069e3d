"""Run ``ansible-test sanity`` on the collection as a user would install it: no ignore file.

ansible-test works only in ``ansible_collections/cart/canary``, beside the imported collections. So
the archive is unpacked in a temporary directory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import ansible_collections

from tests.support import collection, wheels
from tests.support.paths import ROOT

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
IMPORTED = ("amazon", "ansible", "community")
HOME = ROOT / ".run/ansible-test"  # where it keeps its virtual environments
# Otherwise it downloads this file to install pip into them.
BOOTSTRAP = HOME / ".ansible/test/cache/get_pip_24_2.py"


def main() -> int:
    BOOTSTRAP.parent.mkdir(parents=True, exist_ok=True)
    BOOTSTRAP.write_text("import ensurepip\n\nensurepip.bootstrap(default_pip=True)\n")
    with tempfile.TemporaryDirectory(prefix="cart-canary-") as name:
        place = Path(name)
        archive = collection.build(wheels.checkout(place / "checkout"), place)
        installed = collection.install(archive, place)
        beside = Path(next(iter(ansible_collections.__path__)))
        for namespace in IMPORTED:
            (place / "ansible_collections" / namespace).symlink_to(beside / namespace)
        command = [str(collection.BIN / "ansible-test"), "sanity", "--python", PYTHON]
        environment = {**os.environ, "HOME": str(HOME)}
        return subprocess.run(command, cwd=installed, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
