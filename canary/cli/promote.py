"""``canary promote``: make a colour live by hand."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.assemble import manual_of
from canary.cli.common import answer, find_place, json_option, where_options


@click.command()
@click.option("--colour", help="Colour to make live. Default: the candidate that carries traffic.")
@click.option(
    "--force",
    is_flag=True,
    help="Promote even if servers are down, run different releases, or failed a canary.",
)
@where_options
@json_option
def promote(
    env: str | None, policy_file: Path | None, colour: str | None, *, force: bool, as_json: bool
) -> None:
    """Make a colour live, so that it carries all traffic.

    Refuses a colour if one of its servers is down, if its servers run different releases, or if
    its release failed its last canary.

    Exit status: 0 the colour is live, 2 could not promote.

    \b
    Example:
      canary promote --env local --colour green
    """
    done = manual_of(find_place(env, policy_file).environment).promote(colour, force=force)
    document = {"done": done.sentence, "live": done.live.colour, "release": done.live.release}
    answer(document, done.sentence, as_json=as_json)
