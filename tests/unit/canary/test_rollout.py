"""A whole canary in simulated time: promoted, refused or undecided, with its records."""

from __future__ import annotations

import pytest

from canary.errors import ExitStatus, StateError
from canary.model import Arm, Finding
from canary.rollout.engine import run
from canary.rollout.gates import approval_key
from canary.rollout.outcome import Outcome
from canary.traffic.base import Status
from tests.unit.canary.rollout_fakes import Proxy, Troubles
from tests.unit.canary.rollout_world import FAIL, OPEN, World, after, go


def test_a_good_candidate_is_promoted() -> None:
    world = World()
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS
    assert outcome.safe
    assert (world.proxy.live, world.state.colour, world.proxy.share) == ("green", "green", 0.0)
    assert [share for _, share in world.proxy.history] == [0.2, 0.5]
    assert [name for name, _ in world.hooks.ran] == ["deploy", "smoke", "promoted"]
    assert world.state.holder() is None
    assert "green is live" in outcome.traffic


def test_it_serves_the_minimum_time_whatever_the_evidence_says() -> None:
    world = World()
    outcome = go(world)
    assert outcome.recording is not None
    first = outcome.recording.steps[0].start
    # warm-up 10 s + half of the 50 s that the minimum of 60 s leaves, for the first step
    assert outcome.recording.steps[1].start - first >= 10 + 25
    assert outcome.judgements[-1].at - first >= 60


def test_a_bad_candidate_loses_its_traffic_before_anything_else_is_done() -> None:
    world = World(after(20, FAIL))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.FAIL
    assert outcome.reason == "FAIL at 20"
    assert (world.proxy.live, world.state.colour, world.proxy.share) == ("blue", "blue", 0.0)
    calls = world.troubles.calls
    judged = len(calls) - calls[::-1].index("source.read")
    assert calls[judged] == "traffic.release"
    assert [name for name, _ in world.hooks.ran][-1] == "rolled_back"


def test_an_undecided_candidate_is_taken_back_at_the_maximum() -> None:
    world = World(after(0, OPEN))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert outcome.judgements[-1].at - outcome.recording.steps[0].start == 120  # type: ignore[union-attr]
    assert world.proxy.share == 0.0


def test_the_recording_holds_what_the_judge_saw() -> None:
    outcome = go(World())
    recording = outcome.recording
    assert recording is not None
    assert recording.looks == tuple(judgement.at for judgement in outcome.judgements)
    assert recording.baseline.colour == "blue"
    assert recording.candidate.name == "v2"
    assert {series.instance for series in recording.series} == {"i-blue", "i-green"}
    assert [step.candidate for step in recording.steps] == [0.2, 0.5]
    assert [step.equal_footing for step in recording.steps] == [False, True]
    shares = {
        step: count / sum(c for s, _, c in recording.split if s == step)
        for step, arm, count in recording.split
        if arm is Arm.CANDIDATE
    }
    assert set(shares) == {0, 1}


@pytest.mark.parametrize(
    ("into_a_period", "told"),
    [(0.0, True), (0.1, True), (2.4, False), (3.4, False), (3.6, True), (4.9, True)],
)
def test_no_customer_meets_a_candidate_long_before_it_can_be_judged(
    into_a_period: float, *, told: bool
) -> None:
    world = World()
    world.time.skip(into_a_period)
    outcome = go(world)
    assert outcome.recording is not None
    raised, _ = world.proxy.history[0]
    assert 0 < outcome.recording.steps[0].start - raised <= 1.5
    assert any("next period" in sentence for sentence in world.said("waiting")) == told


class FarProxy(Proxy):
    """A proxy that is read in a second and set in two and a half."""

    def status(self) -> Status:
        self.time.skip(1.0)
        return super().status()

    def set(self, candidate: str, share: float, lease: int, matched: str | None = None) -> Status:
        self.time.skip(2.5)
        return super().set(candidate, share, lease, matched)


def test_a_proxy_that_responds_late_gets_its_first_weight_in_time() -> None:
    world = World()
    world.proxy = FarProxy(world.time, world.troubles)
    outcome = go(world)
    assert outcome.recording is not None
    raised, _ = world.proxy.history[0]
    assert 0 < outcome.recording.steps[0].start - raised <= 1.0


