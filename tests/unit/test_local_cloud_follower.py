"""What is due for an instance, given what its host is."""

import pytest
from local_cloud.follower import Action, due

from tests.unit.local_cloud_examples import instance

ABSENT = {"exists": False, "runs": False, "halted": False}
RUNNING = {"exists": True, "runs": True, "halted": False}
DEAD = {"exists": True, "runs": False, "halted": False}
HALTED = {"exists": True, "runs": False, "halted": True}


@pytest.mark.parametrize(
    ("state", "host", "expected"),
    [
        ("pending", ABSENT, Action.BOOT),
        ("pending", DEAD, Action.BOOT),
        ("pending", RUNNING, Action.BOOT),  # killed between boot and note: booting again is a no-op
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
