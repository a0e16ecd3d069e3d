"""The action for an instance, given its host."""

from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace

import pytest

from local_cloud import follower as module
from local_cloud.errors import HostError
from local_cloud.follower import Action, due
from local_cloud.host import Host
from local_cloud.settings import Settings
from tests.unit.local_cloud.examples import instance

ABSENT = {"exists": False, "runs": False, "halted": False}
RUNNING = {"exists": True, "runs": True, "halted": False}
DEAD = {"exists": True, "runs": False, "halted": False}
HALTED = {"exists": True, "runs": False, "halted": True}


@pytest.mark.parametrize(
    ("state", "host", "expected"),
    [
        ("pending", ABSENT, Action.BOOT),
        ("pending", DEAD, Action.BOOT),
        (
            "pending",
            RUNNING,
            Action.BOOT,
        ),  # the daemon was killed between boot and record: a second boot does nothing
        ("running", RUNNING, None),
        ("running", DEAD, Action.BOOT),  # the machine was restarted, or the host was killed
        ("running", HALTED, Action.FOLLOW_SHUTDOWN),  # shut down from inside
        ("stopping", RUNNING, Action.HALT),
        ("stopping", HALTED, Action.HALT),
        ("stopped", HALTED, None),
        ("stopped", RUNNING, Action.HALT),
        ("shutting-down", RUNNING, Action.REMOVE),
        ("shutting-down", ABSENT, Action.REMOVE),
        ("terminated", HALTED, Action.REMOVE),
        ("terminated", ABSENT, None),
    ],
)
def test_what_is_due(state: str, host: dict[str, bool], expected: Action | None) -> None:
    assert due(instance(state=state), **host) == expected


@pytest.mark.parametrize(("state", "expected"), [("running", Action.REBOOT), ("stopped", None)])
def test_a_reboot_is_due_only_while_it_runs(state: str, expected: Action | None) -> None:
    host = RUNNING if state == "running" else HALTED
    assert due(instance(state=state, reboot=True), **host) == expected


class FakeMachine:
    """A host that boots or fails."""

    name = "i-0123456789abcdef0"

    def __init__(self, *, exists: bool, leader: int | None) -> None:
        self.exists = exists
        self.leader = leader
        self.host = SimpleNamespace(address=IPv4Address("10.77.1.4"))

    def create(self, host: Host) -> None:
        self.host = host  # type: ignore[assignment]

    def start(self) -> None:
        """Do nothing."""

    def log_end(self) -> str:
        return "Its console is empty."


def boot(
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    *,
    exists: bool,
    leader: int | None,
    answers: bool,
    ip: str = "10.77.1.4",
) -> tuple[str, str]:
    """Boot the host of an instance; return its old and new state."""
    settled: list[tuple[str, str]] = []

    def await_ssh(address: IPv4Address) -> None:
        if not answers:
            raise HostError(f"{address} did not respond by SSH within 60 s.")

    monkeypatch.setattr(module, "await_ssh", await_ssh)
    monkeypatch.setattr(module, "settle", lambda _, old, new, *__: settled.append((old, new)))
    settings = Settings(Path("/s"), Path("/c"))
    machine = FakeMachine(exists=exists, leader=leader)
    follower = module.Follower(settings, (), lambda: None)
    follower.boot(instance(state=state, ip=ip), machine)  # type: ignore[arg-type]
    (only,) = settled
    return only


def test_a_booted_host_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = boot(monkeypatch, "pending", exists=False, leader=7, answers=True)
    assert arrived == ("pending", "running")


def test_a_first_boot_that_fails_terminates(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = boot(monkeypatch, "pending", exists=False, leader=None, answers=False)
    assert arrived == ("pending", "shutting-down")


def test_an_address_that_no_host_can_have_terminates(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = boot(monkeypatch, "pending", exists=False, leader=7, answers=True, ip="172.31.0.9")
    assert arrived == ("pending", "shutting-down")


@pytest.mark.parametrize("state", ["pending", "running"])
def test_a_host_with_a_disk_is_never_thrown_away(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    arrived = boot(monkeypatch, state, exists=True, leader=None, answers=False)
    assert arrived == (state, "stopping")


def test_a_host_without_ssh_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = boot(monkeypatch, "pending", exists=True, leader=7, answers=False)
    assert arrived == ("pending", "running")
