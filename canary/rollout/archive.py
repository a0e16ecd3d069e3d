"""Stores the outcome of a canary: files, bucket, history, message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from canary.errors import StateError
from canary.model import Release
from canary.policy import Policy
from canary.recording import recording_to_text
from canary.report import render_html, render_json, render_markdown
from canary.rollout.outcome import Outcome
from canary.state.base import Board, Row, State

MARKS = 20
"""Number of the newest canaries that are marked on the dashboard."""


class Archive:
    """Stores one outcome. It writes the files on disk first, because they need no network.

    ``told`` returns whether an earlier process, which was killed, has told the subscribers.
    """

    def __init__(
        self,
        policy: Policy,
        directory: Path,
        state: State,
        who: str,
        ref: str,
        board: Board | None = None,
        told: Callable[[], bool] = lambda: False,
    ) -> None:
        self._policy = policy
        self._directory = directory
        self._state = state
        self._who = who
        self._ref = ref
        self._board = board
        self._told = told

    def keep(self, outcome: Outcome) -> None:
        """Write the files, then upload and announce them; raise all errors at the end."""
        files = {"outcome.json": _outcome_text(outcome), **self._reports(outcome)}
        problems = []
        for step in (self._write, self._upload, self._remember, self._mark, self._announce):
            try:
                step(outcome, files)
            except (StateError, OSError) as error:  # a full disk must not hide the history's row
                problems.append(str(error))
        if problems:
            raise StateError("; ".join(problems))

    def _write(self, _outcome: Outcome, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self._directory / name).write_text(text, encoding="utf-8")

    def _reports(self, outcome: Outcome) -> dict[str, str]:
        recording, judgements = outcome.recording, outcome.judgements
        if recording is None:
            return {}
        found = {"recording.json": recording_to_text(recording)}
        if judgements:
            found["report.html"] = render_html(self._policy, recording, judgements)
            found["report.json"] = render_json(self._policy, recording, judgements)
            found["report.md"] = render_markdown(self._policy, recording, judgements)
        return found

    def _upload(self, outcome: Outcome, files: dict[str, str]) -> None:
        for name, text in files.items():
            self._state.store(f"canaries/{outcome.canary}/{name}", text.encode(), {})

    def _remember(self, outcome: Outcome, files: dict[str, str]) -> None:
        self._state.remember(self._row(outcome, "report.html" in files))

    def _mark(self, _outcome: Outcome, _files: dict[str, str]) -> None:
        if self._board is not None:
            self._board.mark(self._state.history(MARKS))

    def _announce(self, outcome: Outcome, _files: dict[str, str]) -> None:
        """Count the canary and tell the subscribers, unless an earlier process has done so."""
        if self._told():
            return
        if self._board is not None:
            self._board.count(_word(outcome), outcome.ended - outcome.started, _score(outcome))
        self._state.announce(self._subject(outcome), json.loads(_outcome_text(outcome)))

    def _subject(self, outcome: Outcome) -> str:
        return f"Canary {_word(outcome)}: {self._ref} on {self._environment(outcome)}"

    def _environment(self, outcome: Outcome) -> str:
        return outcome.recording.environment if outcome.recording else "the environment"

    def _row(self, outcome: Outcome, reported: bool) -> Row:  # noqa: FBT001 - private
        recording = outcome.recording
        return Row(
            canary=outcome.canary,
            started=outcome.started,
            ended=outcome.ended,
            verdict=_word(outcome),
            exit_status=int(outcome.exit_status),
            baseline=_release(recording.baseline) if recording else "",
            candidate=_release(recording.candidate) if recording else self._ref,
            live=outcome.live,
            who=self._who,
            reason=outcome.reason,
            report=f"canaries/{outcome.canary}/report.html" if reported else "",
            colours=recording.candidate.colour if recording else "",
        )


def outcome_document(outcome: Outcome) -> dict[str, object]:
    """Return the outcome that ``canary run --json`` prints and that subscribers get."""
    recording = outcome.recording
    return {
        "canary": outcome.canary,
        "verdict": outcome.verdict,
        "exit_status": int(outcome.exit_status),
        "reason": outcome.reason,
        "traffic": outcome.traffic,
        "safe": outcome.safe,
        "live": outcome.live,
        "started": outcome.started,
        "ended": outcome.ended,
        "baseline": _release(recording.baseline) if recording else None,
        "candidate": _release(recording.candidate) if recording else None,
        "warnings": list(outcome.warnings),
    }


def _outcome_text(outcome: Outcome) -> str:
    return json.dumps(outcome_document(outcome), indent=2, sort_keys=True) + "\n"


def _score(outcome: Outcome) -> float | None:
    return outcome.judgements[-1].score if outcome.judgements else None


def _word(outcome: Outcome) -> str:
    return str(outcome.verdict or "COULD NOT RUN")


def _release(release: Release) -> str:
    return f"{release.name} {release.commit}".strip()
