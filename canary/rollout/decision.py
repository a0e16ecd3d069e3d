"""When a canary moves on, stops or gives up: a pure decision from time served and evidence."""

from __future__ import annotations

import enum

from canary.model import Judgement, Verdict
from canary.rollout.timing import Timing

CAUTION = 0.8
"""Evidence that has come this far towards FAIL keeps more users off the candidate."""


class Move(enum.Enum):
    """What to do after a look."""

    WAIT = "wait"
    ADVANCE = "advance"
    PASS = "pass"
    FAIL = "fail"
    GIVE_UP = "give up"


def decide(timing: Timing, judgement: Judgement, step: int, served: float, elapsed: float) -> Move:
    """Return the move after a look: ``served`` seconds of this step, ``elapsed`` of all.

    Raising a weight takes no proof, only time that was seen and shows no signs of harm; a
    promotion takes PASS.
    """
    if judgement.verdict is Verdict.FAIL:
        return Move.FAIL
    last = step == len(timing.steps) - 1
    done = served >= timing.service(step)
    if last and done and judgement.verdict is Verdict.PASS and elapsed >= timing.minimum:
        return Move.PASS
    if elapsed >= timing.maximum:
        return Move.GIVE_UP
    return Move.ADVANCE if not last and done and not caution(judgement) else Move.WAIT


def caution(judgement: Judgement) -> str:
    """Say why no more users should meet the candidate for now, or nothing."""
    heeded = [finding for finding in judgement.findings if not finding.muted]
    harmful = [finding.metric for finding in heeded if finding.towards_fail >= CAUTION]
    silent = [finding.metric for finding in heeded if finding.silent and finding.critical]
    if harmful:
        return f"{', '.join(harmful)} leans towards harm"
    return f"the candidate sends nothing of {', '.join(silent)}" if silent else ""
