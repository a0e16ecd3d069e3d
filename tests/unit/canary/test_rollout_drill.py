"""``canary drill``: the proxy adds errors for the candidate, and the policy should refuse it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from canary.model import Finding, Verdict
from canary.policy import Policy
from canary.rollout.drill import Demand, DrillArchive, DrillHooks, Exercise, Noticed, noticed
from canary.rollout.drill import seeing as those_that_see
from canary.rollout.engine import run
from canary.rollout.outcome import Outcome
from canary.rollout.situation import verdict_on
from canary.traffic.base import Drill
from tests.support.policies import SHORT
from tests.unit.canary.rollout_world import FAIL, OPEN, PASS, World, after

ADDED = Drill(errors=0.03)
COUNTED = {"name": "failed", "kind": "count", "source": "proxy.errors"}
MUTED = {"name": "retried", "kind": "count", "source": "proxy.retries", "muted": True}
POLICY = Policy.model_validate({**SHORT, "metrics": [*SHORT["metrics"], COUNTED, MUTED]})


def ready(verdict: Callable[[int], Verdict], metric: str = "failed") -> World:
    """A world whose proxy can drill, with the live release on both colours."""
    world = World(verdict)
    world.proxy.releases = {"blue-1": "release-v1", "green-1": "release-v1"}
    world.proxy.fallback = ("green-1",)
    world.proxy.drill = ADDED
    world.findings = (Finding(metric, FAIL, "", critical=True),)
    return world


def drilled(world: World, drill: Drill = ADDED) -> tuple[Outcome, Exercise]:
    exercise = Exercise(drill, lambda demand: f"{demand.rate:.0f} requests per second")
    context = world.context()
    context.ports = replace(context.ports, hooks=DrillHooks(world.hooks))
    outcome = run(context, lambda _: None, exercise)
    assert exercise.left(world.proxy.status()) == ""
    assert not [call for call in world.troubles.calls if call.startswith("traffic.promote")]
    assert not [call for call in world.troubles.calls if call.startswith("publish")]
    assert world.proxy.live == "blue"
    return outcome, exercise


def result(outcome: Outcome) -> tuple[Noticed, str]:
    return noticed(POLICY, outcome, ["failed"])


def test_a_policy_that_refuses_noticed_the_drill() -> None:
    world = ready(after(30, FAIL))
    outcome, exercise = drilled(world)
    found, sentence = result(outcome)
    assert found is Noticed.YES
    assert sentence == "Refused after 6 periods (30 s), as expected: FAIL at 30"
    assert outcome.traffic == "blue carries all traffic."
    assert exercise.plan == "50 requests per second"
    assert [name for name, _ in world.hooks.ran] == ["rolled_back"], "nothing is installed"
    assert world.said("plan") == ["50 requests per second"]


@pytest.mark.parametrize("verdict", [PASS, OPEN])
def test_a_policy_that_does_not_refuse_did_not_notice(verdict: Verdict) -> None:
    world = ready(after(0, verdict))
    outcome, _ = drilled(world)
    found, sentence = result(outcome)
    assert found is Noticed.NO
    assert sentence.startswith(f"Your policy did not notice the drill: {verdict} after ")
    assert outcome.traffic == "blue carries all traffic."
    assert [name for name, _ in world.hooks.ran] == ["rolled_back"]


def test_a_refusal_for_another_reason_is_not_taken_for_the_drills() -> None:
    outcome, _ = drilled(ready(after(30, FAIL), metric="latency"))
    found, sentence = result(outcome)
    assert found is Noticed.NO
    assert "not because of the drill: latency cannot see it" in sentence


def test_lost_evidence_shows_nothing_about_the_policy() -> None:
    world = ready(after(0, OPEN))
    world.during = lambda world, _: world.source.quiet.add("i-green")
    found, sentence = result(drilled(world)[0])
    assert found is Noticed.UNKNOWN
    assert sentence.startswith("The drill could not be judged")


def test_a_proxy_that_stops_adding_errors_ends_the_drill() -> None:
    world = ready(after(90, PASS))

    def reloaded(world: World, elapsed: int) -> None:
        world.proxy.drill = None if elapsed >= 30 else ADDED

    world.during = reloaded
    found, sentence = result(drilled(world)[0])
    assert found is Noticed.UNKNOWN
    assert "The proxy does not add what it should" in sentence


@pytest.mark.parametrize("release", ["v2", ""])
def test_a_colour_that_may_harm_users_gets_none(release: str) -> None:
    world = ready(after(30, FAIL))
    world.proxy.fallback = ()
    world.proxy.releases = {"blue-1": "v1"} | ({"green-1": release} if release else {})
    outcome, _ = drilled(world)
    assert outcome.verdict is None
    assert "is no standby, so it may itself harm users" in outcome.reason
    assert "canary deploy v1 --env test" in outcome.reason
    assert world.proxy.history == []


def test_the_standby_of_another_release_serves_with_a_warning() -> None:
    world = ready(after(30, FAIL))
    world.proxy.releases["green-1"] = "release-v0"
    outcome, _ = drilled(world)
    assert result(outcome)[0] is Noticed.YES
    assert any("if it is worse by itself" in warning for warning in outcome.warnings)


def test_without_traffic_nothing_starts() -> None:
    world = ready(after(30, FAIL))
    world.proxy.unasked = {"blue-1"}
    outcome, _ = drilled(world)
    assert "No request reached blue in 5 s" in outcome.reason
    assert world.proxy.history == []


def test_an_old_proxy_is_told_to_be_updated() -> None:
    world = ready(after(30, FAIL))
    world.proxy.can_drill = False
    outcome, _ = drilled(world)
    assert "Run the role cart.canary.proxy (site.yml) again" in outcome.reason


def test_a_drill_is_no_verdict_on_the_release(tmp_path: object) -> None:
    world = ready(after(30, FAIL))
    context = world.context()
    context.ports = replace(context.ports, hooks=DrillHooks(world.hooks))
    archive = DrillArchive(POLICY, tmp_path, world.state, "me@here", "drill")  # type: ignore[arg-type]
    run(context, archive.keep, Exercise(ADDED, lambda _: ""))
    (row,) = world.state.rows
    assert (row.verdict, row.reason) == ("DRILL", "FAIL: FAIL at 30")
    assert verdict_on("green", ("release-v1",), world.state.rows) is None


def test_which_metrics_see_a_drill() -> None:
    def names(drill: Drill, *named: str) -> list[str]:
        return [metric.name for metric in those_that_see(POLICY, drill, named)]

    assert names(Drill(errors=0.03)) == ["failed"]
    assert names(Drill(delay=200)) == []
    assert names(Drill(delay=200), "latency") == ["latency"]


def test_the_traffic_is_measured_at_the_proxy() -> None:
    seen: list[Demand] = []

    def foresee(demand: Demand) -> str:
        seen.append(demand)
        return ""

    run(ready(after(30, FAIL)).context(), lambda _: None, Exercise(ADDED, foresee))
    (demand,) = seen
    assert (round(demand.rate), demand.servers) == (50, (1, 1))
