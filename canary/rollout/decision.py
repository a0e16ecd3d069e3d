"""Decides whether a canary continues, stops or gives up. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from canary.model import Judgement, Verdict
from canary.rollout.outcome import Ending
from canary.rollout.timing import Timing

CAUTION = 0.8
"""Evidence this close to FAIL keeps the weight from being raised."""


class Move(enum.Enum):
    """What to do after a look.

    ``RETRY`` reads the source once more, because it did not respond. ``STOP`` ends a canary without
    data. ``GIVE_UP`` ends a canary whose time is over; a person may still decide it.
    """

    WAIT = "wait"
    RETRY = "retry"
    ADVANCE = "advance"
    PASS = "pass"
    FAIL = "fail"
    STOP = "stop"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Decision:
    """The move after a look, and its reason."""

    move: Move
    reason: str = ""

    @property
    def ending(self) -> Ending | None:
        """The end of the canary, or None if it continues."""
        match self.move:
            case Move.FAIL:
                return Ending(Verdict.FAIL, self.reason, judged=True)
            case Move.STOP:
                return Ending(Verdict.INCONCLUSIVE, self.reason)
            case Move.GIVE_UP:
                return Ending(Verdict.INCONCLUSIVE, self.reason, undecided=True)
            case Move.WAIT | Move.RETRY | Move.ADVANCE | Move.PASS:
                return None


def decide(
    timing: Timing, judgement: Judgement, step: int, served: float, elapsed: float
) -> Decision:
    """Decide after a look: ``served`` seconds of this step, ``elapsed`` seconds in all.

    To raise the weight, the step's time without signs of harm is enough. A promotion needs PASS.
    """
    if judgement.verdict is Verdict.FAIL:
        return Decision(Move.FAIL, judgement.reason)
    last = step == len(timing.steps) - 1
    done = served >= timing.service(step)
    if last and done and judgement.verdict is Verdict.PASS and elapsed >= timing.minimum:
        return Decision(Move.PASS, judgement.reason)
    if elapsed >= timing.maximum:
        return Decision(Move.GIVE_UP, judgement.reason)
    doubt = caution(judgement)
    return Decision(Move.WAIT, doubt) if last or not done or doubt else Decision(Move.ADVANCE)


def only_if_seen(decision: Decision, unseen: str, *, over: bool) -> Decision:
    """Withhold the next weight and PASS while an instance is silent; ``over``: the time is up."""
    if not unseen or decision.move not in (Move.ADVANCE, Move.PASS):
        return decision
    return Decision(Move.GIVE_UP if over else Move.WAIT, unseen)


def without_answer(timing: Timing, source: str, newest: int, now: float) -> Decision:
    """Decide when ``source`` returns no data for the periods after ``newest``."""
    reason = f"{source} returned no data for {now - newest:.0f} s; stopping"
    return Decision(Move.RETRY if now < timing.last_call(newest) else Move.STOP, reason)


def caution(judgement: Judgement) -> str:
    """Return why the weight should not be raised now, or an empty string."""
    heeded = [finding for finding in judgement.findings if not finding.muted]
    harmful = [finding.metric for finding in heeded if finding.towards_fail >= CAUTION]
    silent = [finding.metric for finding in heeded if finding.silent and finding.critical]
    if harmful:
        return f"{', '.join(harmful)} may be harmed"
    return f"the candidate stopped reporting {', '.join(silent)}" if silent else ""
