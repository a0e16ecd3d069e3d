"""The README of ``examples/settings``: a change of settings is judged without a deployment.

It uses a real HAProxy, two servers and the commands as printed. A program named ssh copies the
settings to the servers of this machine.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bare_world import Bare, bare_world, shorten
from tests.support.canary_load import Quiet
from tests.support.marks import needs_haproxy
from tests.support.paths import ROOT
from tests.support.walkthrough import COMMITTER, Said, sections, type_in

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    needs_haproxy,
]
EXAMPLE = ROOT / "examples/settings"
SHORTER = {
    "period: 10s": "period: 2s",
    "warmup: 20s": "warmup: 4s",
    "minimum: 1m30s": "minimum: 20s",
    "negligible: 0.5%": "negligible: 3%",
}
UPSTREAM = 20.0
"""Mean response time of the upstream in milliseconds; 13 % of its responses take over 40."""
SSH = """\
#!/bin/sh
# In the place of ssh: takes settings to the servers of this machine, and commands to its proxy.
case "$*" in
  *admin@192.0.2.11*) colour=blue ;;
  *admin@192.0.2.12*) colour=green ;;
  *) exec {python} {root}/tests/support/canary_ssh.py "$@" ;;
esac
settings=$(cat)
release=${{settings##*RELEASE=}}
echo "$settings" > {settings}/$release
echo "$colour $release" >> {deployed}
"""


class Greeter(Quiet):
    """Fails if the upstream takes longer than the timeout in its settings."""

    settings: Path

    def do_GET(self) -> None:  # noqa: N802
        if self.path == "/" and random.expovariate(1 / UPSTREAM) > self._timeout():
            self.send_response(504)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def _timeout(self) -> float:
        release = self.server.release()
        if not release:
            return 500.0
        found = re.search(r"TIMEOUT_MS=(\d+)", (self.settings / release).read_text())
        assert found
        return float(found[1])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bare]:
    monkeypatch.setattr(Greeter, "settings", tmp_path, raising=False)
    with bare_world(monkeypatch, Greeter) as made:
        places = {"settings": tmp_path, "deployed": made.deployed}
        script = SSH.format(python=sys.executable, root=ROOT, **places)
        (made.directory / "bin/ssh").write_text(script)
        for path in EXAMPLE.iterdir():
            shutil.copy(path, made.repository)
        shorten(made.repository / "policy.yml", SHORTER)
        yield made


def typed(world: Bare, heading: str, status: int = 0) -> Said:
    [block, *_] = sections(EXAMPLE / "README.md")[heading]
    said = type_in(block, world.repository, {**world.environment(), **COMMITTER})
    assert said.status == status, f"{heading}: {said}"
    return said


def test_a_good_change_of_settings_is_released_and_a_bad_one_refused(world: Bare) -> None:
    first = typed(world, "Install the settings of today")
    assert "blue is live, green is its standby" in first.out
    typed(world, "Release a good change")
    released = world.release("green")
    bad = typed(world, "Release a bad change", status=1)
    assert "Errors: " in bad.out
    status = json.loads(world.run("status", "--env", "prod", "--json").stdout)
    assert (status["live"], status["release"]) == ("green", released)
    assert status["proxy"]["shares"] == {"blue-1": 0.0, "green-1": 1.0}
    rows = json.loads(world.run("history", "--env", "prod", "--json").stdout)
    assert [row["verdict"] for row in rows] == ["FAIL", "PASS", "DEPLOYED"]
