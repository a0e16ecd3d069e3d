"""``canary alarms``: an environment's newest alarm changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from canary.cli.assemble import state_of
from canary.cli.common import answer, find_place, json_option, where_options
from canary.state.base import AlarmChange


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@where_options
@json_option
def alarms(env: str | None, policy_file: Path | None, limit: int, *, as_json: bool) -> None:
    """List the newest changes of an environment's alarms, newest first.

    \b
    Example:
      canary alarms --env local --limit 5
    """
    place = find_place(env, policy_file)
    changes = state_of(place.environment).alarm_changes(limit)
    if as_json:
        answer([dataclasses.asdict(change) for change in changes], "", as_json=True)
        return
    if not changes:
        click.echo(f"No alarm of {place.environment.name} has changed state yet")
    for change in changes:
        click.echo(_told(change))


def _told(change: AlarmChange) -> str:
    moment = change.time[:19].replace("T", " ")
    what = f"{change.alarm}  {change.old} -> {change.new}" if change.alarm else "no alarm"
    return f"{moment} UTC  {what}\n    {change.reason}"
