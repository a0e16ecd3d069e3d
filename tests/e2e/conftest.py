"""The demonstration, run once; the tests ask what it left behind, and then disturb it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.demo import STORY, answer
from tests.support.paths import ROOT


@pytest.fixture(scope="session")
def story() -> Iterator[dict[str, Any]]:
    """What ``make demo`` told; its output is in .run/local/demo.log."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("booting hosts needs Linux and root")
    was_up = answer("local-cloud", "status", "--json")["state"] == "up"
    log = ROOT / ".run/local/demo.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.demo"],
            cwd=ROOT,
            check=False,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    assert done.returncode == 0, "\n".join(log.read_text(errors="replace").splitlines()[-60:])
    yield json.loads(STORY.read_text(encoding="utf-8"))
    if not was_up:
        subprocess.run(["local-cloud", "destroy"], cwd=ROOT, check=True)
