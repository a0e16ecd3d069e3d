"""``canary deploy``: install a release without judging it, as for the first release."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import click

from canary.artifact import Published, release
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
from canary.rollout.hooks import Commands
from canary.rollout.lock import LOCK_SECONDS, locked
from canary.rollout.names import new_name, whoami
from canary.rollout.system import Signals, SystemClock, Thread
from canary.state.base import Holder, Live, Row, State


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

    Takes the lock, so it is refused while a canary runs. Traffic does not move.

    Exit status: 0 installed, 2 could not install.

    \b
    Example:
      canary deploy v1.0.0 --env local --everywhere
    """
    place = find_place(env, policy_file)
    refuse_if_frozen(place.environment, time.time(), ignore=ignore_freeze)
    state, now = state_of(place.environment), time.time()
    holder = Holder(new_name(now), whoami(), now, now + LOCK_SECONDS)
    say = partial(click.echo, err=True)
    with Signals().handled(), locked(state, holder, SystemClock(), Thread(), say):
        published, colours, live = _deploy(place, state, ref, holder, everywhere=everywhere)
    done = f"Release {published.release} is on {' and '.join(colours)}; {live} is live"
    document = {"release": published.release, "commit": published.commit, "colours": colours}
    answer(document, done, as_json=as_json)


def _deploy(
    place: Place, state: State, ref: str, holder: Holder, *, everywhere: bool
) -> tuple[Published, list[str], str]:
    """Install the release on every colour that may change; return these and the live colour."""
    environment = place.environment
    status = traffic_of(environment).status()
    busy = [c for c in environment.colours if c != status.live and status.weight(c)]
    if busy:
        raise TrafficError(
            f"{busy[0]} is a candidate with traffic. Wait for its canary, or roll it back: "
            f"canary rollback --env {environment.name}"
        )
    colours = [c for c in environment.colours if everywhere or c != status.live]
    published = _published(place, ref)
    for colour in colours:
        _install(place, published, colour)
    if status.live in colours and state.live().colour == status.live:
        state.set_live(Live(status.live, published.release))
    state.remember(_row(published, holder, colours, status.live))
    return published, colours, status.live


def _row(published: Published, holder: Holder, colours: list[str], live: str) -> Row:
    """Return the release's row of the history, so that the next canary knows its baseline."""
    return Row(
        canary=holder.canary,
        started=holder.since,
        ended=time.time(),
        verdict="DEPLOYED",
        exit_status=0,
        baseline="",
        candidate=f"{published.name} {published.commit}",
        live=live,
        who=holder.who,
        reason=f"Installed on {' and '.join(colours)} without a canary",
        colours=" ".join(colours),
    )


def _published(place: Place, ref: str) -> Published:
    artifact = place.environment.artifact
    if artifact.kind != "none":
        click.echo(f"Building {ref}, if it is not in the bucket yet", err=True)
    return release(artifact, Path(), ref, lambda: state_of(place.environment))


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
