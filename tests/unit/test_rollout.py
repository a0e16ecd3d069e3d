"""A whole canary, in simulated time: every way out, and where traffic is afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.errors import CanaryError, HookError, SourceError, StateError, TrafficError
from canary.model import Arm, Finding, Verdict
from canary.rollout.engine import run
from canary.rollout.gates import approval_key
from canary.rollout.outcome import ExitStatus, Outcome
from canary.rollout.ports import Interruption
from canary.state.base import Holder
from tests.unit.rollout_world import START, Troubles, World, silent, unreachable

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
LEASE = 9  # two periods of 5 s, less one second


def go(world: World) -> Outcome:
    return run(world.context(), archive=lambda _: None)


def settle(world: World) -> None:
    """Let every lease run out, as it would after the process is gone."""
    world.time.stop()
    world.time.moment += LEASE
    world.proxy.expire()


def after(seconds: int, verdict: Verdict, before: Verdict = OPEN) -> Callable[[int], Verdict]:
    return lambda elapsed: verdict if elapsed >= seconds else before


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


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        ("state.acquire", StateError("locked"), "locked"),
        ("traffic.status", TrafficError("no proxy"), "no proxy"),
        ("source.read", SourceError("no metrics"), "no metrics"),
        ("publish", CanaryError("no such ref"), "no such ref"),
        ("hooks.deploy", HookError("playbook failed"), "playbook failed"),
        ("traffic.set", TrafficError("refused"), "refused"),
        ("clock.sleep", Interruption("SIGTERM"), "SIGTERM"),
        ("clock.sleep", KeyboardInterrupt(), "Ctrl-C"),
        ("hooks.smoke", RuntimeError("bug"), "An error in canary itself: RuntimeError: bug"),
    ],
)
def test_what_goes_wrong_is_said_and_costs_no_traffic(
    call: str, error: BaseException, sentence: str
) -> None:
    probe = World()
    go(probe)
    world = World(troubles=Troubles(once={probe.troubles.calls.index(call): error}))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert sentence in outcome.reason
    assert (world.proxy.live, world.state.colour, world.proxy.share) == ("blue", "blue", 0.0)
    assert world.state.holder() is None


def test_a_second_canary_is_refused_and_touches_nothing() -> None:
    world = World()
    world.state.held = Holder("c0", "somebody@else", START, START + 60)
    world.proxy.set("green", 0.2, 1000)
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "c0" in outcome.reason
    assert "somebody@else" in outcome.reason
    assert world.proxy.share == 0.2, "the other canary's weight stays"
    assert world.state.held is not None


def test_a_dead_holder_frees_the_lock() -> None:
    world = World()
    world.state.held = Holder("c0", "somebody@else", START - 100, START - 1)
    assert go(world).exit_status == ExitStatus.PASS


def test_memory_and_proxy_must_agree_before_anything_starts() -> None:
    world = World()
    world.state.colour = "green"
    outcome = go(world)
    assert "remembers green as live, but the proxy serves blue" in outcome.reason
    assert "traffic.set" not in world.troubles.calls


def test_metrics_must_flow_before_traffic_does() -> None:
    world = World()
    world.source.sends = False
    outcome = go(world)
    assert "No blue instance sent latency in the last 5 periods" in outcome.reason
    assert "publish" not in world.troubles.calls


def test_a_source_that_is_silent_for_more_than_two_periods_ends_it_undecided() -> None:
    probe = World()
    go(probe)
    reads = [n for n, name in enumerate(probe.troubles.calls) if name == "source.read"]
    world = World(troubles=Troubles(lasting=("source.read", reads[4], silent())))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert "silent for more than two periods" in outcome.reason
    assert world.proxy.share == 0.0
    assert world.time.now() - START < 60


def test_a_short_silence_is_waited_out_and_its_periods_are_read_later() -> None:
    probe = World()
    go(probe)
    reads = [n for n, name in enumerate(probe.troubles.calls) if name == "source.read"]
    world = World(troubles=Troubles(once={reads[4]: silent()}))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS
    assert outcome.recording is not None
    times = outcome.recording.series[0].times
    assert [b - a for a, b in itertools.pairwise(times)] == [5] * (len(times) - 1)


def test_a_candidate_that_does_not_answer_fails() -> None:
    world = World(after(0, OPEN))
    world.during = lambda w, elapsed: w.proxy.down.add("green-1") if elapsed >= 20 else None
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.FAIL
    assert "green-1 is DOWN" in outcome.reason
    assert world.proxy.share == 0.0


def test_a_weight_taken_back_by_hand_ends_it() -> None:
    world = World(after(0, OPEN))
    world.during = lambda w, elapsed: w.proxy.reset() if elapsed >= 20 else None
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "taken back" in outcome.reason


def test_an_unreachable_proxy_is_left_to_its_lease() -> None:
    probe = World()
    go(probe)
    first = probe.troubles.calls.index("traffic.set") + 5
    world = World(troubles=Troubles(lasting=("traffic", first, unreachable())))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert not outcome.safe
    assert "canary rollback --env test" in outcome.traffic
    settle(world)
    assert world.proxy.share == 0.0


def test_a_killed_canary_loses_its_weight_within_two_periods() -> None:
    class Killed(BaseException):
        """Stands for SIGKILL: nothing of ours runs any more."""

    world = World(after(0, OPEN))
    killed: list[float] = []

    def kill(w: World, elapsed: int) -> None:
        if elapsed >= 20:
            killed.append(w.time.now())
            w.time.stop()
            w.dead = Killed()
            raise Killed

    world.during = kill
    with pytest.raises(Killed):
        go(world)
    assert world.proxy.share == 0.2, "nobody cleaned up"
    while world.proxy.share:
        world.time.moment += 0.1
        world.proxy.expire()
    assert world.time.now() - killed[0] <= 2 * 5


def test_a_hanging_canary_loses_its_lease() -> None:
    world = World(after(0, OPEN))
    shares: list[float] = []

    def hang(w: World, elapsed: int) -> None:
        if elapsed == 20:  # a call that does not come back: only the background still runs
            w.time.pass_time(60)
            w.proxy.expire()
            shares.append(w.proxy.share)

    world.during = hang
    outcome = go(world)
    assert shares == [0.0], "traffic was back while the canary still hung"
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "stalled" in outcome.reason


def test_a_bake_without_an_alarm_makes_the_candidate_live() -> None:
    world = World(bake=60.0, alarms=("ErrorRate",))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS
    assert [share for _, share in world.proxy.history] == [0.2, 0.5, 1.0]
    assert world.troubles.calls.count("state.alarms") >= 60 / 5
    assert world.proxy.live == "green"


def test_an_alarm_during_the_bake_takes_traffic_back() -> None:
    world = World(bake=60.0, alarms=("ErrorRate",))
    world.state.alarm = "ALARM"
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.FAIL
    assert "ErrorRate is ALARM" in outcome.reason
    assert (world.proxy.live, world.state.colour, world.proxy.share) == ("blue", "blue", 0.0)


def test_a_bake_that_nobody_can_watch_takes_traffic_back() -> None:
    troubles = Troubles(lasting=("state.alarms", 0, StateError("no answer")))
    world = World(troubles=troubles, bake=60.0, alarms=("ErrorRate",))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert world.proxy.live == "blue"


def test_a_promotion_that_cannot_be_remembered_is_undone() -> None:
    world = World(troubles=Troubles(lasting=("state.set_live", 0, StateError("no answer"))))
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert (world.proxy.live, world.state.colour) == ("blue", "blue")


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
    assert outcome.reason == "Nobody decided within 300 s"
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


ERRORS: list[Callable[[], BaseException]] = [
    lambda: TrafficError("refused"),
    lambda: SourceError("no answer"),
    lambda: StateError("no answer"),
    lambda: HookError("failed"),
    lambda: Interruption("SIGTERM"),
    lambda: KeyboardInterrupt(),
    lambda: RuntimeError("bug"),
]
VERDICTS = st.lists(st.sampled_from([PASS, OPEN, FAIL]), min_size=1, max_size=30)
LASTING = st.none() | st.tuples(
    st.sampled_from(["traffic", "source", "state", "hooks", "traffic.release", "state.set_live"]),
    st.integers(0, 160),
)


def gone(lasting: tuple[str, int] | None) -> tuple[str, int, CanaryError] | None:
    if lasting is None:
        return None
    kind, first = lasting
    errors = {"traffic": TrafficError, "source": SourceError, "state": StateError}
    return kind, first, errors.get(kind.partition(".")[0], HookError)("gone")


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    once=st.dictionaries(st.integers(0, 160), st.sampled_from(range(len(ERRORS))), max_size=4),
    lasting=LASTING,
    late=st.booleans(),
    verdicts=VERDICTS,
    bake=st.sampled_from([0.0, 20.0]),
)
def test_traffic_is_safe_whatever_happens(
    once: dict[int, int],
    lasting: tuple[str, int] | None,
    late: bool,  # noqa: FBT001 - hypothesis names it
    verdicts: list[Verdict],
    bake: float,
) -> None:
    """No candidate without PASS keeps traffic; nothing but PASS exits with 0."""
    world = World(
        lambda elapsed: verdicts[min(elapsed // 5, len(verdicts) - 1)],
        Troubles({call: ERRORS[kind]() for call, kind in once.items()}, gone(lasting), late),
        bake=bake,
        alarms=("A",),
    )
    outcome = go(world)
    settle(world)
    assert world.proxy.share == 0.0, "no weight outlives its lease"
    passed = any(judgement.verdict is PASS for judgement in outcome.judgements)
    if outcome.exit_status == ExitStatus.PASS:
        assert passed
        assert (world.proxy.live, world.state.colour) == ("green", "green")
    elif outcome.safe:
        assert (world.proxy.live, world.state.colour) == ("blue", "blue")
    else:
        assert "canary rollback" in outcome.traffic
        assert passed or world.proxy.live == "blue"
