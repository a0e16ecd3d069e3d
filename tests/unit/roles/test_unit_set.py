"""The module unit_set: its calls to systemd, and when it makes none."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible_modules import load, run

MODULE = load("unit_set")
NOW = datetime.now(UTC)
FRESH, OLD = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
BEFORE: dict[str, Any] = {"state": "active", "enabled": "enabled", "start": OLD, "change": OLD}

STARTED = {"state": "active", "start": FRESH, "change": FRESH}
EFFECTS: dict[str, dict[str, Any]] = {
    "start": STARTED,
    "restart": STARTED,
    "reload": {"change": FRESH},
    "stop": {"state": "inactive"},
    "enable": {"enabled": "enabled"},
    "mask": {"enabled": "masked"},
}


def moment(at: datetime | None) -> str:
    return at.strftime("%a %Y-%m-%d %H:%M:%S.%f UTC") if at else ""


@dataclass
class Fake:
    """A fake systemd with fixed units; it records the calls."""

    units: dict[str, dict[str, Any]]
    told: list[str] = field(default_factory=list)
    refuses: str = ""

    def answer(self, _module: Any, command: list[str], **_: Any) -> tuple[int, str, str]:
        verb, *names = command[1:]
        if verb == "show":
            return 0, "\n\n".join(self.shown(name) for name in names[names.index("--") + 1 :]), ""
        if verb == self.refuses:
            return 1, "", f"Job for {names[0]} failed."
        self.told.append(" ".join(command[1:]))
        for name in names:
            self.units[name] |= EFFECTS[verb]
        return 0, "", ""

    def shown(self, name: str) -> str:
        unit = {**BEFORE, **self.units[name]}
        return (
            f"Id={name}.service\nActiveState={unit['state']}\nUnitFileState={unit['enabled']}\n"
            f"NeedDaemonReload={unit.get('stale', 'no')}\nDropInPaths={unit.get('read', '')}\n"
            f"InactiveExitTimestamp={moment(unit['start'])}\n"
            f"StateChangeTimestamp={moment(unit['change'])}"
        )


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return a file that has just changed; units started an hour ago."""
    path = tmp_path / "settings"
    path.write_text("settings")
    return str(path)


def apply(
    monkeypatch: pytest.MonkeyPatch, systemd: Fake, *units: dict[str, Any], **more: Any
) -> dict[str, Any]:
    monkeypatch.setattr(
        MODULE.AnsibleModule, "run_command", lambda *a, **k: systemd.answer(*a, **k)
    )
    return run(MODULE, units=list(units), **more)


@pytest.mark.parametrize("verb", ["restart", "reload", "stop"])
def test_a_file_that_changed_after_the_start_is_read_once(
    monkeypatch: pytest.MonkeyPatch, file: str, verb: str
) -> None:
    """This happens after a run that was interrupted between the write and the restart."""
    systemd = Fake({"shop": {}})
    answer = apply(monkeypatch, systemd, {"name": "shop", f"{verb}_on": [file]})
    assert systemd.told == [f"{verb} shop"]
    assert answer["changed"] is True
    assert file in answer["diff"]["prepared"]
    again = apply(monkeypatch, systemd, {"name": "shop", f"{verb}_on": [file]})
    assert systemd.told == [f"{verb} shop"]
    assert again["changed"] is False


