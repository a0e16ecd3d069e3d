"""``canary rollback``: return traffic to the live or the previous release."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.assemble import manual_of
from canary.cli.common import answer, find_place, json_option, where_options


@click.command()
@click.option("--colour", help="Colour to return to. Required if state and proxy disagree.")
@where_options
@json_option
def rollback(
    env: str | None, policy_file: Path | None, colour: str | None, *, as_json: bool
) -> None:
    """Take all traffic from the candidate. Without a candidate, return to the previous release.

    Exit status: 0 traffic is on the previous release, 2 it is not; the error says what to type.

    \b
    Example:
      canary rollback --env local
    """
    done = manual_of(find_place(env, policy_file).environment).rollback(colour)
    document = {"done": done.sentence, "live": done.live.colour, "release": done.live.release}
    answer(document, done.sentence, as_json=as_json)
