"""Instances of the candidate that serve traffic and report no metrics."""

from __future__ import annotations

from typing import Any

import pytest

from canary.errors import ExitStatus
from tests.unit.canary.rollout_fakes import POLICY
from tests.unit.canary.rollout_world import FAIL, OPEN, World, after, go

PERIOD = POLICY.period


def test_a_candidate_that_serves_and_is_not_heard_is_soon_taken_back() -> None:
    world = World(after(0, OPEN))
    silenced: list[float] = []

    def silence(world: World, elapsed: int) -> None:
        if elapsed >= 60 and not silenced:
            world.source.quiet.add("i-green")
            silenced.append(world.time.now())

    world.during = silence
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert outcome.reason == (
        "i-green of the candidate served requests for 3 periods but reported no metrics. "
        "Is its agent running, and is settle long enough?"
    )
    assert world.proxy.share == 0.0
    assert world.time.now() - silenced[0] == 3 * PERIOD


@pytest.mark.parametrize("step", [0, 1])
def test_no_weight_is_raised_and_nothing_passes_while_an_instance_is_not_heard(
    monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """It is silent for two periods, as while its agent restarts, where the step would end."""
    probe = World()
    told = go(probe).recording
    assert told is not None
    end = (told.steps[1].start, told.looks[-1])[step]
    world = World()
    answer = world.source.read

    def read(queries: Any, arms: Any, start: int, until: int) -> Any:
        silent = until in (end - PERIOD, end)
        world.source.quiet = {"i-green"} if silent else set()
        return answer(queries, arms, start, until)

    monkeypatch.setattr(world.source, "read", read)
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS
    assert outcome.recording is not None
    later = (outcome.recording.steps[1].start, outcome.recording.looks[-1])[step]
    assert later >= end + PERIOD
    assert world.said("caution") == [
        "weight not raised: i-green of the candidate reported no metrics in the last period"
    ]


def test_harm_that_is_shown_fails_though_an_instance_does_not_report() -> None:
    world = World(after(75, FAIL))
    world.during = lambda w, elapsed: w.source.quiet.add("i-green") if elapsed >= 60 else None
    assert go(world).exit_status == ExitStatus.FAIL


def test_an_instance_that_was_sent_nobody_may_be_silent() -> None:
    world = World(after(0, OPEN))
    world.source.quiet.add("i-green")
    world.proxy.unasked.add("green-1")
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert "reported no metrics" not in outcome.reason
