"""``canary status``: the live colour, traffic and lock, and where state and proxy disagree."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from canary.cli.assemble import state_of, traffic_of
from canary.cli.common import answer, find_place, json_option, where_options
from canary.rollout import manual
from canary.rollout.manual import Situation

DIFFERENT = 1


@click.command()
@where_options
@json_option
def status(env: str | None, policy_file: Path | None, *, as_json: bool) -> int:
    """Show the live colour, the traffic, the lock, and where state and proxy disagree.

    Exit status: 0 state and proxy agree, 1 they disagree, 2 could not read one of them.

    \b
    Example:
      canary status --env local
    """
    place = find_place(env, policy_file)
    environment = place.environment
    found = manual.situation(environment.name, traffic_of(environment), state_of(environment))
    answer(_document(found), _text(found, environment.colours), as_json=as_json)
    return DIFFERENT if found.differences else 0


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
        lines.append(f"The candidate's lease ends in {left:.0f} s")
    if found.holder is None:
        lines.append("No canary is running")
    else:
        since = datetime.fromtimestamp(found.holder.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines.append(
            f"Canary {found.holder.canary} is running since {since}, started by {found.holder.who}"
        )
    lines += [f"! {difference}" for difference in found.differences]
    return "\n".join(lines)
