"""The unit of a detached canary on a real systemd: restarted after a kill, not after a stop."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from canary.cli.background import ENVIRONMENT, LOG, unit_command, write_environment
from tests.support.local_cloud_machine import Cloud
from tests.support.waiting import wait_for

pytestmark = pytest.mark.long
UNIT, THERE = "canary-test.service", Path("/root/c1")
SECRET = "a b $HOME `id` \"x\" \\ 'y'"
CONTROLLER = """#!/bin/sh
trap 'echo stopped; exit 2' TERM
printf '%s\\n' "$$ $PWD $TOKEN"
while :; do sleep 0.1; done
"""


def test_a_kill_starts_the_controller_again_and_a_stop_does_not(
    cloud: Cloud, app: str, tmp_path: Path
) -> None:
    address = cloud.instance(app)["PrivateIpAddress"]
    controller = tmp_path / "controller"
    controller.write_text(CONTROLLER, encoding="utf-8")
    write_environment(tmp_path / ENVIRONMENT, {"TOKEN": SECRET, "PATH": "/usr/bin:/bin"})

    def host(command: str) -> str:
        return cloud.ssh(address, f"sudo sh -c {shlex.quote(command)}")

    def lines() -> list[str]:
        return host(f"cat {THERE / LOG} 2>/dev/null || true").splitlines()

    host(f"mkdir -p {THERE}")
    for path in (controller, tmp_path / ENVIRONMENT):
        host(f"printf %s {shlex.quote(path.read_text())} > {THERE / path.name}")
    host(f"chmod +x {THERE / 'controller'}")
    words = unit_command(["systemd-run"], UNIT, THERE, Path("/srv"), [f"{THERE}/controller"])
    host(shlex.join(words))
    for number in range(1, 4):
        wait_for(lambda n=number: len(lines()) == n, f"controller {number} has started", 120)  # type: ignore[misc]
        process, directory, token = lines()[-1].split(" ", 2)
        assert (directory, token) == ("/srv", SECRET)
        if number < 3:
            host(f"kill -9 {process}")
    assert len({line.split()[0] for line in lines()}) == 3
    host(f"systemctl stop {UNIT}")
    assert lines()[-1] == "stopped"
    assert "inactive" in host(f"systemctl is-active {UNIT} || true")
    assert len(lines()) == 4, "SIGTERM and exit status 2 start nothing"
