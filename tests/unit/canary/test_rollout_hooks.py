"""The policy's hooks: their placeholders, and the sentences about failures."""

from __future__ import annotations

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
    run = commands(tmp_path, "false", "{colour}", on_failure="continue").run
    assert run("deploy", VALUES) == (
        "The deploy hook ended with status 1 and printed nothing. To see why, type it by hand: "
        f"false {VALUES['colour']}"
    )


def test_a_command_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HookError, match=r"could not be started.*no-such-program"):
        commands(tmp_path, "no-such-program").run("deploy", VALUES)


def test_what_a_command_prints_cannot_steer_the_terminal(tmp_path: Path) -> None:
    script = r"printf '\033[31mred\033[0m \033]0;title\007 \010x\n'; exit 1"
    run = commands(tmp_path, "sh", "-c", script, on_failure="continue").run
    assert run("deploy", VALUES).endswith("\n    red   x")


def test_a_directory_for_the_output_is_made(tmp_path: Path) -> None:
    assert commands(tmp_path / "new/place", "echo", "done").run("deploy", VALUES) == ""
    assert log(tmp_path / "new/place") == "done\n"
