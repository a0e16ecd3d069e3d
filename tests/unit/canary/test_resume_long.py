"""A canary of 30 minutes with the real judge, whose controller is killed five times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from canary.judge import judge
from canary.model import Event, Judgement, Recording, Verdict
from canary.offline.replay import judge_looks
from canary.policy import parse_policy
from canary.rollout.checkpoint import (
    checkpoint_from_text,
    checkpoint_of,
    checkpoint_to_text,
    restore,
)
from canary.rollout.context import Context, Request
from canary.rollout.engine import run
from canary.rollout.outcome import Outcome
from canary.rollout.resume import remaining
from canary.simulation import World, policy_text
from tests.unit.canary.resume_world import Killed

POLICY = parse_policy(
    policy_text()
    .replace("period: 5s ", "period: 30s ")
    .replace("warmup: 15s ", "warmup: 60s ")
    .replace("minimum: 2m ", "minimum: 30m ")
    .replace("maximum: 8m ", "maximum: 60m ")
)
LEASE = 59
KILLED_AFTER = (2, 9, 20, 31, 44)
"""Looks after which the controller is killed, from the warm-up to the last step."""


class Killable(World):
    """The simulated world, in which a controller is killed after some looks."""

    def __init__(self, deaths: Sequence[int] = ()) -> None:
        super().__init__(seed=3, policy=POLICY)
        self.deaths = list(deaths)
        self.dead = False
        self.text = ""
        self.events: list[Event] = []
        self.shares: list[float] = []

    def event(self, event: Event) -> None:
        self.events.append(event)

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:
        self.shares.append(recording.steps[-1].candidate)
        if self.deaths and len(judgements) >= self.deaths[0]:
            self.deaths.pop(0)
            self.dead = True
            raise Killed

    def life(self, ref: str) -> Outcome:
        """Run a canary with all of its controllers. Each starts 20 s after a kill."""
        request = Request("c1", "simulation", ("blue", "green"), "me", ref, source="simulation")
        context = self._made(request)
        while True:
            saved = checkpoint_from_text(self.text, "checkpoint") if self.text else None
            try:
                if saved is None:
                    return run(context, lambda _: None)
                context = self._made(saved.request)
                restore(context, saved, self.events)
                return run(context, lambda _: None, remaining(saved, ()))
            except Killed:
                self.clock.stop()
                self.clock.skip(20)
                self.dead = False

    def _made(self, request: Request) -> Context:
        context = self._context(request, self)
        context.ports = replace(
            context.ports, shield=self._shield, judge=partial(judge, self.policy)
        )
        context.journal = self._keep
        return context

    def _shield(self) -> None:
        if self.dead:
            raise Killed

    def _keep(self, context: Context) -> None:
        if not self.dead:
            self.text = checkpoint_to_text(checkpoint_of(context))


@pytest.mark.long
@pytest.mark.parametrize(("ref", "verdict"), [("v1.1", Verdict.PASS), ("v1.2", Verdict.FAIL)])
def test_thirty_minutes_and_five_kills_end_with_the_verdict_of_no_kill(
    ref: str, verdict: Verdict
) -> None:
    undisturbed, world = Killable(), Killable(KILLED_AFTER)
    assert undisturbed.life(ref).verdict is verdict
    outcome = world.life(ref)
    assert outcome.verdict is verdict, outcome.reason
    kills = sum(event.kind == "resumed" for event in world.events)
    assert kills == (5 if verdict is Verdict.PASS else len(KILLED_AFTER) - len(world.deaths))
    assert kills >= 1
    assert outcome.recording is not None
    assert judge_looks(POLICY, outcome.recording) == outcome.judgements, "bit for bit"
    assert world.shares == sorted(world.shares)
    assert set(world.shares) <= {0.1, 0.5}
    if verdict is Verdict.PASS:
        assert outcome.judgements[-1].at - outcome.recording.steps[0].start >= 30 * 60
