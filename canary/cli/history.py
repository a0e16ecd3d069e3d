"""``canary history``: an environment's newest canaries."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import click

from canary.cli.assemble import state_of
from canary.cli.common import answer, find_place, json_option, where_options
from canary.rollout.drill import DRILLED
from canary.state.base import Row


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@where_options
@json_option
def history(env: str | None, policy_file: Path | None, limit: int, *, as_json: bool) -> None:
    """List the newest canaries of an environment, newest first.

    \b
    Example:
      canary history --env local --limit 5
    """
    place = find_place(env, policy_file)
    rows = state_of(place.environment).history(limit)
    if as_json:
        answer([dataclasses.asdict(row) for row in rows], "", as_json=True)
        return
    if not rows:
        click.echo(f"No canary has run on {place.environment.name} yet")
    for row in rows:
        click.echo(_line(row))


def _line(row: Row) -> str:
    started = datetime.fromtimestamp(row.started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    took = f"{row.ended - row.started:.0f} s"
    # A release has a name and a commit; a drill has a sentence.
    release = row.candidate if row.verdict == DRILLED else row.candidate.partition(" ")[0]
    return (
        f"{row.canary}  {row.verdict:<13} {release}  {started}, {took}; {row.live} live\n"
        f"    {row.reason}"
    )
