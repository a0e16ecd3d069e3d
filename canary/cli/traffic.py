"""``canary status``, ``promote``, ``rollback`` and ``approve``: what a person does by hand."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from canary.cli.assemble import state_of, traffic_of
from canary.cli.common import answer, find_place, json_option, where_options
from canary.errors import StateError
from canary.rollout import manual
from canary.rollout.gates import approval_key
from canary.rollout.manual import Situation

DIFFERENT = 1


@click.command()
@where_options
@json_option
def status(env: str | None, policy_file: Path | None, *, as_json: bool) -> int:
    """Show who is live, who carries traffic, who holds the lock, and what does not agree.

    Exit status: 0 all agrees, 1 it does not, 2 could not look.

    \b
    Example:
      canary status --env local
    """
    place = find_place(env, policy_file)
    environment = place.environment
    found = manual.situation(environment.name, traffic_of(environment), state_of(environment))
    answer(_document(found), _text(found, environment.colours), as_json=as_json)
    return DIFFERENT if found.differences else 0


@click.command()
@click.option("--colour", help="Colour to make live; default: the candidate that has traffic.")
@where_options
@json_option
def promote(
    env: str | None, policy_file: Path | None, colour: str | None, *, as_json: bool
) -> None:
    """Make a colour live by hand: it carries all traffic from now on.

    Exit status: 0 it is live, 2 could not.

    \b
    Example:
      canary promote --env local --colour green
    """
    environment = find_place(env, policy_file).environment
    done = manual.promote(
        colour, environment.colours, traffic_of(environment), state_of(environment)
    )
    answer({"done": done}, done, as_json=as_json)


@click.command()
@where_options
@json_option
def rollback(env: str | None, policy_file: Path | None, *, as_json: bool) -> None:
    """Take a candidate's weight back; without a candidate, return to the release before.

    Exit status: 0 traffic is at the good release, 2 could not.

    \b
    Example:
      canary rollback --env local
    """
    environment = find_place(env, policy_file).environment
    done = manual.rollback(environment.colours, traffic_of(environment), state_of(environment))
    answer({"done": done}, done, as_json=as_json)


@click.command()
@click.argument("canary")
@click.argument("gate")
@where_options
@json_option
def approve(
    env: str | None, policy_file: Path | None, canary: str, gate: str, *, as_json: bool
) -> None:
    """Agree that CANARY goes through GATE: step-2, step-3 ... or promote.

    Exit status: 0 approved, 2 could not.

    \b
    Example:
      canary approve --env aws 20261121T094502Z-3f2a promote
    """
    state = state_of(find_place(env, policy_file).environment)
    holder = state.holder()
    if holder is None or holder.canary != canary:
        running = f"running is {holder.canary}" if holder else "no canary runs"
        raise StateError(f"Canary {canary} does not run, so there is nothing to approve: {running}")
    state.store(approval_key(canary, gate), b"", {})
    done = f"{gate} of {canary} is approved"
    answer({"done": done}, done, as_json=as_json)


def _document(found: Situation) -> dict[str, Any]:
    return {
        "live": found.remembered,
        "proxy": dataclasses.asdict(found.status),
        "canary": dataclasses.asdict(found.holder) if found.holder else None,
        "differences": list(found.differences),
    }


def _text(found: Situation, colours: tuple[str, str]) -> str:
    status = found.status
    lines = [f"Live: {found.remembered}"]
    for colour in colours:
        servers = ", ".join(f"{name} {status.states[name]}" for name in status.servers(colour))
        lines.append(f"{colour}: {status.share(colour):.1%} of traffic ({servers})")
    if status.lease_until is not None:
        left = max(0.0, status.lease_until - time.time())
        lines.append(f"The candidate's weight is leased for {left:.0f} s more")
    if found.holder is None:
        lines.append("No canary runs")
    else:
        since = datetime.fromtimestamp(found.holder.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines.append(f"Canary {found.holder.canary} runs: {found.holder.who}, since {since}")
    lines += [f"! {difference}" for difference in found.differences]
    return "\n".join(lines)
