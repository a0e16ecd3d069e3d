"""Resumes a canary whose controller was killed.

First the proxy is read. If its weights differ from the recording, or the lease of the weight has
ended, the canary ends: no weight is ever raised again because a file says so. Otherwise the lease
is renewed, and the next look decides from the same recording as it would have without the kill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from canary.errors import CanaryError, TrafficError
from canary.formatting import duration
from canary.model import Judgement, Verdict
from canary.rollout import gates
from canary.rollout.checkpoint import Checkpoint
from canary.rollout.context import Context
from canary.rollout.engine import Known, after_steps, release
from canary.rollout.mark import Stage
from canary.rollout.outcome import Ending
from canary.rollout.progress import Progress
from canary.rollout.promote import promote, settle
from canary.rollout.steps import begin_step, climb, near
from canary.rollout.watch import Watch
from canary.traffic.base import Status

Phases = Callable[[Context, Known], Ending]
Judged = Sequence[Judgement]
WITH_TRAFFIC = (Stage.RAISE, Stage.STEP, Stage.GATE, Stage.BAKE)
"""Stages that need the lease of a weight. A hold needs it too, and ends as a hold."""
PAUSE = 1.0
FRUITLESS, FRUITLESS_PERIODS = 3, 10
"""After this many kills in this many periods without a look in between, the canary itself is at
fault: it would hold its weight without a judgement."""


def remaining(saved: Checkpoint, judged: Judged) -> Phases:
    """Return the remaining phases of a canary. ``judged`` are the earlier judgements known."""

    def phases(context: Context, known: Known) -> Ending:
        known.live, known.progress = context.meant.colour, context.progress
        if saved.mark.stage is Stage.START:
            return release(context, known)
        if saved.mark.stage is Stage.END:
            return _ended(context, saved)
        _take_over(context)
        if saved.mark.stage is Stage.DEPLOY or context.progress is None:
            return Ending(None, _before_traffic(saved))
        return _Rest(context, context.progress, saved).run(judged)

    return phases


def _ended(context: Context, saved: Checkpoint) -> Ending:
    """End a canary with a final verdict. Without the lock, traffic may be another canary's."""
    try:
        _take_over(context)
    except CanaryError as error:
        context.warn(f"Traffic was left as it is: {error}")
    return saved.mark.ending or Ending(None, "The canary was interrupted")


def _take_over(context: Context) -> None:
    """Take over the lock from this canary's dead controller, or leave the traffic alone."""
    try:
        context.keeper.retake_lock()
    except CanaryError:
        context.touched = False
        raise
    context.keeper.beat()
    context.ports.background.start(context.keeper.tick, context.timing.renewal)


def _before_traffic(saved: Checkpoint) -> str:
    hook = f" while the {saved.mark.begun[-1]} hook ran or later" if saved.mark.begun else ""
    return (
        f"The controller was killed{hook}, before there was anything to judge. Hooks are not "
        "started twice, so start a new canary"
    )


