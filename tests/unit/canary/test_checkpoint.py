"""The checkpoint of a canary: its content, a full disk, damage."""

from __future__ import annotations

import pytest

from canary.errors import RecordingError
from canary.model import Verdict
from canary.rollout.checkpoint import checkpoint_from_text, checkpoint_to_text
from tests.unit.canary.resume_world import calls, check, good
from tests.unit.canary.rollout_world import World


def test_a_full_disk_ends_no_canary_and_an_old_checkpoint_raises_no_weight() -> None:
    life = good()
    raised = calls(good()).index("traffic.set")

    def fill(_world: World, elapsed: int) -> None:
        life.full = life.full or elapsed >= 10

    life.during = fill
    outcome = life.start()
    assert outcome.verdict is Verdict.PASS
    assert any("No space left on device" in warning for warning in outcome.warnings)

    second = good()
    second.during = lambda _world, elapsed: setattr(second, "full", elapsed >= 10)
    names = calls(good())
    at = names.index("traffic.set", raised + 1) + 5
    second.until_death(at, second.start, late=False)
    second.away()
    second.full = False
    outcome = second.resume()
    assert outcome.verdict is None
    assert "instead of 20.0%" in outcome.reason
    check(second, "old checkpoint")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is damaged"),
        ('{"version": 1, "checkp', "is damaged"),
        ("[]", "is damaged"),
        ('{"version": 1, "checkpoint": {}}', "is damaged: time: Field required"),
        ('{"version": 9, "checkpoint": {}}', "has version 9"),
    ],
)
def test_a_checkpoint_that_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said) as refused:
        checkpoint_from_text(text, "x/checkpoint.json")
    assert str(refused.value).startswith("x/checkpoint.json")
    assert "returns its traffic" in str(refused.value)


def test_a_checkpoint_reads_back_as_it_was_written() -> None:
    life = good()
    life.until_death(calls(good()).index("traffic.set") + 30, life.start, late=False)
    assert life.saved.comparison is not None
    assert life.saved.comparison.recording.looks
    assert checkpoint_to_text(life.saved) == life.text
