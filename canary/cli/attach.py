"""``canary attach``: follow a canary that another process controls."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from canary.cli.common import Place, find_place, json_option, where_options
from canary.cli.controller import Controller, alive, find
from canary.cli.elsewhere import Elsewhere
from canary.cli.ended import NOT_FOUND, outcome_of, tell_ended
from canary.cli.progress import Display
from canary.cli.resume import place_of
from canary.errors import ExitStatus, StateError
from canary.live.files import Snapshot, read, written
from canary.rollout.timing import Timing

POLL = 0.5
"""Seconds between two reads of the files."""
START_SECONDS = 30.0
"""Time limit for a controller to start, or to be started again."""


@click.command()
@click.argument("canary", required=False)
@where_options
@json_option
def attach(
    env: str | None, policy_file: Path | None, canary: str | None, *, as_json: bool
) -> ExitStatus:
    """Follow CANARY until it ends, and exit with its status. Default: the newest that runs here.

    Ctrl-C ends this command; the canary continues. On a machine that does not control the canary,
    the command shows the candidate's weight and, if the state is on AWS, the outcome.

    Exit status: that of canary run; 2 also if no controller of the canary is running.

    \b
    Example:
      canary attach --env local
    """
    place = find_place(env, policy_file)
    try:
        if elsewhere := Elsewhere.of(place, canary):
            return elsewhere.follow(as_json=as_json)
        directory = find(place.canaries, canary, alive)
        document = follow(directory, Console(stderr=True))
    except KeyboardInterrupt:
        click.echo("The canary continues. To stop it: canary stop", err=True)
        return ExitStatus.COULD_NOT_RUN
    return tell_ended(document, directory, as_json=as_json)


def follow(directory: Path, console: Console) -> dict[str, Any]:
    """Print a canary's events and looks until it has ended, and return its outcome.

    Raises:
        StateError: no controller of the canary is running.
    """
    place, controller = place_of(directory), Controller(directory)
    if controller.missing and outcome_of(directory) is None:
        raise StateError(f"Canary {directory.name} {NOT_FOUND}")
    patience = _patience(place)
    with Display(place.policy, console) as display:
        shown, heard = Shown(display), time.monotonic()
        while True:
            lives = alive(controller)
            shown.show(directory)
            document = outcome_of(directory)
            if document is not None and not lives:
                return document
            heard = time.monotonic() if lives else heard
            if time.monotonic() - heard > patience:
                raise StateError(
                    f"Canary {directory.name} has had no controller for {patience:.0f} s, so the "
                    "lease of its weight has ended. To store the outcome: canary resume "
                    f"{directory.name} --env {place.environment.name}"
                )
            time.sleep(POLL)


def _patience(place: Place) -> float:
    timing = Timing.of(place.policy, place.environment.source.settle)
    return max(START_SECONDS, timing.lease)


class Shown:
    """The events and looks of a canary that were shown so far."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._events = 0
        self._looks = 0

    def show(self, directory: Path) -> None:
        """Show what is new."""
        events, judgements = written(directory)
        for event in events[self._events :]:
            self._display.event(event)
        self._events = max(self._events, len(events))
        if len(judgements) > self._looks:
            self._looks = len(judgements)
            self._look(read(directory))

    def _look(self, snapshot: Snapshot) -> None:
        if snapshot.recording is not None:
            self._display.look(snapshot.recording, snapshot.judgements)
