"""The judged release is the promoted one: servers report their release, which is compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import ExitStatus
from canary.state.base import Live
from tests.unit.canary.rollout_fakes import START
from tests.unit.canary.rollout_world import OPEN, World, after, go

OTHER = "release-other"
LAST_LOOK = 65
"""Seconds from the first weight to the last look, if every look is a PASS."""


def world(**releases: str) -> World:
    made = World()
    made.proxy.releases = {"blue-1": "release-v1", "green-1": "release-v2", **releases}
    return made


def test_a_promotion_remembers_colour_and_release() -> None:
    made = world()
    assert go(made).exit_status == ExitStatus.PASS
    assert made.state.live() == Live("green", "release-v2")


@pytest.mark.parametrize("server", ["green-1", "blue-1"])
def test_a_release_that_is_exchanged_meanwhile_ends_the_canary(server: str) -> None:
    made = world()

    def exchange(_: World, elapsed: int) -> None:
        if elapsed >= 30:
            made.proxy.releases[server] = OTHER

    made.during = exchange
    outcome = go(made)
    assert (outcome.verdict, outcome.exit_status) == (None, ExitStatus.COULD_NOT_RUN)
    assert f"Could not judge, because a release was replaced: {server} reports" in (outcome.reason)
    assert (made.proxy.live, made.proxy.share) == ("blue", 0.0)
    assert made.state.colour == "blue"


def test_a_release_that_is_exchanged_after_the_last_look_is_not_promoted() -> None:
    made = world()

    def exchange(_: World, elapsed: int) -> None:
        if elapsed >= LAST_LOOK:
            made.proxy.releases["green-1"] = OTHER

    made.during = exchange
    outcome = go(made)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert f"green-1 reports {OTHER}, not release-v2" in outcome.reason
    assert outcome.judgements[-1].at - START == pytest.approx(LAST_LOOK, abs=6)
    assert "traffic.promote" not in made.troubles.calls
    assert (made.proxy.live, made.proxy.share) == ("blue", 0.0)


def test_a_release_that_is_exchanged_while_a_person_is_waited_for_leaves_no_verdict() -> None:
    made = world()
    made.verdict, made.request = after(0, OPEN), replace(made.request, on_inconclusive="hold")

    def exchange() -> None:
        if made.said("hold"):
            made.proxy.releases["green-1"] = OTHER

    made.time.passing = exchange
    outcome = go(made)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert f"green-1 reports {OTHER}" in outcome.reason
    assert (made.proxy.live, made.proxy.share) == ("blue", 0.0)


def test_a_server_that_does_not_say_what_it_runs_is_not_promoted() -> None:
    made = world()

    def hush(_: World, elapsed: int) -> None:
        if elapsed >= LAST_LOOK:
            made.proxy.releases.pop("green-1", None)

    made.during = hush
    outcome = go(made)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert "green-1 did not report its release" in outcome.reason


def test_a_deploy_hook_that_installs_something_else_is_found_before_any_traffic() -> None:
    made = world(**{"green-1": OTHER})
    outcome = go(made)
    assert outcome.exit_status == ExitStatus.COULD_NOT_RUN
    assert f"After its deployment, green-1 reports {OTHER}, not release-v2" in outcome.reason
    assert "traffic.set" not in made.troubles.calls


def test_a_live_release_that_nobody_meant_is_named_before_anything_starts() -> None:
    made = world()
    made.state.release = OTHER
    outcome = go(made)
    assert f"blue ({OTHER}) should be live, but blue reports release-v1" in outcome.reason
    assert made.hooks.ran == []


def test_servers_that_never_name_their_release_are_judged_and_that_is_said() -> None:
    made = World()
    assert go(made).exit_status == ExitStatus.PASS
    assert any("The release of green cannot be checked" in s for s in made.said("preflight"))