class _Rest:
    """The remaining phases of a canary that had data to judge."""

    def __init__(self, context: Context, progress: Progress, saved: Checkpoint) -> None:
        self._context = context
        self._progress = progress
        self._saved = saved
        self._stage = saved.mark.stage
        self._colour = progress.pairing.candidate.colour

    def run(self, judged: Judged) -> Ending:
        if (ending := self._fruitless()) is not None:
            return ending
        status = self._status()
        if self._stage in WITH_TRAFFIC and status.live != self._colour:
            if (ending := self._unlike(status)) is not None:
                return ending
            self._lease(status)
        elif self._stage is Stage.HOLD and status.lease_until is not None:
            self._lease(status)
        self._judge_again(judged)
        return self._continue(status)

    def _continue(self, status: Status) -> Ending:
        context, progress = self._context, self._progress
        watch = Watch(context, progress)
        match self._stage:
            case Stage.HOLD:
                return gates.hold(context, watch, self._saved.mark.ending or Ending(None, ""))
            case Stage.GATE | Stage.BAKE:
                return promote(context, progress)
            case Stage.COMMIT:
                return self._settled(status)
            case _:
                return after_steps(context, progress, self._climbed(status, watch))

    def _climbed(self, status: Status, watch: Watch) -> Ending | None:
        progress = self._progress
        last = progress.judgements[-1] if progress.judgements else None
        if last is not None and last.verdict is Verdict.FAIL:
            return Ending(Verdict.FAIL, last.reason, judged=True)
        if self._raised(status):
            begin_step(self._context, progress, status, self._saved.mark.share)
            self._context.reach(Stage.STEP)
        return climb(self._context, progress, watch)

    def _settled(self, status: Status) -> Ending:
        """Complete a promotion in both the proxy and the state, or in neither."""
        self._context.promoting = True
        if status.live != self._colour and status.lease_until is None:
            return Ending(None, self._gone())
        return settle(self._context, self._progress, Watch(self._context, self._progress))

    def _fruitless(self) -> Ending | None:
        context = self._context
        since = max(self._saved.time, context.now() - FRUITLESS_PERIODS * context.timing.period)
        times = [event.time for event in context.events if event.kind == "resumed"]
        if sum(time >= since for time in times) < FRUITLESS:
            return None
        return Ending(
            None, f"The controller was killed {FRUITLESS + 1} times, and judged nothing in between"
        )

    def _unlike(self, status: Status) -> Ending | None:
        """Return the end of a canary if its traffic has changed since the kill."""
        if status.lease_until is None or not status.weight(self._colour):
            return Ending(None, self._gone())
        real = status.share(self._colour)
        expected = [self._progress.share] if self._progress.steps else []
        if self._stage is Stage.RAISE:
            expected.append(self._saved.mark.share)
        if self._stage is Stage.BAKE:
            expected.append(1.0)
        if status.down(status.live) or any(near(real, share) for share in expected):
            return None
        shares = " or ".join(f"{share:.1%}" for share in expected)
        return Ending(
            None,
            f"{self._colour} carries {real:.1%} of traffic instead of {shares}: somebody changed "
            "it while the canary had no controller",
        )

    def _raised(self, status: Status) -> bool:
        """Return whether the proxy has the weight that was being set."""
        if self._stage is not Stage.RAISE:
            return False
        if not self._progress.steps:
            return True
        real, before = status.share(self._colour), self._progress.share
        return abs(real - self._saved.mark.share) < abs(real - before)

    def _gone(self) -> str:
        return (
            f"The controller was killed, and {self._colour} no longer carries traffic: the lease "
            f"of its weight ended, {self._away()} after the last look"
        )

    def _lease(self, status: Status) -> None:
        context = self._context
        context.ports.traffic.renew(context.timing.lease)
        context.keeper.leased()
        context.say(
            "resumed",
            f"the controller was killed; another continues, {self._away()} after the last look, "
            f"with {status.share(self._colour):.1%} of traffic on {self._colour}",
        )

    def _away(self) -> str:
        return duration(max(0, round(self._context.now() - self._saved.time)))

    def _status(self) -> Status:
        """Read the proxy. When the lease ends, the proxy itself returns the traffic."""
        context = self._context
        patience = context.now() + context.timing.lease
        while True:
            try:
                return context.ports.traffic.status()
            except TrafficError:
                if context.now() >= patience:
                    raise
            context.sleep(PAUSE)

    def _judge_again(self, judged: Judged) -> None:
        """Judge again the looks that have no judgement left; the result is the same."""
        known = {judgement.at: judgement for judgement in judged}
        recording = self._progress.recording()
        for look in self._progress.looks:
            self._context.keeper.beat()
            again = known.get(look) or self._context.ports.judge(recording, look)
            self._progress.judgements.append(again)
