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
from canary.environment import other_colour
from canary.errors import HookError, StateError, TrafficError
from canary.rollout.hooks import Commands
from canary.rollout.identity import name_one, served
from canary.rollout.lock import LOCK_SECONDS, locked
from canary.rollout.names import new_name, speaking, whoami, with_ref
from canary.rollout.standby import no_longer_standby, require_release, wait_until_up
from canary.rollout.system import Signals, SystemClock, Thread
from canary.state.base import Holder, Live, Row, State
from canary.traffic.base import Status, colour_of


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

    Takes the lock, so it is refused while a canary runs. Traffic does not move. If REF is the live
    release, the idle colour becomes a standby, to which a rollback can return.

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
        published, colours, status = _deploy(place, state, ref, holder, everywhere=everywhere)
    live, standby = status.live, sorted({colour_of(name) for name in status.fallback})
    done = f"Release {_named(published)} is on {' and '.join(colours)}; {live} is live"
    done += f", {standby[0]} is its standby" if standby else ", and there is no standby"
    document = {
        "release": published.release,
        "ref": published.name,
        "commit": published.commit,
        "colours": colours,
        "live": live,
        "standby": standby,
    }
    answer(document, done, as_json=as_json)


def _deploy(
    place: Place, state: State, ref: str, holder: Holder, *, everywhere: bool
) -> tuple[Published, list[str], Status]:
    """Install the release on every colour that may change; return these and the proxy's status."""
    environment = place.environment
    traffic = traffic_of(environment)
    status = traffic.status()
    if missed := state.missed():
        raise StateError(f"{missed}. {name_one(environment.name, environment.colours)}")
    idle = other_colour(environment.colours, status.live)
    if status.weight(idle):
        raise TrafficError(
            f"{idle} is a candidate with traffic. Wait for its canary, or roll it back: "
            f"canary rollback --env {environment.name}"
        )
    colours = [status.live, idle] if everywhere else [idle]  # a standby serves during the first
    published = _published(place, ref)
    for colour in colours:
        if colour == idle:
            no_longer_standby(traffic, idle)
        _install(place, published, colour)
        status = wait_until_up(traffic, colour, time.time, time.sleep)
        require_release(status, colour, published.release)
    meant = _meant(state, served(status, status.live))
    if status.live in colours and meant.colour == status.live:
        meant = Live(status.live, published.release)
        state.set_live(meant)
    if meant == Live(status.live, published.release):
        status = traffic.standby(idle, may=True)
    state.remember(_row(published, holder, colours, status.live))
    return published, colours, status


def _meant(state: State, now: Live) -> Live:
    """Return the colour and release that should be live; at first, those that the proxy serves."""
    try:
        meant = state.live()
    except StateError:
        return now
    return Live(meant.colour, now.release or meant.release) if meant.colour == now.colour else meant


def _row(published: Published, holder: Holder, colours: list[str], live: str) -> Row:
    """Return the release's row of the history, so that the next canary knows its baseline."""
    return Row(
        canary=holder.canary,
        started=holder.since,
        ended=time.time(),
        verdict="DEPLOYED",
        exit_status=0,
        baseline="",
        candidate=f"{published.name} {published.commit}".strip(),
        live=live,
        who=holder.who,
        reason=f"Installed on {' and '.join(colours)} without a canary",
        colours=" ".join(colours),
    )


def _named(published: Published) -> str:
    return with_ref(published.release, speaking(published.name, published.commit))


def _published(place: Place, ref: str) -> Published:
    artifact = place.environment.artifact
    if artifact.kind != "none":
        click.echo(f"Building {ref}, if it is not in the bucket yet", err=True)
    directory = place.directory
    return release(artifact, Path(), ref, lambda: state_of(place.environment), directory)


def _install(place: Place, published: Published, colour: str) -> None:
    """Run the deploy hook, and keep its output in the environment's directory."""
    began = time.monotonic()
    click.echo(f"Installing {_named(published)} on {colour}", err=True)
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
    click.echo(
        f"Installed on {colour} after {time.monotonic() - began:.0f} s; "
        "waiting for the proxy's health check",
        err=True,
    )
