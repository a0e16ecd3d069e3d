"""The controller of a canary: its files, the commands that follow and stop it, and its service."""

from __future__ import annotations

import dataclasses
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from canary.cli import background
from canary.cli.background import ENVIRONMENT, start, write_environment
from canary.cli.controller import Controller, alive, find, left
from canary.cli.stop import stopped
from canary.errors import CanaryError, RecordingError, StateError
from canary.live.files import LiveFiles, read, written
from canary.model import Event, Verdict
from canary.rollout.checkpoint import Checkpoint, first
from canary.rollout.context import Request
from canary.rollout.mark import Mark, Stage
from canary.rollout.notify import Notifier
from canary.rollout.outcome import Ending
from canary.simulation import policy_text
from tests.support.report_examples import judgements, recording
from tests.unit.canary.cli_shell import Shell, replaced, shell

canary = pytest.fixture(shell, name="canary")
NAME = "20261128T090000Z-0001"
REQUEST = Request(NAME, "test", ("blue", "green"), "me@here (process 1)", "v2")
JUDGED = judgements(0.0, Verdict.PASS)
STARTED = Event(5, "step", "green carries 5 %")
HOLD = """
import sys, time
from pathlib import Path
from canary.cli.controller import Controller, alive, find, left
with Controller(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    found = tmp_path / ".run/test/canaries" / NAME
    found.mkdir(parents=True)
    (found / "policy.yml").write_text(policy_text(), encoding="utf-8")
    return found


def checkpoint() -> Checkpoint:
    return first(REQUEST, 0, 1_800_000_000.0)


def test_a_canary_has_one_controller_until_that_is_dead(directory: Path) -> None:
    controller = Controller(directory)
    assert controller.process() is None
    command = [sys.executable, "-c", HOLD, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert controller.process() == other.pid
        with (
            pytest.raises(StateError, match=f"is running \\(process {other.pid}\\)"),
            controller.held(),
        ):
            pass
        other.kill()
    assert controller.process() is None
    with controller.held():
        assert Controller(directory).process() == os.getpid()
    assert controller.process() is None


def test_the_canary_that_is_meant_is_not_always_the_newest(directory: Path) -> None:
    refused = directory.with_name("20261129T090000Z-0002")  # while the other controller ran
    refused.mkdir()
    assert find(directory.parent, None, alive) == refused
    with Controller(directory).held():
        assert find(directory.parent, None, alive) == directory
    Controller(directory).write(checkpoint())
    assert find(directory.parent, None, left) == directory


@pytest.mark.parametrize("command", ["attach", "stop"])
def test_a_canary_without_a_controller_to_find_is_named(
    canary: Shell, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    made = replaced(monkeypatch)
    monkeypatch.setattr("canary.cli.elsewhere.state_of", lambda _: made.state)
    observing = Path(".run/test/canaries") / NAME
    observing.mkdir(parents=True)
    (observing / "policy.yml").write_bytes(canary.policy.read_bytes())
    status, _, err = canary(command, "--env", "test")
    assert status == 2
    assert "it is a drill, or only observes" in err


def test_a_copy_of_its_files_is_refused(directory: Path) -> None:
    with Controller(directory).held():
        pass
    copy = directory.with_name("copy")
    copy.mkdir()
    (copy / "controller.lock").write_bytes((directory / "controller.lock").read_bytes())
    said = f"in {directory}, and these are copies"
    with pytest.raises(StateError, match=said), Controller(copy).held():
        pass
    (directory / "controller.lock").write_text('{"process": 1, "ho')  # torn by a kill
    with Controller(directory).held():
        pass


def test_a_checkpoint_is_private_whole_and_removed_at_the_end(directory: Path) -> None:
    controller = Controller(directory)
    assert controller.load() is None
    controller.write(checkpoint())
    (directory / "checkpoint.json.new").write_text("cut sho")
    assert controller.load() == checkpoint()
    assert stat.S_IMODE((directory / "checkpoint.json").stat().st_mode) == 0o600
    (directory / ENVIRONMENT).write_text("SECRET=x")
    assert [controller.told(), controller.told()] == [False, True]
    controller.forget()
    assert controller.load() is None
    assert not (directory / ENVIRONMENT).exists()
    controller.forget()
    (directory / "checkpoint.json").write_bytes(b"\xff")
    with pytest.raises(RecordingError, match="cannot be read"):
        controller.load()


def test_a_line_that_a_kill_tore_is_dropped_and_the_page_goes_on(directory: Path) -> None:
    files = LiveFiles(directory)
    files.event(STARTED)
    files.look(recording(), JUDGED[:2])
    for name in ("events.jsonl", "judgements.jsonl"):
        with (directory / "live" / name).open("a") as torn:
            torn.write('{"time": 1, "ki')
    events, judged = written(directory)
    again = LiveFiles(directory)
    again.begin_with(events, judged)
    again.event(Event(6, "resumed", "another one continues"))
    again.look(recording(), JUDGED[:3])
    found = read(directory)
    assert [event.kind for event in found.events] == ["step", "resumed"]
    assert [one.at for one in found.judgements] == [one.at for one in JUDGED[1:3]]


def test_nobody_is_told_twice_after_a_kill() -> None:
    sent: list[str] = []
    earlier = (STARTED, Event(6, "warning", "slow"))

    def send(title: str, _body: str) -> bool:
        sent.append(title)
        return True

    notifier = Notifier(send, "canary v2", sent.append, earlier)
    for kind, sentence in (("warning", "slow"), ("resumed", "x"), ("end", "PASS: y")):
        notifier.event(Event(7, kind, sentence))
    notifier.close()
    assert sent == ["canary v2: PASS"]


def test_the_environment_of_a_unit_is_private_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / ENVIRONMENT
    given = {
        "PLAIN": "a b",
        "QUOTES": "\"double\" 'single' $HOME `id` \\ back",
        "BASH_FUNC_x%%": "() { :; }",
        "LINES": "a\nb",
    }
    write_environment(path, given)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    script = f'. {path}; printf "%s\\n%s" "$PLAIN" "$QUOTES"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"{given['PLAIN']}\n{given['QUOTES']}"
    assert "LINES" not in path.read_text()


def test_systemd_starts_it_again_after_a_kill_and_not_after_a_stop(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = directory / "bin"
    tools.mkdir()
    (tools / "systemd-run").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {directory}/asked\n')
    (tools / "systemd-run").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(background, "BOOTED", directory)
    monkeypatch.setattr("os.getuid", lambda: 0)
    service = start(directory, "test", {"TOKEN": "secret"})
    assert (service.unit, service.lost) == (f"canary-test-{NAME}.service", ())
    asked = (directory / "asked").read_text().splitlines()
    assert "--property=Restart=on-abnormal" in asked, "a kill, and no exit status or SIGTERM"
    assert "--property=KillMode=mixed" in asked
    assert f"--property=EnvironmentFile={directory / ENVIRONMENT}" in asked
    assert asked[asked.index("--") + 1 :] == [
        sys.executable,
        *("-m", "canary", "resume", NAME, "--policy", str(directory / "policy.yml")),
    ]
    assert "secret" not in " ".join(asked), "everybody can read a unit"
    (tools / "systemd-run").write_text("#!/bin/sh\necho no bus >&2; exit 1\n")
    with pytest.raises(CanaryError, match=r"systemd did not start .*: no bus"):
        start(directory, "test", {})


def test_without_a_unit_for_its_user_the_service_says_what_is_lost(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(background, "BOOTED", directory / "nowhere")
    monkeypatch.setattr(background, "_process", lambda _, command: commands.append(command))
    service = start(directory, "test", {})
    assert service.unit == ""
    assert "nothing starts the controller again" in service.lost[0]
    assert service.lost[0].endswith(f"canary resume {NAME} --env test")
    assert len(commands) == 1
    assert not (directory / ENVIRONMENT).exists()


def test_a_final_verdict_outlives_a_stop() -> None:
    ending = Ending(Verdict.FAIL, "slower", judged=True)
    frozen = dataclasses.replace(checkpoint(), mark=Mark(Stage.HOLD, ending=ending))
    assert stopped(frozen).mark == Mark(Stage.END, ending=ending)
    committed = dataclasses.replace(checkpoint(), mark=Mark(Stage.COMMIT))
    assert stopped(committed) is committed
    found = stopped(checkpoint()).mark
    assert found.ending == Ending(None, "Stopped by canary stop")
