"""``canary watch``: the page of a running canary."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.common import find_place, where_options
from canary.errors import RecordingError
from canary.live.server import serve


@click.command()
@click.argument("canary", required=False)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8765,
    show_default=True,
    help="Port on this machine's loopback address; 0 takes a free one.",
)
@where_options
def watch(env: str | None, policy_file: Path | None, canary: str | None, port: int) -> None:
    """Serve the page of CANARY, or of the newest canary that runs from this directory.

    The page shows the report as it grows: verdict, metrics, plots, weights, log. Only programs on
    this machine can open it. From a phone or another machine, use ssh -L. Ctrl-C ends the page; the
    canary continues.

    \b
    Example:
      canary watch --env local
    """
    place = find_place(env, policy_file)
    if canary is not None and not (place.canaries / canary).is_dir():
        raise RecordingError(f"There is no canary {canary} in {place.canaries}")
    with serve(place.canaries, canary, port) as server:
        click.echo(f"Watching {place.environment.name} at {server.address} (Ctrl-C ends the page)")
        server.serve_forever(poll_interval=0.2)
