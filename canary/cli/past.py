"""``canary history``, ``canary alarms`` and ``canary report``: what is over."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import click

from canary.cli.assemble import state_of
from canary.cli.common import Place, answer, find_place, json_option, where_options
from canary.errors import RecordingError
from canary.state.base import AlarmChange, Row


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
        click.echo(f"No alarm of {place.environment.name} has changed yet")
    for change in changes:
        click.echo(_told(change))


@click.command()
@click.argument("canary", required=False)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["path", "md", "json"]),
    default="md",
    show_default=True,
    help="The HTML file's path, or the report itself as Markdown or JSON.",
)
@where_options
def report(env: str | None, policy_file: Path | None, canary: str | None, kind: str) -> None:
    """Print the report of CANARY, or of the newest one that ran from this directory.

    \b
    Example:
      canary report --env local
    """
    place = find_place(env, policy_file)
    directory = _directory(place, canary)
    path = directory / ("report.html" if kind == "path" else f"report.{kind}")
    if not path.is_file():
        raise RecordingError(
            f"{directory.name} ended before its first judgement, so it has no report; what "
            f"happened is in {directory / 'outcome.json'}"
        )
    click.echo(str(path) if kind == "path" else path.read_text(encoding="utf-8").rstrip())


def _directory(place: Place, canary: str | None) -> Path:
    known = sorted(path.name for path in place.canaries.glob("*") if path.is_dir())
    if not known:
        raise RecordingError(f"There are no canaries in {place.canaries}")
    name = known[-1] if canary is None else canary
    if name not in known:
        newest = ", ".join(known[-3:])
        raise RecordingError(f"There is no canary {name} in {place.canaries}; newest: {newest}")
    return place.canaries / name


def _told(change: AlarmChange) -> str:
    moment = change.time[:19].replace("T", " ")
    what = f"{change.alarm}  {change.old} -> {change.new}" if change.alarm else "no alarm"
    return f"{moment} UTC  {what}\n    {change.reason}"


def _line(row: Row) -> str:
    started = datetime.fromtimestamp(row.started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    took = f"{row.ended - row.started:.0f} s"
    release = row.candidate.partition(" ")[0]
    return (
        f"{row.canary}  {row.verdict:<13} {release}  {started}, {took}; {row.live} live\n"
        f"    {row.reason}"
    )
