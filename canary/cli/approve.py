"""``canary approve``: let a canary pass a gate."""

from __future__ import annotations

from pathlib import Path

import click

from canary.cli.assemble import state_of
from canary.cli.common import answer, find_place, json_option, where_options
from canary.errors import StateError
from canary.rollout.gates import approval_key, waiting_key


@click.command()
@click.argument("canary")
@click.argument("gate")
@where_options
@json_option
def approve(
    env: str | None, policy_file: Path | None, canary: str, gate: str, *, as_json: bool
) -> None:
    """Approve GATE of CANARY: step-2, step-3 ... or promote.

    Exit status: 0 approved, 2 could not approve.

    \b
    Example:
      canary approve --env aws 20261121T094502Z-3f2a promote
    """
    state = state_of(find_place(env, policy_file).environment)
    holder = state.holder()
    if holder is None or holder.canary != canary:
        running = f"{holder.canary} is running" if holder else "no canary is running"
        raise StateError(f"Canary {canary} is not running, so it needs no approval: {running}")
    if state.find(waiting_key(canary, gate)) is None:
        raise StateError(
            f"Canary {canary} does not wait at the gate {gate!r}. The gates are step-2, step-3 ... "
            "and promote; it prints the command when it waits. If the state is in files, type it "
            f"on the machine of the canary: {holder.who}"
        )
    state.store(approval_key(canary, gate), b"", {})
    done = f"{gate} of {canary} is approved"
    answer({"done": done}, done, as_json=as_json)
