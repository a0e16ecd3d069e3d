"""The policy's commands: what they are told, what they may take, what is kept of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from canary.environment import Hooks
from canary.errors import HookError, Interruption
from canary.rollout.hooks import Commands
from canary.rollout.system import Signals
from tests.support.waiting import wait_for

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


def test_a_playbook_that_fails_is_told_by_its_cause_and_not_by_its_recap(tmp_path: Path) -> None:
    recap = "\n".join(f"host-{n} : ok=9 failed=0" for n in range(20))
    output = f"""ok: [a]
fatal: [b]: FAILED! => \n    msg: Release 1a2b3c4d5e6f does not respond on green-1
PLAY RECAP ****
{recap}
"""
    script = f"cat <<'EOF'\n{output}EOF\nexit 2"
    with pytest.raises(HookError, match="msg: Release 1a2b3c4d5e6f does not respond on green-1"):
        commands(tmp_path, "sh", "-c", script).run("deploy", VALUES)


def test_a_failing_command_may_be_let_pass(tmp_path: Path) -> None:
    run = commands(tmp_path, "false", on_failure="continue").run
    assert run("deploy", VALUES) == "The deploy hook ended with status 1 and printed nothing"


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
    wait_for(lambda: not alive(child), "what the command started ends", 5, 0.01)


STUBBORN = "trap '' TERM; echo $$ > {path}/child; while :; do sleep 0.1; done"


def stubborn(tmp_path: Path) -> str:
    """Start a child that does not heed SIGTERM, and wait until it runs."""
    child = STUBBORN.format(path=tmp_path)
    return (
        f'sh -c "{child.replace("$", chr(92) + "$")}" & until [ -s {tmp_path}/child ]; do :; done'
    )


@pytest.mark.parametrize(
    ("end", "complaint"),
    [("exit 0", ""), ("exit 3", "ended with status 3"), ("sleep 60", "did not end within")],
)
def test_nothing_that_a_command_started_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, complaint: str
) -> None:
    monkeypatch.setattr("canary.rollout.hooks.GRACE", 0.3)
    script = f"{stubborn(tmp_path)}; {end}"
    run = commands(tmp_path, "sh", "-c", script, timeout=2, on_failure="continue").run
    assert complaint in run("deploy", VALUES)
    assert not alive(int((tmp_path / "child").read_text()))


def test_a_signal_to_canary_ends_a_stubborn_command_within_a_second(tmp_path: Path) -> None:
    run = commands(tmp_path, "sh", "-c", f"{stubborn(tmp_path)}; wait", timeout=60).run
    signals = Signals()
    asked = []

    def ask() -> None:
        wait_for((tmp_path / "child").exists, "the command starts")
        asked.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    with signals.handled():
        threading.Thread(target=ask).start()
        with pytest.raises(Interruption):
            run("deploy", VALUES)
    assert time.monotonic() - asked[0] < 1.5  # a second, and a slow machine
    assert not alive(int((tmp_path / "child").read_text()))


def test_a_command_that_prints_without_end_costs_a_few_megabytes_and_no_time(
    tmp_path: Path,
) -> None:
    script = "head -c 40000000 /dev/zero | tr '\\0' 'x'; echo; echo the end; exit 1"
    run = commands(tmp_path, "sh", "-c", script, on_failure="continue").run
    began = time.process_time()
    complaint = run("deploy", VALUES)
    assert time.process_time() - began < 2
    assert complaint.endswith("\n    the end")
    assert len(complaint) < 1_000
    size = (tmp_path / "hook-deploy-green.log").stat().st_size
    assert 4_000_000 < size < 4_500_000
    assert b"bytes were cut here]" in (tmp_path / "hook-deploy-green.log").read_bytes()


def test_what_a_command_prints_cannot_steer_the_terminal(tmp_path: Path) -> None:
    script = r"printf '\033[31mred\033[0m \033]0;title\007 \010x\n'; exit 1"
    run = commands(tmp_path, "sh", "-c", script, on_failure="continue").run
    assert run("deploy", VALUES).endswith("\n    red   x")


def test_a_child_that_left_the_group_does_not_keep_canary(tmp_path: Path) -> None:
    run = commands(tmp_path, "sh", "-c", "setsid sleep 5 & echo done").run
    began = time.monotonic()
    assert run("deploy", VALUES) == ""
    assert time.monotonic() - began < 4
    assert log(tmp_path) == "done\n"


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
    kept = tmp_path / "hook"
    wait_for(lambda: kept.exists() and kept.read_text(), "the hook starts", 60)
    canary.kill()
    canary.wait()
    wait_for(lambda: not alive(int(kept.read_text())), "the hook ends", 60)


def alive(process: int) -> bool:
    """Tell whether a process still runs; one that is only waiting to be reaped does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
