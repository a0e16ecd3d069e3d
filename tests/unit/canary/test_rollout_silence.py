"""Candidate instances that report no metrics, and metrics that no instance reports any more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from canary.errors import ExitStatus
from canary.model import Arm, Release, Series
from canary.policy import Metric
from canary.sources.base import Query
from tests.unit.canary.rollout_fakes import POLICY, Metrics
from tests.unit.canary.rollout_world import FAIL, OPEN, World, after, go, silent_after

PERIOD = POLICY.period


@pytest.mark.parametrize("missed", [2, 99])
def test_an_instance_that_its_deployment_restarted_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, missed: int
) -> None:
    """Prometheus lists it after two scrapes. If it stays away, the canary ends before traffic."""
    world, listed = World(), World().source.instances
    asked: list[str] = []

    def instances(colour: str) -> tuple[str, ...]:
        asked.append(colour)
        return () if colour == "green" and asked.count("green") <= missed else listed(colour)

    monkeypatch.setattr(world.source, "instances", instances)
    outcome = go(world)
    if missed == 2:
        assert outcome.exit_status == ExitStatus.PASS, outcome.reason
        return
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "The proxy has 1 green servers, but simulated source lists 0 instances" in outcome.reason
    assert world.proxy.share == 0.0


def test_a_candidate_that_serves_and_is_not_heard_is_soon_taken_back() -> None:
    world, silenced = silent_after(60)
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert outcome.reason == (
        "i-green of the candidate served requests for 2 periods but reported no metrics. "
        "Is its agent running, and is settle long enough?"
    )
    assert world.proxy.share == 0.0
    assert world.time.now() - silenced[0] == 2 * PERIOD


@pytest.mark.parametrize("step", [0, 1])
def test_no_weight_is_raised_and_nothing_passes_while_an_instance_is_not_heard(
    monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """It is silent for a period at the end of a step, as during a restart of its agent."""
    probe = World()
    told = go(probe).recording
    assert told is not None
    end = (told.steps[1].start, told.looks[-1])[step]
    last_look = (end - PERIOD, end)[step]
    world = World()
    answer = world.source.read

    def read(queries: Any, arms: Any, start: int, until: int) -> Any:
        world.source.quiet = {"i-green"} if until == last_look else set()
        return answer(queries, arms, start, until)

    monkeypatch.setattr(world.source, "read", read)
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS
    assert outcome.recording is not None
    later = (outcome.recording.steps[1].start, outcome.recording.looks[-1])[step]
    assert later >= end + PERIOD
    held = ("weight not raised", "no PASS yet")[step]  # at the last step nothing is left to raise
    assert world.said("caution") == [
        f"{held}: i-green of the candidate reported no metrics in the last period"
    ]


def test_a_policy_may_tolerate_no_period_without_metrics() -> None:
    world = World(after(0, OPEN))
    missing = world.policy.missing.model_copy(update={"consecutive": 1})
    world.policy = world.policy.model_copy(update={"missing": missing})
    world.during = lambda w, elapsed: w.source.quiet.add("i-green") if elapsed >= 60 else None
    outcome = go(world)
    assert "served requests for 1 period but reported no metrics" in outcome.reason
    assert outcome.recording is not None
    assert outcome.recording.series[0].times[-1] - outcome.recording.steps[0].start == 60


def test_harm_that_is_shown_fails_though_an_instance_does_not_report() -> None:
    world = World(after(70, FAIL))
    world.during = lambda w, elapsed: w.source.quiet.add("i-green") if elapsed >= 60 else None
    assert go(world).exit_status == ExitStatus.FAIL


def test_an_instance_that_was_sent_nobody_may_be_silent() -> None:
    world = World(after(0, OPEN))
    world.source.quiet.add("i-green")
    world.proxy.unasked.add("green-1")
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert "reported no metrics" not in outcome.reason


def metric(**changes: Any) -> dict[str, Any]:
    return {"name": "latency", "kind": "latency", "margin": "20%", "critical": True, **changes}


LOAD = {"name": "cpu", "kind": "gauge", "margin": "20%"}


class Shop(Metrics):
    """Reports latencies with their samples, and load. ``lost`` names the metrics that stopped."""

    def __init__(self, world: World) -> None:
        super().__init__(world.troubles)
        self.world = world
        self.lost: dict[str, float] = {}
        self.sparse = 0
        self.forgets = False

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        return tuple(self.thinned(one) for one in super().read(queries, arms, start, end))

    def thinned(self, one: Series) -> Series:
        if one.metric != "latency":
            return one
        since = -math.inf if self.forgets else self.lost.get(one.instance, math.inf)
        values = tuple(
            None if time >= since or (self.sparse and time // PERIOD % self.sparse) else value
            for time, value in zip(one.times, one.values, strict=True)
        )
        few = 1.0 if self.sparse else 50.0
        return replace(one, values=values, samples=tuple(few if v else None for v in values))


def shop(*, critical: bool = True) -> tuple[World, Shop]:
    world = World(after(0, OPEN))
    metrics = [Metric.model_validate(one) for one in (metric(critical=critical), LOAD)]
    world.policy = world.policy.model_copy(update={"metrics": tuple(metrics)})
    world.source = source = Shop(world)
    return world, source


def ended_after(world: World, source: Shop, *lost: str) -> tuple[float, str]:
    """Stop the latency of some instances of a canary; return the seconds to its end, and why."""
    began: list[float] = []

    def lose(w: World, elapsed: int) -> None:
        if elapsed >= 60 and not began:
            began.append(w.time.now())
            source.lost = dict.fromkeys(lost, w.time.now() - PERIOD)

    world.during = lose
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert world.proxy.share == 0.0
    return world.time.now() - began[0], outcome.reason


def test_a_critical_metric_that_nobody_reports_any_more_ends_the_canary() -> None:
    seconds, reason = ended_after(*shop(), "i-blue", "i-green")
    assert reason == "No instance reported any latency for 3 periods, though all reported it before"
    assert seconds <= 3 * PERIOD


def test_a_critical_metric_that_the_candidate_alone_reports_no_more_ends_the_canary() -> None:
    seconds, reason = ended_after(*shop(), "i-green")
    assert reason == (
        "The candidate's instances reported no latency for 3 periods, and the baseline's did"
    )
    assert seconds <= 3 * PERIOD


def test_a_critical_metric_may_be_gone_from_the_first_period_on() -> None:
    world, source = shop()
    source.lost = {"i-green": 0.0}
    outcome = go(world)
    assert "reported no latency for 3 periods" in outcome.reason
    assert outcome.recording is not None
    times = outcome.recording.series[0].times
    assert times[-1] - times[0] == 2 * PERIOD


def test_a_metric_that_is_not_critical_does_not() -> None:
    seconds, reason = ended_after(*shop(critical=False), "i-blue", "i-green")
    assert "reported" not in reason
    assert seconds > 3 * PERIOD


@pytest.mark.parametrize("every", [2, 4, 7])
def test_a_sparse_metric_does_not(every: int) -> None:
    """With one sample in every few periods, a few periods without one occur by chance."""
    world, source = shop()
    source.sparse = every
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert "reported" not in outcome.reason
    assert outcome.recording is not None
    assert len(outcome.recording.series[0].times) * PERIOD >= world.policy.maximum


def test_a_metric_of_requests_is_not_missed_while_there_are_none() -> None:
    world, source = shop()

    def night(w: World, elapsed: int) -> None:
        if elapsed >= 60:
            w.proxy.unasked = {"blue-1", "green-1"}
            source.lost = {"i-blue": w.time.now(), "i-green": w.time.now()}

    world.during = night
    assert "reported" not in go(world).reason
