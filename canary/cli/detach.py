"""``canary run --detach``: start a canary that outlives its terminal."""

from __future__ import annotations

import time
from pathlib import Path

from canary.cli.background import LOG, Service, start
from canary.cli.common import Place, answer
from canary.cli.controller import Controller
from canary.cli.ended import outcome_of
from canary.errors import CanaryError, ExitStatus
from canary.processes import ending
from canary.rollout.checkpoint import first
from canary.rollout.context import Request

START_SECONDS = 60.0
POLL = 0.1


def detach(place: Place, request: Request, *, as_json: bool) -> ExitStatus:
    """Start the controller of a canary, and print how to follow and stop it."""
    directory = Path(request.directory)
    Controller(directory).write(first(request, place.policy.lead_in, time.time()))
    service = start(directory, place.environment.name)
    process = _wait(directory)
    document = {
        "canary": request.name,
        "directory": str(directory),
        "unit": service.unit or None,
        "process": process,
        "lost": list(service.lost),
    }
    answer(document, _text(request, service), as_json=as_json)
    return ExitStatus.PASS


def _wait(directory: Path) -> int | None:
    """Return the controller's process once it runs; None if the canary has already ended."""
    controller, patience = Controller(directory), time.monotonic() + START_SECONDS
    while (process := controller.process()) is None and outcome_of(directory) is None:
        if time.monotonic() > patience:
            raise CanaryError(
                f"The controller of canary {directory.name} did not start within "
                f"{START_SECONDS:.0f} s{ending(directory / LOG)}"
            )
        time.sleep(POLL)
    return process


def _text(request: Request, service: Service) -> str:
    where = f"{request.name} --env {request.environment}"
    lines = [
        f"Canary {request.name} runs {service}",
        f"Follow it:  canary attach {where}",
        f"Its page:   canary watch {where}",
        f"Stop it:    canary stop {where}",
        *(f"! {sentence}" for sentence in service.lost),
    ]
    return "\n".join(lines)
