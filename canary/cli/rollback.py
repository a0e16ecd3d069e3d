"""``canary rollback``: return traffic to the live or the previous release."""

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
    """Take all traffic from the candidate. Without a candidate, return to the previous release.

    Exit status: 0 traffic was returned, 2 could not return it.

    \b
    Example:
      canary rollback --env local
    """
    environment = find_place(env, policy_file).environment
    done = manual.rollback(environment.colours, traffic_of(environment), state_of(environment))
    answer({"done": done}, done, as_json=as_json)
