"""One local cloud for all end-to-end tests; the demonstration boots it and runs once.

With KEEP in the environment, the cloud stays up, so a second run of these tests on the same commit
needs no new demonstration. The caller must destroy the cloud, as ``.ci/run`` does. If a failed test
left the cloud without its proxy or a shop, the second run makes a new cloud.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.preflight import cannot_boot
from local_cloud.settings import Settings
from tests.e2e.demo import STORY, all_up, answer
from tests.support.paths import ROOT
from tests.support.releases import git
from tests.support.session_cloud import SessionCloud

KEEP = "CART_CANARY_KEEP_CLOUD"


@pytest.fixture(scope="session")
def story() -> Iterator[dict[str, Any]]:
    """The result of ``make demo``; its output is in .run/local/demo.log."""
    if reason := cannot_boot(Settings.load()):
        pytest.skip(reason)
    was_up = answer("local-cloud", "status", "--json")["state"] == "up"
    keep = os.environ.get(KEEP) == "1"
    if was_up and keep and not serves():
        destroy()
    if not (was_up and keep and told_of_this_commit()):
        demonstrate()
    yield json.loads(STORY.read_text(encoding="utf-8"))
    if not was_up and not keep:
        destroy()


def destroy() -> None:
    """Remove the cloud, and the demonstration's record of it."""
    subprocess.run(["local-cloud", "destroy"], cwd=ROOT, check=True)
    STORY.unlink(missing_ok=True)


def serves() -> bool:
    """Return whether proxy and state agree on the live release, and all servers are up."""
    command = ["canary", "status", "--env", "local", "--json"]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE)
    return done.returncode == 0 and all_up(json.loads(done.stdout))


def told_of_this_commit() -> bool:
    """Return whether the last demonstration succeeded with this commit."""
    if not STORY.exists():
        return False
    return bool(json.loads(STORY.read_text(encoding="utf-8"))["commit"] == git("rev-parse", "HEAD"))


def demonstrate() -> None:
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


@pytest.fixture(scope="session")
def cloud(story: dict[str, Any]) -> SessionCloud:
    """The cloud after the demonstration: ``site.yml`` applied, a release on both colours.

    A test may release, promote, roll back and stop services. At its end both colours must serve.
    """
    assert story
    run = Path(os.environ.get("CART_CANARY_RUN", ROOT / ".run")).resolve()
    return SessionCloud(Settings.load(), run)
