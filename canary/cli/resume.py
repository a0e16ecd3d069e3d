"""``canary resume``: resume a canary whose controller was killed."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from canary.cli.common import Place, find_place, json_option, where_options
from canary.cli.controller import CHECKPOINT, Controller, find, left
from canary.cli.ended import outcome_of, tell_ended
from canary.cli.release import resumed, tell
from canary.environment import parse_environment
from canary.errors import ExitStatus, RecordingError
from canary.policy import load_policy
from canary.rollout.outcome import Outcome


@click.command()
@click.argument("canary", required=False)
@where_options
@json_option
def resume(
    env: str | None, policy_file: Path | None, canary: str | None, *, as_json: bool
) -> ExitStatus:
    """Resume CANARY, or the newest one whose controller was killed.

    The same looks are judged from the same recording, so the verdict is the one that the canary
    would have had without the kill. If the lease of the weight has ended, the canary ends too, and
    no traffic is moved. Hooks are not started twice: if the canary had no traffic yet, it ends.

    Exit status: that of canary run; 2 also if the controller is running.

    \b
    Example:
      canary resume --env local
    """
    directory = find(find_place(env, policy_file).canaries, canary, left)
    controller, console = Controller(directory), Console(stderr=True)
    with controller.held():
        saved = controller.load()
        ended = outcome_of(directory)
        if saved is None and ended is not None:
            return tell_ended(ended, directory, as_json=as_json)
        if saved is None:
            raise RecordingError(
                f"{directory} has no {CHECKPOINT}, so there is nothing to resume. Drills and "
                "canaries that only observe have none"
            )
        place = place_of(directory)
        outcome: Outcome = resumed(place, saved, console)
    tell(place, outcome, directory, console, as_json=as_json)
    return outcome.exit_status


def place_of(directory: Path) -> Place:
    """Return the policy with which a canary began, even if the environment's file has changed."""
    path = directory / "policy.yml"
    policy = load_policy(path)
    return Place(path, policy, parse_environment(policy.environment, f"policy {path}"))
