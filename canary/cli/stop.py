"""``canary stop``: end a canary, and return its traffic."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from pathlib import Path

import click
from rich.console import Console

from canary.cli.common import find_place, json_option, where_options
from canary.cli.controller import Controller, alive, find
from canary.cli.elsewhere import Elsewhere
from canary.cli.ended import NOT_FOUND, outcome_of, tell_ended
from canary.cli.release import resumed
from canary.cli.resume import place_of
from canary.errors import ExitStatus, StateError
from canary.rollout.checkpoint import Checkpoint
from canary.rollout.mark import Stage
from canary.rollout.outcome import Ending

POLL = 0.2
KEPT = (Stage.COMMIT, Stage.END)
"""Stages at which the verdict is final."""


@click.command()
@click.argument("canary", required=False)
@where_options
@json_option
def stop(
    env: str | None, policy_file: Path | None, canary: str | None, *, as_json: bool
) -> ExitStatus:
    """End CANARY, or the newest one that runs here, and return its traffic to the live colour.

    The command waits until the canary has ended. It also ends a canary whose controller was killed.
    On a machine that does not control the canary, it returns the traffic at once, and the canary
    ends at its next look.

    Exit status: 0 the live colour carries all traffic, 2 this is not certain, or no canary runs.

    \b
    Example:
      canary stop --env local
    """
    place = find_place(env, policy_file)
    if elsewhere := Elsewhere.of(place, canary):
        elsewhere.stop(as_json=as_json)
        return ExitStatus.PASS
    directory = find(place.canaries, canary, alive)
    controller = Controller(directory)
    if (process := controller.process()) is not None:
        _end(directory, controller, process)
    elif (saved := controller.load()) is not None:
        with controller.held():
            resumed(place_of(directory), stopped(saved), Console(stderr=True))
    elif controller.missing and outcome_of(directory) is None:
        raise StateError(f"Canary {directory.name} {NOT_FOUND}")
    else:
        raise StateError(f"No canary runs: {directory.name} has ended. See: canary history")
    if (document := outcome_of(directory)) is None:
        raise StateError(
            f"The controller of canary {directory.name} ended without an outcome. Repeat this "
            f"command. To return traffic now: canary rollback --env {place.environment.name}"
        )
    tell_ended(document, directory, as_json=as_json)
    return ExitStatus.PASS if document["safe"] else ExitStatus.COULD_NOT_RUN


def stopped(saved: Checkpoint) -> Checkpoint:
    """Return the checkpoint of a canary with a dead controller, changed so that the canary ends."""
    if saved.mark.stage in KEPT:
        return saved
    ending = saved.mark.ending or Ending(None, "Stopped by canary stop")
    mark = dataclasses.replace(saved.mark, stage=Stage.END, ending=ending)
    return dataclasses.replace(saved, mark=mark)


def _end(directory: Path, controller: Controller, process: int) -> None:
    """Tell the controller to stop, and wait without a limit: the rollback hook has its own."""
    try:
        os.kill(process, signal.SIGTERM)
    except PermissionError as error:
        raise StateError(
            f"Process {process}, which controls canary {directory.name}, belongs to another user. "
            "Repeat this command as that user, or as root"
        ) from error
    except ProcessLookupError:
        pass  # it has just ended
    click.echo(f"Told process {process} to stop; waiting until traffic is safe", err=True)
    while controller.process() == process:
        time.sleep(POLL)
