"""When a canary moves on, stops or gives up: pure decisions from time served and evidence."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from canary.model import Judgement, Verdict
from canary.rollout.outcome import Ending
from canary.rollout.timing import Timing

CAUTION = 0.8
"""Evidence that has come this far towards FAIL keeps more users off the candidate."""


class Move(enum.Enum):
    """What to do after a look.

    ``RETRY`` asks a source that did not answer once more; ``STOP`` ends a canary that nobody can
    see; ``GIVE_UP`` ends one whose time is over, and which a person may still decide.
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
    """What to do after a look, and why: the outcome's reason, or why the weight does not rise."""

    move: Move
    reason: str = ""

    @property
    def ending(self) -> Ending | None:
        """How the canary ends by this; None: it goes on."""
        match self.move:
            case Move.FAIL:
                return Ending(Verdict.FAIL, self.reason)
            case Move.STOP:
                return Ending(Verdict.INCONCLUSIVE, self.reason)
            case Move.GIVE_UP:
                return Ending(Verdict.INCONCLUSIVE, self.reason, undecided=True)
            case Move.WAIT | Move.RETRY | Move.ADVANCE | Move.PASS:
                return None


def decide(
    timing: Timing, judgement: Judgement, step: int, served: float, elapsed: float
) -> Decision:
    """Decide after a look: ``served`` seconds of this step, ``elapsed`` of all.

    Raising a weight takes no proof, only time that was seen and shows no signs of harm; a
    promotion takes PASS.
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


def without_answer(timing: Timing, source: str, heard: int, now: float) -> Decision:
    """Decide when ``source`` does not answer, and was last heard up to ``heard``."""
    reason = (
        f"{source} has told nothing of the last {now - heard:.0f} seconds; "
        "nothing is judged blindly"
    )
    return Decision(Move.RETRY if now < timing.last_call(heard) else Move.STOP, reason)


def caution(judgement: Judgement) -> str:
    """Say why no more users should meet the candidate for now, or nothing."""
    heeded = [finding for finding in judgement.findings if not finding.muted]
    harmful = [finding.metric for finding in heeded if finding.towards_fail >= CAUTION]
    silent = [finding.metric for finding in heeded if finding.silent and finding.critical]
    if harmful:
        return f"{', '.join(harmful)} leans towards harm"
    return f"the candidate sends nothing of {', '.join(silent)}" if silent else ""
