"""State in files: the same guarantees as on AWS, with two machines, crashes and damage."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from canary.cli.assemble import state_of
from canary.environment import parse_environment
from canary.errors import LockLostError, PolicyError, StateError
from canary.state.base import Holder, Live, Row
from canary.state.files import FileState
from canary.state.proxy_lock import ProxyLock
from tests.support.shared_locks import ProxyHost
from tests.unit.canary.test_environment import GOOD

NOW = 1_800_000_000.0
ROW = Row("c1", NOW, NOW + 90, "PASS", 0, "v1 aaa", "v2 bbb", "green", "ann@here", "no harm")
ENVIRONMENT = parse_environment({**GOOD, "state": "file"})


@pytest.fixture
def host(tmp_path: Path) -> ProxyHost:
    (tmp_path / "proxy").mkdir()
    return ProxyHost(tmp_path / "proxy")


def laptop(directory: Path, host: ProxyHost) -> FileState:
    return FileState(directory, ENVIRONMENT, ProxyLock(host.ask, "local"))


@pytest.fixture
def state(tmp_path: Path, host: ProxyHost) -> FileState:
    return laptop(tmp_path / "state", host)


def test_history_and_calibration_need_no_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    judged_only = parse_environment({**GOOD, "state": "file", "traffic": None})
    state = state_of(judged_only)
    state.store("calibration.json", b"{}", {})
    assert state.history(5) == []
    assert (tmp_path / ".run/local/state/objects/calibration.json").is_file()
    with pytest.raises(PolicyError, match="has no traffic section"):
        state.holder()


def test_what_is_live_is_kept_and_is_one_of_the_two_colours(
    state: FileState, tmp_path: Path
) -> None:
    typed = "canary deploy REF --env local --everywhere.*canary promote --env local"
    with pytest.raises(StateError, match=rf"There is no .*live\.json.*{typed}"):
        state.live()
    for live in (Live("green"), Live("blue", "1a2b3c4d5e6f")):
        state.set_live(live)
        assert state.live() == live
    state.set_live(Live("red"))
    with pytest.raises(StateError, match=r"names the colour 'red'; it must be blue or green"):
        state.live()
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["live.json"]


def test_history_comes_newest_first_and_whole(state: FileState) -> None:
    assert state.history(5) == []
    for name in ("20270101T000000Z-aa", "20270103T000000Z-aa", "20270102T000000Z-aa"):
        state.remember(replace(ROW, canary=name))
    newest = state.history(2)
    assert [row.canary[:8] for row in newest] == ["20270103", "20270102"]
    assert newest[0] == replace(ROW, canary="20270103T000000Z-aa")


def test_objects_are_found_again_by_their_absolute_path(state: FileState) -> None:
    assert state.find("releases/x.tar.gz") is None
    state.store("releases/x.tar.gz", b"body", {})
    found = state.find("releases/x.tar.gz")
    assert found is not None
    assert Path(found.url).is_absolute(), "hooks run in other directories"
    assert Path(found.url).read_bytes() == state.fetch("releases/x.tar.gz") == b"body"
    with pytest.raises(StateError, match="cannot be read"):
        state.fetch("releases/y.tar.gz")
    for outside in ("../live.json", "canaries/../../live.json", "/etc/passwd"):
        with pytest.raises(StateError, match="is not the name of a stored object"):
            state.store(outside, b"", {})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "Expecting value"),
        ('{"colour": "blue", "rel', "Unterminated"),
        ('{"colour": "blue"}', "release: "),
        ("[]", "dictionary"),
        ("[" * 20_000, ""),
    ],
)
def test_a_torn_file_is_named_with_what_to_type(
    state: FileState, tmp_path: Path, content: str, why: str
) -> None:
    state.set_live(Live("blue"))
    state.remember(ROW)
    for name in ("live.json", "history/c1.json"):
        (tmp_path / "state" / name).write_text(content)
    with pytest.raises(StateError, match=rf"live\.json is damaged \(.*{why}.*--colour blue"):
        state.live()
    with pytest.raises(StateError, match=r"c1\.json is damaged .*Remove it: rm .*c1\.json"):
        state.history(5)
    state.set_live(Live("green"))
    assert state.live() == Live("green"), "naming the colour repairs it"


def test_the_lock_is_shared_by_two_machines(tmp_path: Path, host: ProxyHost) -> None:
    ann, bob = laptop(tmp_path / "ann", host), laptop(tmp_path / "bob", host)
    mine = Holder("c1", "ann@here (process 7)", NOW, NOW + 60)
    assert ann.take(mine, None)
    assert bob.holder() == mine
    assert not bob.take(Holder("c2", "bob@there", NOW, NOW + 60), None)
    ann.free(mine)
    assert bob.holder() is None
    with pytest.raises(StateError, match="The lock of local was lost: it is free now"):
        ann.renew(mine)
    bob.take(Holder("c2", "bob@there", NOW, NOW + 60), None)
    with pytest.raises(LockLostError, match="was lost: canary c2 of bob@there has it now"):
        ann.renew(mine)


def test_a_machine_learns_that_its_files_are_behind(tmp_path: Path, host: ProxyHost) -> None:
    ann, bob = laptop(tmp_path / "ann", host), laptop(tmp_path / "bob", host)
    for each in (ann, bob):
        each.set_live(Live("blue"))
        assert each.missed() == ""
    ann.remember(ROW)
    assert ann.missed() == ""
    assert f"last change is c1 by ann@here, and the files in {tmp_path}/bob" in bob.missed()
    bob.remember(replace(ROW, canary="c2", verdict="COULD NOT RUN", who="bob@there"))
    assert ann.missed() == "", "a change that did not know the last one is none"
    assert bob.missed() != ""
    bob.set_live(Live("blue"))
    assert bob.missed() == "", "who names the colour has taken note"
    bob.remember(replace(ROW, canary="c3", who="bob@there"))
    assert "c3 by bob@there" in ann.missed()


def test_copied_files_know_what_their_machine_knew(tmp_path: Path, host: ProxyHost) -> None:
    ann, bob = laptop(tmp_path / "ann", host), laptop(tmp_path / "bob", host)
    ann.set_live(Live("green", "r2"))
    ann.remember(ROW)
    (tmp_path / "ann").rename(tmp_path / "bob")
    assert bob.missed() == ""
    assert (bob.live(), bob.history(9)) == (Live("green", "r2"), [ROW])


def test_an_unreachable_proxy_is_told_as_a_trouble_of_the_lock(tmp_path: Path) -> None:
    host = ProxyHost(tmp_path)
    (tmp_path / "holder.json").write_text("{")
    with pytest.raises(StateError, match=r"The lock of local is on the proxy: .*refused"):
        ProxyLock(host.ask, "local").holder()
    with pytest.raises(StateError, match=r"not one: 'what\?'.*run the role proxy"):
        ProxyLock(lambda *_: "what?", "local").holder()


def test_alarms_are_not_in_files(state: FileState) -> None:
    assert state.alarms([]) == {}
    with pytest.raises(StateError, match="The alarms Slow are CloudWatch's"):
        state.alarms(["Slow"])
    with pytest.raises(StateError, match="with state: kind: aws"):
        state.alarm_changes(5)
    bake = {"duration": 60, "alarms": ["Slow"]}
    with pytest.raises(PolicyError, match="alarms are CloudWatch's, and state: file reads none"):
        parse_environment({**GOOD, "state": {"kind": "file"}, "bake": bake})


def _write_for_ever(directory: Path) -> None:
    class Free:
        holder = take = renew = free = record = staticmethod(lambda *_: None)
        last = staticmethod(lambda: None)

    state = FileState(directory, ENVIRONMENT, Free())  # type: ignore[arg-type]
    long = "r" * 50_000  # many blocks, so that a half-written file would be seen
    while True:
        for colour in ("blue", "green"):
            state.set_live(Live(colour, colour * 1000 + long))
            state.remember(replace(ROW, reason=colour * 1000 + long))


def test_a_reader_and_a_killed_writer_never_leave_half_a_file(
    state: FileState, tmp_path: Path
) -> None:
    state.set_live(Live("blue"))
    fork = multiprocessing.get_context("fork")
    for _ in range(5):
        writers = [
            fork.Process(target=_write_for_ever, args=(tmp_path / "state",)) for _ in range(2)
        ]
        for writer in writers:
            writer.start()
        end = time.monotonic() + 0.3
        while time.monotonic() < end or not state.history(1) or not state.live().release:
            assert state.live().colour in ("blue", "green")
            state.history(5)
        for writer in writers:
            os.kill(writer.pid or 0, signal.SIGKILL)
            writer.join()
        live = json.loads((tmp_path / "state" / "live.json").read_text())
        assert live["release"].startswith(live["colour"] * 1000)
        assert [row.reason[:4] in ("blue", "gree") for row in state.history(5)] == [True]


def test_a_full_disk_is_a_sentence_and_changes_nothing(
    state: FileState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.set_live(Live("blue"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match=r"live\.json cannot be written: .*No space left"):
        state.set_live(Live("green"))
    assert state.live() == Live("blue")
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["live.json"]
