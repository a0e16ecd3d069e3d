"""``canary rollback``: take a candidate's weight back by hand."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.assemble import state_of, traffic_of
from canary.cli.common import answer, find_place, json_option, where_options
from canary.rollout import manual


@click.command()
@where_options
@json_option
def rollback(env: str | None, policy_file: Path | None, *, as_json: bool) -> None:
    """Take a candidate's weight back; without a candidate, return to the release before.

    Exit status: 0 traffic is at the good release, 2 could not.

    \b
    Example:
      canary rollback --env local
    """
    environment = find_place(env, policy_file).environment
    done = manual.rollback(environment.colours, traffic_of(environment), state_of(environment))
    answer({"done": done}, done, as_json=as_json)
