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
from canary.rollout.names import with_ref
from canary.rollout.situation import Side, Situation, situation

DIFFERENT = 1


@click.command()
@where_options
@json_option
def status(env: str | None, policy_file: Path | None, *, as_json: bool) -> int:
    """Show each colour's release, health and last verdict, the lock, and any disagreement.

    Exit status: 0 state and proxy agree, 1 they disagree, 2 could not read one of them.

    \b
    Example:
      canary status --env local
    """
    environment = find_place(env, policy_file).environment
    found = situation(
        environment.name,
        environment.colours,
        traffic_of(environment),
        state_of(environment),
        time.time(),
    )
    answer(_document(found), _text(found, environment.name), as_json=as_json)
    return DIFFERENT if found.differences else 0


def _document(found: Situation) -> dict[str, Any]:
    return {
        "live": found.meant.colour,
        "release": found.meant.release or None,
        "colours": {side.colour: _side_document(side) for side in found.sides},
        "proxy": dataclasses.asdict(found.status),
        "canary": dataclasses.asdict(found.holder) if found.holder else None,
        "differences": list(found.differences),
    }


def _side_document(side: Side) -> dict[str, Any]:
    verdict = side.verdict
    return {
        "releases": list(side.releases),
        "ref": side.ref or None,
        "share": side.share,
        "servers": side.states,
        "down": list(side.down),
        "standby": side.standby,
        "verdict": verdict and {"canary": verdict.canary, "verdict": verdict.verdict},
    }


def _text(found: Situation, environment: str) -> str:
    lines = [f"Live: {_live(found)}", *(_line(side) for side in found.sides)]
    if found.status.lease_until is not None:
        left = max(0.0, found.status.lease_until - time.time())
        lines.append(f"The candidate's lease ends in {left:.0f} s")
    if found.status.drill is not None:
        lines.append(f"A drill: {found.status.drill}. canary rollback ends it")
    if found.holder is None:
        lines.append("No canary is running")
    else:
        since = datetime.fromtimestamp(found.holder.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines.append(
            f"Canary {found.holder.canary} is running since {since}, started by {found.holder.who}"
        )
    if not any(side.standby for side in found.sides):
        lines.append(_no_standby(found, environment))
    lines += [f"! {difference}" for difference in found.differences]
    return "\n".join(lines)


def _live(found: Situation) -> str:
    meant, ref = found.meant, _ref_of_live(found)
    return f"{meant.colour} ({ref}, {meant.release})" if ref else str(meant)


def _ref_of_live(found: Situation) -> str:
    """Return what was typed for the live release, if its colour has that release."""
    meant = found.meant
    sides = [side for side in found.sides if side.colour == meant.colour]
    return next((side.ref for side in sides if side.releases == (meant.release,)), "")


def _no_standby(found: Situation, environment: str) -> str:
    live = found.status.live
    return (
        f"No standby: nothing replaces {live} if it goes down, and a rollback has no release to "
        f"return to. To have one, install the release of {live} on the idle colour: canary deploy "
        f"{_ref_of_live(found) or found.meant.release or 'REF'} --env {environment}"
    )


def _line(side: Side) -> str:
    servers = ", ".join(f"{name} {state}" for name, state in side.states.items())
    release = with_ref(" and ".join(side.releases) or "unknown", side.ref)
    words = [f"{side.colour}: {side.share:.1%} of traffic ({servers})", f"release {release}"]
    if side.standby:
        words.append("standby")
    if side.verdict is not None:
        words.append(f"last verdict {side.verdict.verdict}")
    return ", ".join(words)
