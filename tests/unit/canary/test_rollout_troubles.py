"""Single failures around a canary, and the traffic afterwards."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from canary.errors import (
    CanaryError,
    ExitStatus,
    HookError,
    Interruption,
    SourceError,
    StateError,
    TrafficError,
)
from canary.state.base import Holder
from tests.unit.canary.rollout_fakes import POLICY, START, Troubles
from tests.unit.canary.rollout_world import (
    OPEN,
    World,
    after,
    go,
    settle,
    silent,
    unreachable,
)

PERIOD = POLICY.period


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        ("state.take", StateError("locked"), "locked"),
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
    world.time.passing = world.state.beat
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "c0" in outcome.reason
    assert "somebody@else" in outcome.reason
    assert world.proxy.share == 0.2, "the other canary's weight stays"
    assert world.state.held is not None


def test_a_dead_holder_frees_the_lock() -> None:
    world = World()
    world.state.held = Holder("c0", "somebody@else", START - 100, START + 600)
    assert go(world).exit_status == ExitStatus.PASS
    assert world.state.held is None


def test_memory_and_proxy_must_agree_before_anything_starts() -> None:
    world = World()
    world.state.colour = "green"
    outcome = go(world)
    assert "green should be live, but the proxy serves blue" in outcome.reason
    assert "canary promote --env test --colour blue or --colour green" in outcome.reason
    assert "traffic.set" not in world.troubles.calls


def test_metrics_must_flow_before_traffic_does() -> None:
    world = World()
    world.source.sends = False
    outcome = go(world)
    assert "No blue instance reported latency in the last 12 periods" in outcome.reason
    assert "publish" not in world.troubles.calls
    assert len(world.said("waiting")) == 1
    assert world.time.now() - START == 5 + 30, "one period to settle, and 30 s of patience"


def test_the_first_metrics_of_a_new_environment_are_waited_for() -> None:
    world = World()
    world.source.sends = False

    def begin_to_send() -> None:
        world.source.sends = world.time.now() >= START + 12

    world.time.passing = begin_to_send
    assert go(world).exit_status == ExitStatus.PASS
    told = [sentence for sentence in world.said("waiting") if "reported" in sentence]
    assert told == ["No blue instance reported latency yet; waiting up to 35 s"]


@pytest.mark.parametrize(("seconds", "asked"), [(0.0, 2), (2.0, 2), (4.0, 1)])
def test_a_silent_source_costs_at_most_two_periods_of_traffic(
    monkeypatch: pytest.MonkeyPatch, seconds: float, asked: int
) -> None:
    """This holds however long a call takes to fail. A call that fails quickly is repeated once."""
    world = World()
    answer, failures = world.source.read, 0

    def read(*question: Any) -> Any:
        nonlocal failures
        if len(world.source.reads) < 4:
            return answer(*question)
        failures += 1
        world.time.sleep(seconds)
        raise silent()

    monkeypatch.setattr(world.source, "read", read)
    outcome = go(world)
    answered = world.source.reads[-1] + PERIOD  # one period without data is followed by another one
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert "returned no data for 1" in outcome.reason
    assert failures == asked
    assert world.proxy.share == 0.0
    assert world.time.now() - answered <= 2 * PERIOD


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


def test_a_candidate_that_replaces_live_servers_ends_within_two_periods() -> None:
    world = World(after(0, OPEN))
    swollen: list[float] = []

    def lose(w: World, elapsed: int) -> None:
        if elapsed >= 20 and not swollen:
            swollen.append(w.time.now())
            w.proxy.lost = 0.6

    world.during = lose
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.INCONCLUSIVE
    assert "green carries 80% of traffic instead of 20.0%" in outcome.reason
    assert world.proxy.share == 0.0
    assert world.time.now() - swollen[0] <= 2 * PERIOD


def test_a_canary_goes_on_where_the_proxy_keeps_the_share_with_the_servers_that_are_left() -> None:
    """A live host is down for a while."""
    world = World()

    def lose(w: World, elapsed: int) -> None:
        w.proxy.lost = 0.3 if elapsed == 20 else 0.0  # until the next renewal of the lease
        w.proxy.anew = 5 if 25 <= elapsed < 50 else 0

    world.during = lose
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.PASS, outcome.reason
    assert [sentence for sentence in world.said("step") if "again" in sentence] == [
        "the proxy set its weights again, because every live server is up: "
        f"green carries {share} of traffic"
        for share in ("20.0%", "50.0%")
    ]
    recording = outcome.recording
    assert recording is not None
    start = recording.steps[0].start
    assert {start + elapsed for elapsed in (20, 25, 30, 35)} <= set(recording.looks)
    changed = [at for at, step in enumerate(recording.steps) if step.start % PERIOD]
    counted = {step for step, _, _ in recording.split}
    assert len(changed) == 2
    assert not counted & set(changed), "what was counted meanwhile is of two splits, and of neither"


def test_a_canary_names_the_live_host_that_is_away() -> None:
    world = World(after(0, OPEN))

    def lose(w: World, elapsed: int) -> None:
        if elapsed >= 20:
            w.proxy.anew = 5
            w.proxy.down.add("blue-1")

    world.during = lose
    go(world)
    assert "because blue-1 is DOWN: green carries 20.0% of traffic" in " ".join(world.said("step"))


def test_a_candidate_keeps_its_weight_while_every_live_server_is_down() -> None:
    world = World(after(0, OPEN))

    def lose(w: World, elapsed: int) -> None:
        if elapsed >= 20:
            w.proxy.lost = 0.9
            w.proxy.down.add("blue-1")

    world.during = lose
    assert "instead of" not in go(world).reason


def test_a_weight_taken_back_by_hand_ends_it() -> None:
    world = World(after(0, OPEN))
    world.during = lambda w, elapsed: w.proxy.reset() if elapsed >= 20 else None
    outcome = go(world)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "Another user reset the weight of green" in outcome.reason


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
