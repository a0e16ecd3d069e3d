"""The policy's commands: what they are told, what they may take, what is kept of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from canary.environment import Hooks
from canary.errors import HookError
from canary.rollout.hooks import Commands

VALUES = {"colour": "green", "release": "abc123", "sha256": "f" * 64}


def commands(tmp_path: Path, *words: str, **options: Any) -> Commands:
    hooks = Hooks.model_validate({"deploy": {"command": list(words), **options}})
    return Commands(hooks, tmp_path)


def log(tmp_path: Path) -> str:
    return (tmp_path / "hook-deploy-green.log").read_text()


def test_a_command_gets_its_placeholders_and_the_environment(tmp_path: Path) -> None:
    run = commands(tmp_path, "sh", "-c", 'echo "$0 $CANARY_RELEASE [{verdict}]"', "c={colour}").run
    assert run("deploy", VALUES) == ""
    assert log(tmp_path) == "c=green abc123 []\n"


def test_values_never_reach_a_shell(tmp_path: Path) -> None:
    run = commands(tmp_path, "echo", "{release}").run
    run("deploy", {**VALUES, "release": "$(id); rm -rf /"})
    assert log(tmp_path) == "$(id); rm -rf /\n"


def test_a_hook_that_the_policy_does_not_name_is_not_there(tmp_path: Path) -> None:
    made = commands(tmp_path, "true")
    assert made.has("deploy")
    assert not made.has("smoke")
    assert made.run("smoke", VALUES) == ""


def test_a_failing_command_aborts_with_the_end_of_its_output(tmp_path: Path) -> None:
    script = "for n in $(seq 1 40); do echo line $n; done; exit 3"
    with pytest.raises(HookError) as failed:
        commands(tmp_path, "sh", "-c", script).run("deploy", VALUES)
    message = str(failed.value)
    assert "The deploy hook ended with status 3" in message
    assert "line 40" in message
    assert "line 25\n" not in message, "only the last 15 lines"
    assert str(tmp_path / "hook-deploy-green.log") in message


def test_a_failing_command_may_be_let_pass(tmp_path: Path) -> None:
    run = commands(tmp_path, "false", on_failure="continue").run
    assert run("deploy", VALUES) == "The deploy hook ended with status 1 and said nothing"


def test_a_command_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HookError, match=r"could not be started.*no-such-program"):
        commands(tmp_path, "no-such-program").run("deploy", VALUES)


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    script = f"sleep 30 & echo $! > {tmp_path}/child; wait"
    began = time.monotonic()
    with pytest.raises(HookError, match=r"did not end within 0\.5 s; it was stopped"):
        commands(tmp_path, "sh", "-c", script, timeout=0.5).run("deploy", VALUES)
    assert time.monotonic() - began < 5
    child = int((tmp_path / "child").read_text())
    end = time.monotonic() + 5
    while alive(child):
        assert time.monotonic() < end, "what the command started still runs"
        time.sleep(0.01)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is Linux's")
def test_a_command_does_not_outlive_a_killed_canary(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/hook; exec sleep 60"
    program = (
        "import pathlib, sys; from canary.environment import Hooks;"
        "from canary.rollout.hooks import Commands;"
        f"hooks = Hooks.model_validate({{'deploy': {{'command': ['sh', '-c', {script!r}]}}}});"
        f"Commands(hooks, pathlib.Path({str(tmp_path)!r})).run('deploy', {{}})"
    )
    canary = subprocess.Popen([sys.executable, "-c", program])
    end = time.monotonic() + 60
    while not (kept := tmp_path / "hook").exists() or not kept.read_text():
        assert time.monotonic() < end, "the hook did not start"
        time.sleep(0.05)
    canary.kill()
    canary.wait()
    while alive(int(kept.read_text())):
        assert time.monotonic() < end, "the hook still runs"
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Tell whether a process still runs; one that is only waiting to be reaped does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
