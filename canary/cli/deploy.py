"""``canary deploy``: install a release without judging it, as for the first release."""

from __future__ import annotations

import platform
import time
from pathlib import Path

import click

from canary.artifact import Published, Recipe, Target, load, publish
from canary.cli.assemble import hooks_of, state_of, traffic_of
from canary.cli.common import (
    Place,
    answer,
    find_place,
    freeze_option,
    json_option,
    refuse_if_frozen,
    where_options,
)
from canary.errors import HookError, TrafficError
from canary.rollout.archive import new_name, whoami
from canary.rollout.hooks import Commands
from canary.state.base import Row


@click.command()
@click.argument("ref")
@click.option(
    "--everywhere",
    is_flag=True,
    help="Install on the live colour too, without judging it: for the first release.",
)
@freeze_option
@where_options
@json_option
def deploy(
    ref: str,
    env: str | None,
    policy_file: Path | None,
    *,
    everywhere: bool,
    ignore_freeze: bool,
    as_json: bool,
) -> None:
    """Build REF (a commit, tag, branch, or . for the working tree); install it on the idle colour.

    Traffic does not move. Exit status: 0 installed, 2 could not install.

    \b
    Example:
      canary deploy v1.0.0 --env local --everywhere
    """
    place = find_place(env, policy_file)
    environment = place.environment
    refuse_if_frozen(environment, time.time(), ignore=ignore_freeze)
    status = traffic_of(environment).status()
    busy = [c for c in environment.colours if c != status.live and status.share(c) > 0.01]
    if busy:
        raise TrafficError(
            f"{busy[0]} is a candidate with traffic. Wait for its canary, or roll it back: "
            f"canary rollback --env {environment.name}"
        )
    colours = [c for c in environment.colours if everywhere or c != status.live]
    published = _published(place, ref)
    began = time.time()
    for colour in colours:
        _install(place, published, colour)
    _remember(place, published, began, colours, status.live)
    done = f"Release {published.release} is on {' and '.join(colours)}; {status.live} is live"
    document = {"release": published.release, "commit": published.commit, "colours": colours}
    answer(document, done, as_json=as_json)


def _remember(
    place: Place, published: Published, began: float, colours: list[str], live: str
) -> None:
    """Add the release to the history, so that the next canary knows its baseline."""
    row = Row(
        canary=new_name(began),
        started=began,
        ended=time.time(),
        verdict="DEPLOYED",
        exit_status=0,
        baseline="",
        candidate=f"{published.name} {published.commit}",
        live=live,
        who=whoami(),
        reason=f"Installed on {' and '.join(colours)} without a canary",
        colours=" ".join(colours),
    )
    state_of(place.environment).remember(row)


def _published(place: Place, ref: str) -> Published:
    click.echo(f"Building {ref}, if it is not in the bucket yet", err=True)
    recipe = Recipe(target=Target(machine=platform.machine()))
    return publish(load(Path(), ref, recipe.directory), recipe, state_of(place.environment))


def _install(place: Place, published: Published, colour: str) -> None:
    """Run the deploy hook, and keep its output in the environment's directory."""
    began = time.monotonic()
    click.echo(f"Installing {published.release} on {colour}", err=True)
    values = {
        "colour": colour,
        "environment": place.environment.name,
        "release": published.release,
        "commit": published.commit,
        "artifact": published.url,
        "sha256": published.sha256,
    }
    complaint = Commands(hooks_of(place.environment), place.directory).run("deploy", values)
    if complaint:
        raise HookError(complaint)
    click.echo(f"Installed on {colour} after {time.monotonic() - began:.0f} s", err=True)
