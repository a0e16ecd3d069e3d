"""The lead-in measures these very hosts on one release, before the candidate is deployed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from canary.errors import CanaryError, Interruption, PolicyError, SourceError, TrafficError
from canary.judge import judge
from canary.model import LeadIn, Recording, Series, Step, Verdict
from canary.policy import with_lead_in
from canary.recording import recording_from_text, recording_to_text
from canary.state.base import Row
from tests.unit.canary.rollout_fakes import POLICY, Troubles
from tests.unit.canary.rollout_world import World, go
from tests.unit.canary.verdict_recordings import healthy, policy

SECONDS = 100
LIVE = Row("c0", 1.0, 2.0, "PASS", 0, "v0", "v1 " + "d" * 40, "blue", "me", "", "", "blue")


def world(troubles: Troubles | None = None, seconds: int = SECONDS, **request: Any) -> World:
    """Return a canary with a lead-in. The history names the live release."""
    found = World(troubles=troubles, **request)
    found.policy = with_lead_in(POLICY, seconds)
    found.state.rows.insert(0, LIVE)
    return found


def test_both_colours_run_the_live_release_first_and_the_recording_holds_it() -> None:
    led = world()
    outcome = go(led)
    assert outcome.verdict is Verdict.PASS
    deployed = [values["release"] for name, values in led.hooks.ran if name == "deploy"]
    assert deployed == ["release-" + "d" * 40, "release-v2"]
    shares = [share for _, share in led.proxy.history]
    assert shares[:2] == [0.5, 0.2], "the lead-in, and then the first step"
    assert outcome.recording is not None
    lead = outcome.recording.lead_in
    assert lead is not None
    assert lead.end - lead.step.start == SECONDS
    assert lead.end < outcome.recording.steps[0].start
    assert {len(one.times) for one in lead.series} == {SECONDS // POLICY.period}


def test_the_candidate_is_deployed_only_after_all_traffic_is_back() -> None:
    led = world()
    shares: list[float] = []
    run = led.hooks.run

    def remember(name: str, values: Any) -> str:
        if name == "deploy":
            shares.append(led.proxy.share)
        return run(name, values)

    led.hooks.run = remember  # type: ignore[method-assign]
    go(led)
    assert shares == [0.0, 0.0]


def test_without_a_lead_in_nothing_is_installed_twice() -> None:
    plain = World()
    outcome = go(plain)
    assert [name for name, _ in plain.hooks.ran].count("deploy") == 1
    assert outcome.recording is not None
    assert outcome.recording.lead_in is None


def calls_of_a_lead_in() -> int:
    """Return how many calls a canary makes until the end of its lead-in."""
    led = world()
    go(led)
    reads = [at for at, name in enumerate(led.troubles.calls) if name == "source.read"]
    return reads[1]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "fault", [Interruption("SIGTERM"), TrafficError("no response"), SourceError("no response")]
)
def test_whatever_stops_a_lead_in_traffic_is_with_the_baseline(
    fault: BaseException, *, late: bool
) -> None:
    for number in range(0, calls_of_a_lead_in(), 3):
        led = world(Troubles(once={number: fault}, late=late))
        outcome = go(led)
        promoted = outcome.verdict is Verdict.PASS
        assert led.proxy.live == ("green" if promoted else "blue"), number
        assert led.proxy.share == 0.0, number
        if isinstance(fault, Interruption):
            assert not promoted, number


def test_a_canary_killed_in_its_lead_in_loses_its_weight_within_two_periods() -> None:
    class Killed(BaseException):
        """Represents SIGKILL: nothing of this process runs after it."""

    led = world()
    step = led.time.sleep

    def kill(seconds: float) -> None:
        if led.proxy.share and led.time.now() > led.proxy.history[0][0] + 40:
            led.dead = Killed()
            led.time.stop()
            raise led.dead
        step(seconds)

    led.time.sleep = kill  # type: ignore[method-assign]
    with pytest.raises(Killed):
        go(led)
    assert led.proxy.share == 0.5, "nobody cleaned up"
    led.time.skip(2 * POLICY.period)
    led.proxy.expire()
    assert (led.proxy.share, led.proxy.live) == (0.0, "blue")


def test_an_unhealthy_host_in_the_lead_in_does_not_fail_the_candidate() -> None:
    led = world()
    passing = led.time.pass_time

    def fall(seconds: float) -> None:
        passing(seconds)
        if led.proxy.share:
            led.proxy.down.add("green-1")

    led.time.pass_time = fall  # type: ignore[method-assign]
    outcome = go(led)
    assert (outcome.verdict, led.proxy.share) == (None, 0.0)
    assert "In the lead-in: The candidate fails its health checks" in outcome.reason


def test_a_source_that_does_not_answer_costs_the_lead_in_alone() -> None:
    led = world()
    read = led.source.read

    def fail_once(*words: Any) -> tuple[Series, ...]:
        if len(led.source.reads) == 2:  # in the preflight, and before the traffic
            led.source.reads.append(0)
            raise SourceError("no response")
        return read(*words)

    led.source.read = fail_once  # type: ignore[method-assign,assignment]
    outcome = go(led)
    assert outcome.verdict is Verdict.PASS
    assert outcome.recording is not None
    assert outcome.recording.lead_in is None
    assert "The canary continues without its lead-in: no response" in outcome.warnings


def test_a_live_release_that_is_not_known_has_to_be_named() -> None:
    unknown = World()
    unknown.policy = with_lead_in(POLICY, SECONDS)
    outcome = go(unknown)
    assert outcome.verdict is None
    assert "which one is live is not known. Name it: --baseline REF" in outcome.reason
    named = World(baseline="v1")
    named.policy = unknown.policy
    assert go(named).verdict is Verdict.PASS
    deployed = [values["release"] for name, values in named.hooks.ran if name == "deploy"]
    assert deployed == ["release-v1", "release-v1", "release-v2"]


def test_a_lead_in_that_is_too_short_is_refused() -> None:
    with pytest.raises(PolicyError, match="write at least 60s, or 0"):
        with_lead_in(POLICY, 30)


def led(recording: Recording, seed: int = 7, **harm: float) -> Recording:
    """Return this recording with another one of the same hosts as its lead-in."""
    before = healthy(seed, **harm)  # type: ignore[arg-type]
    start, shift = before.steps[0].start, 2 * 86_400
    series = tuple(
        replace(one, times=tuple(time - shift for time in one.times)) for one in before.series
    )
    step = Step(start - shift, 0.5, 0.5, equal_footing=True)
    return replace(recording, lead_in=LeadIn(step, step.start + 55 * 60, series))


def test_hosts_that_always_differed_are_not_blamed_on_the_candidate() -> None:
    """Green's hosts are 15 % slower on any release, which only a lead-in can measure."""
    slow = healthy(3, latency=1.15)
    assert judge(policy(), slow).verdict is Verdict.FAIL
    known = judge(policy(), led(slow, latency=1.15))
    finding = known.findings[0]
    assert finding.effect is not None
    assert abs(finding.effect) < 0.05
    assert finding.verdict is not Verdict.FAIL
    assert any(
        "measured the hosts' own difference, taken off here: p90" in q for q in known.quality
    )


