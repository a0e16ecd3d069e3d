"""A simulated canary whose controllers are killed, and the file from which the next one resumes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canary.model import Judgement, Verdict
from canary.rollout.checkpoint import (
    Checkpoint,
    checkpoint_from_text,
    checkpoint_of,
    checkpoint_to_text,
    restore,
)
from canary.rollout.context import Context
from canary.rollout.engine import run
from canary.rollout.mark import Stage
from canary.rollout.outcome import Outcome
from canary.rollout.resume import remaining
from tests.unit.canary.rollout_fakes import Troubles
from tests.unit.canary.rollout_world import FAIL, PASS, World, after

AWAY = 3.0
"""Seconds until the next controller starts."""


class Killed(BaseException):
    """Represents SIGKILL: nothing of this process runs after it."""


@dataclass
class Deadly(Troubles):
    """Kills the process at one call, before or after its effect."""

    deadly: int = -1
    dead: bool = False

    def meet(self, name: str, effect: Callable[[], object]) -> None:
        if self.dead:
            raise Killed
        if len(self.calls) != self.deadly:
            super().meet(name, effect)
            return
        self.calls.append(name)
        if self.late:
            effect()
        self.dead = True
        raise Killed


class Life(World):
    """One canary with all of its controllers. ``text`` is the file of its checkpoint."""

    def __init__(self, verdict: Callable[[int], Verdict], **request: object) -> None:
        self.deadly = Deadly()
        super().__init__(verdict, self.deadly, **request)
        self.text = ""
        self.judged: list[Judgement] = []
        self.full = False

    def shield(self) -> None:
        if self.deadly.dead:
            raise Killed

    @property
    def saved(self) -> Checkpoint:
        return checkpoint_from_text(self.text, "checkpoint.json")

    def start(self) -> Outcome:
        context = self._context()
        context.reach(Stage.START)
        return run(context, lambda _: None)

    def resume(self) -> Outcome:
        context, saved = self._context(), self.saved
        restore(context, saved, self.events)
        return run(context, lambda _: None, remaining(saved, self.judged))

    def until_death(self, at: int, act: Callable[[], Outcome], *, late: bool) -> Outcome | None:
        """Run ``act``, and kill it at call number ``at``. Return None if it was killed."""
        self.deadly.deadly, self.deadly.late = len(self.deadly.calls) + at, late
        try:
            return act()
        except Killed:
            return None
        finally:
            self.time.stop()
            self.deadly.deadly, self.deadly.dead = -1, False

    def away(self, seconds: float = AWAY) -> None:
        """Advance the time without a controller."""
        self.time.skip(seconds)
        self.proxy.expire()

    def ran(self, name: str) -> int:
        return sum(hook == name for hook, _ in self.hooks.ran)

    def _context(self) -> Context:
        context = self.context()
        context.journal = self._keep
        return context

    def _keep(self, context: Context) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        if not self.deadly.dead:
            self.text = checkpoint_to_text(checkpoint_of(context))


def good(**request: object) -> Life:
    return Life(after(60, PASS), **request)


def bad(**request: object) -> Life:
    return Life(after(40, FAIL), **request)


def calls(life: Life) -> list[str]:
    life.start()
    return life.deadly.calls


def check(life: Life, where: str) -> None:
    """Check the conditions that hold after every end."""
    assert life.ran("deploy") <= 1, where
    assert life.ran("promoted") + life.ran("rolled_back") <= 1, where
    assert len(life.said("end")) == 1, where
    assert life.state.held is None, where
    assert life.proxy.until is None, where
    assert life.proxy.live == life.state.colour, where
