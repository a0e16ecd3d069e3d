"""The end of a canary, for the command and the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canary.errors import ExitStatus
from canary.model import Judgement, Recording, Verdict

_STATUS = {
    Verdict.PASS: ExitStatus.PASS,
    Verdict.FAIL: ExitStatus.FAIL,
    Verdict.INCONCLUSIVE: ExitStatus.INCONCLUSIVE,
    None: ExitStatus.COULD_NOT_RUN,
}


def status_of(verdict: Verdict | None) -> ExitStatus:
    """Return the exit status of a verdict; without one, the canary could not run."""
    return _STATUS[verdict]


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the phases ended. Without a verdict, the canary could not run to its end.

    ``settled``: traffic is already in place, after a promotion or a person's decision.
    ``undecided``: the data did not suffice within the time limit, so a person may decide.
    ``judged``: the judge found harm, so a person may look before the candidate is rolled back.
    ``replaced``: the servers report a release other than the judged one, so no verdict holds.
    """

    verdict: Verdict | None
    reason: str
    settled: bool = False
    undecided: bool = False
    judged: bool = False
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a canary.

    Attributes:
        traffic: a sentence about who carries traffic now.
        safe: whether the proxy confirmed this.
        warnings: problems that did not change the verdict.
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