def test_harm_on_equal_hosts_shows_sooner() -> None:
    def error(recording: Recording) -> float:
        cpu = next(one for one in judge(policy(), recording).findings if one.metric == "cpu")
        return cpu.details["error"]

    harmed = healthy(4, cpu=1.1)
    assert error(led(harmed)) < 0.8 * error(harmed)


def test_other_hosts_than_in_the_lead_in_are_judged_without_it() -> None:
    recording = led(healthy(5))
    assert recording.lead_in is not None
    others = tuple(replace(one, instance=one.instance + "-new") for one in recording.lead_in.series)
    changed = replace(recording, lead_in=replace(recording.lead_in, series=others))
    found = judge(policy(), changed)
    assert found.findings == judge(policy(), replace(recording, lead_in=None)).findings
    assert any("is not used: it has too little data of these hosts" in q for q in found.quality)


def test_a_recording_with_a_lead_in_replays_to_the_same_bits() -> None:
    recording = led(healthy(6))
    again = recording_from_text(recording_to_text(recording))
    assert again == recording
    assert judge(policy(), again) == judge(policy(), recording)


def test_damage_in_a_lead_in_is_a_sentence() -> None:
    recording = led(healthy(6))
    assert recording.lead_in is not None
    broken = replace(recording.lead_in.series[0], values=(np.nan,))
    with pytest.raises(CanaryError, match="columns of unequal length"):
        recording_to_text(replace(recording, lead_in=replace(recording.lead_in, series=(broken,))))
