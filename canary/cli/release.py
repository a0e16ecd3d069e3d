"""Runs or resumes a canary, and prints its outcome."""

from __future__ import annotations

import dataclasses
import time
from functools import partial
from pathlib import Path

from rich.console import Console

from canary.cli.assemble import board_of
from canary.cli.common import Place
from canary.cli.context import context_of
from canary.cli.controller import Controller
from canary.cli.ended import tell_ended
from canary.cli.harm import detectable_harm
from canary.cli.notify import watched_by
from canary.cli.progress import Display
from canary.live.files import LiveFiles, written
from canary.model import Event, Judgement
from canary.policy import with_lead_in
from canary.report import render_terminal
from canary.rollout.archive import Archive, outcome_document
from canary.rollout.checkpoint import Checkpoint, first, log_of, restore
from canary.rollout.context import Request
from canary.rollout.engine import run as run_canary
from canary.rollout.names import whoami
from canary.rollout.outcome import Outcome
from canary.rollout.resume import remaining
from canary.rollout.system import Signals


def released(place: Place, request: Request, console: Console) -> Outcome:
    """Run a canary in this process."""
    controller = Controller(Path(request.directory))
    with controller.held():
        return _controlled(place, first(request, place.policy.lead_in, time.time()), console)


def resumed(place: Place, saved: Checkpoint, console: Console) -> Outcome:
    """Resume a canary; the caller holds its controller's lock."""
    if place.policy.lead_in != saved.lead_in:
        place = dataclasses.replace(place, policy=with_lead_in(place.policy, saved.lead_in))
    request = dataclasses.replace(saved.request, who=whoami())
    return _controlled(place, dataclasses.replace(saved, request=request), console)


def _controlled(place: Place, saved: Checkpoint, console: Console) -> Outcome:
    directory, signals, request = Path(saved.request.directory), Signals(), saved.request
    controller, files = Controller(directory), LiveFiles(directory)
    log, judged = _known(saved, directory, files)
    with (
        signals.handled(),
        Display(place.policy, console) as display,
        watched_by(place, request, display, files, earlier=log) as observer,
    ):
        board = board_of(place.environment)
        context = context_of(place, request, directory, observer, signals, board)
        restore(context, saved, log)
        context.journal = controller.save
        state = context.ports.state
        about = (state, request.who, request.candidate, board, controller.told)
        archive = Archive(place.policy, directory, *about)
        phases = remaining(saved, judged)
        return run_canary(context, partial(_keep, archive, controller), phases)


def _known(
    saved: Checkpoint, directory: Path, files: LiveFiles
) -> tuple[tuple[Event, ...], list[Judgement]]:
    """Return the events and judgements of earlier processes, and begin the live files with them."""
    events, judgements = written(directory)
    log = log_of(saved, events)
    looks = saved.comparison.recording.looks if saved.comparison else ()
    judged = {judgement.at: judgement for judgement in judgements}
    kept = [judged[look] for look in looks if look in judged]
    files.begin_with(log, kept)
    return log, kept


def _keep(archive: Archive, controller: Controller, outcome: Outcome) -> None:
    """Store the outcome. After that there is nothing to resume."""
    try:
        archive.keep(outcome)
    finally:
        controller.forget()


def tell(
    place: Place, outcome: Outcome, directory: Path, console: Console, *, as_json: bool
) -> None:
    """Print a canary's outcome."""
    if outcome.recording is not None and outcome.judgements and not console.is_terminal:
        console.print(render_terminal(place.policy, outcome.recording, outcome.judgements))
    judged = outcome.judgements
    harm = detectable_harm(place.policy, judged[-1]) if judged and not as_json else ""
    tell_ended(outcome_document(outcome), directory, as_json=as_json, harm=harm)
