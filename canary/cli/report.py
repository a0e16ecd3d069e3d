"""``canary report``: print the report of a finished canary."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.common import Place, find_place, where_options
from canary.errors import RecordingError
from canary.reading import CANARY, read_text


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
    """Print the report of CANARY, or of the newest canary that ran from this directory.

    \b
    Example:
      canary report --env local
    """
    place = find_place(env, policy_file)
    directory = _directory(place, canary)
    path = directory / ("report.html" if kind == "path" else f"report.{kind}")
    if not path.is_file():
        raise RecordingError(
            f"{directory.name} ended before its first judgement, so it has no report. Its "
            f"outcome: {directory / 'outcome.json'}"
        )
    click.echo(str(path) if kind == "path" else read_text(path, CANARY).rstrip())


def _directory(place: Place, canary: str | None) -> Path:
    known = sorted(path.name for path in place.canaries.glob("*") if path.is_dir())
    if not known:
        raise RecordingError(f"There are no canaries in {place.canaries}")
    name = known[-1] if canary is None else canary
    if name not in known:
        newest = ", ".join(known[-3:])
        raise RecordingError(f"There is no canary {name} in {place.canaries}; newest: {newest}")
    return place.canaries / name