def test_no_period_is_read_before_it_has_settled() -> None:
    world = World()
    lags: list[float] = []
    world.during = lambda w, _: lags.append(w.time.now() - w.source.reads[-1])
    go(world)
    assert lags
    assert min(lags) >= 5, "the default: one period after its end"


def test_while_evidence_leans_to_harm_no_more_users_see_it() -> None:
    world = World(after(0, OPEN))
    world.findings = (Finding("latency", OPEN, "slower", critical=True, towards_fail=0.9),)
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert [share for _, share in world.proxy.history] == [0.2]
    assert len(world.said("caution")) == 1


def test_while_the_candidate_sends_nothing_of_a_metric_no_more_users_see_it() -> None:
    world = World(after(0, OPEN))
    world.findings = (Finding("latency", OPEN, "no value", critical=True, silent=True),)
    assert go(world).exit_status == ExitStatus.INCONCLUSIVE
    assert [share for _, share in world.proxy.history] == [0.2]
    assert world.said("caution") == ["weight not raised: the candidate stopped reporting latency"]


def test_a_bake_without_an_alarm_makes_the_candidate_live() -> None:
    world = World(bake=60.0, alarms=("ErrorRate",))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS
    assert [share for _, share in world.proxy.history] == [0.2, 0.5, 1.0]
    assert world.troubles.calls.count("state.alarms") >= 60 / 5
    assert world.proxy.live == "green"


def test_all_traffic_in_a_bake_after_small_steps_is_as_intended() -> None:
    world = World(bake=60.0, alarms=("ErrorRate",))
    world.policy = world.policy.model_copy(update={"steps": (0.1, 0.2)})
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS, outcome.reason
    assert [share for _, share in world.proxy.history] == [0.1, 0.2, 1.0]


def test_an_alarm_during_the_bake_takes_traffic_back() -> None:
    world = World(bake=60.0, alarms=("ErrorRate",))
    world.state.alarm = "ALARM"
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.FAIL
    assert "ErrorRate is ALARM" in outcome.reason
    assert (world.proxy.live, world.state.colour, world.proxy.share) == ("blue", "blue", 0.0)


def test_a_bake_that_nobody_can_watch_takes_traffic_back() -> None:
    troubles = Troubles(lasting=("state.alarms", 0, StateError("no response")))
    world = World(troubles=troubles, bake=60.0, alarms=("ErrorRate",))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert world.proxy.live == "blue"


def test_a_hold_waits_for_a_person_who_promotes() -> None:
    world = World(after(0, OPEN), on_inconclusive="hold")

    def promote_by_hand() -> None:
        if world.said("hold"):
            world.proxy.live, world.state.colour = "green", "green"
            world.proxy.reset()

    world.time.passing = promote_by_hand
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert "promoted by hand" in outcome.reason
    assert world.proxy.live == "green"
    assert "traffic.release" not in world.troubles.calls


def test_a_hold_does_not_last_for_ever() -> None:
    world = World(after(0, OPEN), on_inconclusive="hold", hold=300.0)
    outcome = go(world)
    assert outcome.reason == "No decision within 300 s"
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert world.proxy.share == 0.0


def test_approval_is_asked_for_before_each_step_and_promotion() -> None:
    world = World(approve="steps", hold=300.0)
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert [share for _, share in world.proxy.history] == [0.2]
    assert any("canary approve --env test c1 step-2" in line for line in world.said("approval"))
    world = World(approve="steps")
    world.state.objects = {approval_key("c1", "step-2"): b"", approval_key("c1", "promote"): b""}
    assert go(world).exit_status == ExitStatus.PASS


def test_a_hook_that_may_fail_leaves_a_warning() -> None:
    world = World()
    world.hooks.complaint = "smoke failed"
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS
    assert any("smoke failed" in warning for warning in outcome.warnings)


def test_a_failing_archive_does_not_change_the_verdict() -> None:
    world = World()

    def archive(_: Outcome) -> None:
        raise OSError("disk full")

    outcome = run(world.context(), archive)
    assert outcome.exit_status == ExitStatus.PASS
    assert any("disk full" in warning for warning in outcome.warnings)
    assert world.state.holder() is None


def test_a_named_baseline_goes_to_the_live_colour() -> None:
    world = World(baseline="v1")
    outcome = go(world)
    deployed = [values["colour"] for name, values in world.hooks.ran if name == "deploy"]
    assert deployed == ["blue", "green"]
    assert outcome.recording is not None
    assert outcome.recording.baseline.name == "v1"
