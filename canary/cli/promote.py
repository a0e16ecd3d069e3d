"""``canary promote``: make a colour live by hand."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.assemble import state_of, traffic_of
from canary.cli.common import answer, find_place, json_option, where_options
from canary.rollout import manual


@click.command()
@click.option("--colour", help="Colour to make live. Default: the candidate that carries traffic.")
@where_options
@json_option
def promote(
    env: str | None, policy_file: Path | None, colour: str | None, *, as_json: bool
) -> None:
    """Make a colour live, so that it carries all traffic.

    Exit status: 0 it is live, 2 could not promote.

    \b
    Example:
      canary promote --env local --colour green
    """
    environment = find_place(env, policy_file).environment
    done = manual.promote(
        colour, environment.colours, traffic_of(environment), state_of(environment)
    )
    answer({"done": done}, done, as_json=as_json)