def test_a_file_that_was_read_is_left_alone(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    systemd = Fake({"shop": {"start": FRESH, "change": FRESH}})
    lists = {"restart_on": [file], "reload_on": [file], "stop_on": [file], "report_on": [file]}
    answer = apply(monkeypatch, systemd, {"name": "shop", **lists})
    assert systemd.told == []
    assert (answer["changed"], answer["due"]) == (False, [])


def test_a_reload_after_the_change_counts_for_a_reload_and_not_for_a_restart(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    systemd = Fake({"shop": {"start": OLD, "change": FRESH}})
    assert not apply(monkeypatch, systemd, {"name": "shop", "reload_on": [file]})["changed"]
    assert apply(monkeypatch, systemd, {"name": "shop", "restart_on": [file]})["changed"]


def test_a_restart_makes_a_reload_needless(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    systemd = Fake({"shop": {}})
    apply(monkeypatch, systemd, {"name": "shop", "restart_on": [file], "reload_on": [file]})
    assert systemd.told == ["restart shop"]


def test_what_is_only_to_be_reported_is_left_running(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    systemd = Fake({"shop": {}})
    answer = apply(monkeypatch, systemd, {"name": "shop", "running": True, "report_on": [file]})
    assert systemd.told == []
    assert (answer["changed"], answer["due"]) == (False, ["shop"])


def test_a_unit_that_does_not_run_is_started_and_not_restarted(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    systemd = Fake({"shop": {"state": "inactive", "enabled": "disabled", "start": None}})
    unit = {"name": "shop", "enabled": True, "running": True, "restart_on": [file]}
    answer = apply(monkeypatch, systemd, unit, check=True)
    assert systemd.told == []
    assert answer["steps"] == ["enable shop", "start shop"]
    assert apply(monkeypatch, systemd, unit)["steps"] == ["enable shop", "start shop"]
    assert systemd.told == ["enable shop", "start shop"]
    assert apply(monkeypatch, systemd, unit)["changed"] is False


def test_a_unit_waits_for_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    release = tmp_path / "current"
    unit = {"name": "shop", "running": True, "needs": str(release)}
    systemd = Fake({"shop": {"state": "inactive"}})
    assert apply(monkeypatch, systemd, unit)["changed"] is False
    release.mkdir()
    assert apply(monkeypatch, systemd, unit)["steps"] == ["start shop"]


def test_a_timer_is_stopped_before_it_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    systemd = Fake({"apt.timer": {}})
    unit = {"name": "apt.timer", "running": False, "masked": True}
    assert apply(monkeypatch, systemd, unit)["changed"] is True
    assert systemd.told == ["stop apt.timer", "mask apt.timer"]
    assert apply(monkeypatch, systemd, unit)["changed"] is False


def test_units_are_changed_in_their_order_each_as_the_one_before_left_it(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    systemd = Fake({"proxy.socket": {}, "proxy": {}})
    socket = {"name": "proxy.socket", "stop_on": [file]}
    proxy = {"name": "proxy", "running": True, "restart_on": [file]}
    apply(monkeypatch, systemd, socket, proxy)
    assert systemd.told == ["stop proxy.socket", "restart proxy"]


def test_a_unit_that_was_just_restarted_is_not_reloaded_too(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    systemd = Fake({"proxy": {}})
    units = [{"name": "proxy", f"{verb}_on": [file]} for verb in ("restart", "reload")]
    apply(monkeypatch, systemd, *units)
    assert systemd.told == ["restart proxy"]


def test_systemd_reads_a_changed_unit_before_it_restarts_it(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    systemd = Fake({"shop": {"stale": "yes"}})
    monkeypatch.setattr(Fake, "answer", _reloading(Fake.answer))
    apply(monkeypatch, systemd, {"name": "shop", "restart_on": [file]})
    assert systemd.told == ["daemon-reload", "restart shop"]


@pytest.mark.parametrize(("read", "told"), [(False, ["daemon-reload"]), (True, [])])
def test_systemd_reads_a_drop_in_whose_directory_is_new(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, read: bool, told: list[str]
) -> None:
    """Without this, PostgreSQL stayed down after a crash: systemd itself does not notice it."""
    drop_in = tmp_path / "shop.service.d/restart.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nRestart=on-failure\n")
    monkeypatch.setattr(MODULE, "DROP_INS", tmp_path)
    systemd = Fake({"shop": {"read": str(drop_in) if read else ""}})
    apply(monkeypatch, systemd, {"name": "shop", "running": True})
    assert systemd.told == told


def _reloading(answer: Any) -> Any:
    def also(self: Fake, module: Any, command: list[str], **more: Any) -> Any:
        if command[1] == "daemon-reload":
            self.units["shop"].pop("stale")
        return answer(self, module, command, **more)

    return also


def test_a_plan_counts_the_files_that_it_would_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    new = str(tmp_path / "new")
    systemd = Fake({"shop": {}})
    unit = {"name": "shop", "restart_on": [new]}
    assert apply(monkeypatch, systemd, unit, check=True)["changed"] is False
    assert apply(monkeypatch, systemd, unit, check=True, planned=[new])["changed"] is True
    assert systemd.told == []


def test_a_file_that_is_missing_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unit = {"name": "shop", "restart_on": [f"{tmp_path}/none"]}
    answer = apply(monkeypatch, Fake({"shop": {}}), unit)
    assert answer["failed"] is True
    assert f"{tmp_path}/none does not exist" in answer["msg"]


def test_what_systemd_refuses_is_an_error_in_its_words(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    systemd = Fake({"shop": {}}, refuses="restart")
    answer = apply(monkeypatch, systemd, {"name": "shop", "restart_on": [file]})
    assert answer["failed"] is True
    assert "Job for shop failed." in answer["msg"]


def test_the_files_time_is_that_of_its_last_change_of_any_kind(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """A moved file keeps its modification time."""
    os.utime(file, (0, 0))
    systemd = Fake({"shop": {}})
    assert apply(monkeypatch, systemd, {"name": "shop", "restart_on": [file]})["changed"] is True
