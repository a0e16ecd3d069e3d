"""How a canary ended, in a form that the command, the history and a test can read."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from canary.model import Judgement, Recording, Verdict


class ExitStatus(enum.IntEnum):
    """What the command tells the shell."""

    PASS = 0
    FAIL = 1
    COULD_NOT_RUN = 2
    INCONCLUSIVE = 3


_STATUS = {
    Verdict.PASS: ExitStatus.PASS,
    Verdict.FAIL: ExitStatus.FAIL,
    Verdict.INCONCLUSIVE: ExitStatus.INCONCLUSIVE,
    None: ExitStatus.COULD_NOT_RUN,
}


def status_of(verdict: Verdict | None) -> ExitStatus:
    """Return what the shell is told; without a verdict, that the canary could not run."""
    return _STATUS[verdict]


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the phases ended; without a verdict the canary could not run to its end.

    ``settled``: traffic already is where it belongs, after a promotion or a person's decision.
    ``undecided``: the evidence did not suffice in the time allowed, so a person may decide.
    """

    verdict: Verdict | None
    reason: str
    settled: bool = False
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything about a canary that is over.

    Attributes:
        traffic: where traffic is now, in a sentence.
        safe: whether that was seen on the proxy itself.
        warnings: what went wrong without changing the verdict.
    """

    canary: str
    verdict: Verdict | None
    reason: str
    traffic: str
    safe: bool
    live: str
    started: float
    ended: float
    recording: Recording | None
    judgements: Sequence[Judgement] = ()
    warnings: Sequence[str] = ()

    @property
    def exit_status(self) -> ExitStatus:
        return status_of(self.verdict)
