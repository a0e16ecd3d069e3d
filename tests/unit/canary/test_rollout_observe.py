"""``canary run --observe``: a verdict on traffic that another tool splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from canary.errors import TrafficError
from canary.model import Verdict
from canary.rollout.engine import run
from canary.rollout.observe import NoHooks, ReadOnly, observe_only
from canary.rollout.outcome import Outcome
from tests.unit.canary.rollout_world import FAIL, OPEN, PASS, World, after

WRITES = ("traffic.set", "traffic.renew", "traffic.release", "traffic.promote", "traffic.standby")


def observed(world: World) -> Outcome:
    """Observe a world, and check that neither proxy nor hosts nor state change."""
    context = world.context()
    context.ports = replace(context.ports, traffic=ReadOnly(world.proxy), hooks=NoHooks())
    outcome = run(context, lambda _: None, observe_only)
    assert [call for call in world.troubles.calls if call.startswith(WRITES)] == []
    assert [call for call in world.troubles.calls if call.startswith("state.set")] == []
    assert world.hooks.ran == []
    assert outcome.traffic == "Traffic was not touched."
    return outcome


def split(share: float, verdict: Callable[[int], Verdict]) -> World:
    """Return a world in which another tool gave green a share of the traffic."""
    world = World(verdict)
    world.proxy.share = share
    return world


@pytest.mark.parametrize("verdict", [PASS, FAIL])
def test_it_judges_the_split_that_it_finds_and_changes_nothing(verdict: Verdict) -> None:
    outcome = observed(split(0.3, after(30, verdict)))
    assert outcome.verdict == verdict
    assert outcome.live == "blue"
    assert outcome.recording is not None
    assert [step.candidate for step in outcome.recording.steps] == [pytest.approx(0.3)]


def test_without_a_verdict_it_ends_with_the_policys_time() -> None:
    outcome = observed(split(0.3, after(0, OPEN)))
    assert outcome.verdict == OPEN
    assert outcome.ended - outcome.started == pytest.approx(120, abs=20)


def test_no_pass_before_the_minimum() -> None:
    outcome = observed(split(0.3, after(0, PASS)))
    assert outcome.verdict == PASS
    assert outcome.ended - outcome.started >= 60


def test_it_follows_a_split_that_changes() -> None:
    world = split(0.1, after(90, PASS))

    def raised(world: World, elapsed: int) -> None:
        world.proxy.share = 0.1 if elapsed < 30 else 0.5

    world.during = raised
    outcome = observed(world)
    assert outcome.verdict == PASS
    assert outcome.recording is not None
    assert [step.candidate for step in outcome.recording.steps] == [0.1, 0.5]
    assert "green carries 50.0% of traffic now" in world.said("step")


def test_a_candidate_without_traffic_is_not_judged() -> None:
    outcome = observed(World(after(0, PASS)))
    assert outcome.verdict is None
    assert "green carries no traffic, so there is nothing to judge" in outcome.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda world: setattr(world.proxy, "share", 0.0), "green carries no traffic any more"),
        (lambda world: setattr(world.proxy, "live", "green"), "green was promoted while"),
    ],
)
def test_whoever_splits_the_traffic_may_end_it(
    change: Callable[[World], None], reason: str
) -> None:
    world = split(0.3, after(90, PASS))
    world.during = lambda world, elapsed: change(world) if elapsed >= 30 else None
    outcome = observed(world)
    assert (outcome.verdict, reason in outcome.reason) == (OPEN, True), outcome.reason


def test_a_write_to_the_proxy_is_refused() -> None:
    proxy = ReadOnly(World().proxy)
    for write in (
        lambda: proxy.set("green", 0.1, 9),
        lambda: proxy.renew(9),
        proxy.release,
        lambda: proxy.promote("green"),
        lambda: proxy.standby("green", may=True),
    ):
        with pytest.raises(TrafficError, match="does not change traffic"):
            write()
