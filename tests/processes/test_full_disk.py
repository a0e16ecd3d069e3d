"""The full disk of the fault suite: a sandboxed unit sees it before and after a restart.

It runs in a mount namespace of its own. A process with another one, made as systemd makes it, is
the unit.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.chaos.disks import emptying, filling

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")

HOST = """
set -eu
mount -t tmpfs shm /dev/shm
mount -t tmpfs root {top}
mount --make-rshared /
mkdir {directory} {top}/bin
export PATH={top}/bin:$PATH
echo old > {directory}/kept
cat > {top}/bin/systemctl <<'END'
#!/bin/sh
test "$1" = show && exec cat {top}/pid
cd {top} && kill $(cat pid) && exec {top}/bin/unit
END
cat > {top}/bin/unit <<'END'
#!/bin/sh
unshare --mount --propagation slave sh -c '
  mount --bind {directory} {directory}
  mount -o remount,bind,ro {top}
  exec sleep 600' >/dev/null 2>&1 &
echo $! > {top}/pid
until grep -q " {top} ro" /proc/$!/mountinfo; do sleep 0.05; done
END
chmod +x {top}/bin/*
inside() {{ nsenter --mount --target $(cat {top}/pid) sh -c "$1" 2>/dev/null; }}
write() {{ inside "cat {top}/bin/unit > {directory}/$1" && echo "$1: yes" || echo "$1: no"; }}
trap 'kill $(cat {top}/pid)' EXIT
unit
"""


def told(top: Path, *steps: str) -> list[str]:
    """Run these steps on such a host, and return what they print."""
    directory = f"{top}/state"
    script = HOST.format(top=top, directory=directory)
    fill, empty = (
        f"sh -eu <<'END'\n{make(directory, 'shop')}\nEND\n" for make in (filling, emptying)
    )
    script += "\n".join(steps).replace("FILL\n", fill).replace("EMPTY\n", empty)
    command = ["unshare", "--mount", "--propagation", "private", "sh"]
    done = subprocess.run(
        command, input=script, check=False, capture_output=True, text=True, timeout=120
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout.splitlines()


RESTARTED = "kill $(cat {top}/pid); unit"


@pytest.mark.parametrize("between", ["true", RESTARTED], ids=["running", "restarted"])
def test_a_unit_meets_the_full_disk_until_it_is_emptied(tmp_path: Path, between: str) -> None:
    lines = told(
        tmp_path,
        "write before",
        "FILL\n",
        between.format(top=tmp_path),
        "write meanwhile",
        "EMPTY\n",
        "write after",
        f"cd {tmp_path}/state && ls",
    )
    assert lines[:3] == ["before: yes", "meanwhile: no", "after: yes"]
    assert {"after", "before", "kept"} <= set(lines[3:])
    assert "chaos-filler" not in lines


def test_emptying_a_disk_that_is_not_full_changes_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, "EMPTY\n", "write after") == ["after: yes"]
