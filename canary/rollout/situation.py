"""The situation of an environment, by colour, and how it differs from the intended one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canary.rollout.identity import disagreement, name_one
from canary.rollout.names import speaking
from canary.state.base import Holder, Live, Row, State
from canary.traffic.base import Status, Traffic

JUDGED = ("PASS", "FAIL", "INCONCLUSIVE")
DEPLOYED = "DEPLOYED"
ROWS = 50


@dataclass(frozen=True, slots=True)
class Side:
    """One colour.

    Attributes:
        releases: reported by its servers; more than one if they differ.
        ref: what somebody typed to install its release, empty if unknown.
        standby: whether it can replace the live colour, so that a rollback returns to it.
        verdict: of the last canary of its release.
    """

    colour: str
    share: float
    states: dict[str, str]
    down: tuple[str, ...]
    releases: tuple[str, ...]
    ref: str
    standby: bool
    verdict: Row | None


@dataclass(frozen=True, slots=True)
class Situation:
    """The intended and the real situation, and how they differ."""

    meant: Live
    status: Status
    holder: Holder | None
    sides: tuple[Side, ...]
    differences: tuple[str, ...]


def situation(
    environment: str, colours: tuple[str, str], traffic: Traffic, state: State, now: float
) -> Situation:
    """Compare the environment's state with the proxy."""
    status, meant, holder = traffic.status(), state.live(), state.holder()
    missed = state.missed()
    if holder is not None and holder.until <= now:
        holder = None  # shown as dead; a process that takes the lock checks it
    rows = state.history(ROWS)
    sides = tuple(_side(colour, status, rows) for colour in colours)
    differences = _differences(environment, meant, status, holder)
    if missed:
        command = name_one(environment, (meant.colour, status.live))
        differences = (f"{missed}. {command}", *differences)
    return Situation(meant, status, holder, sides, differences)


def verdict_on(colour: str, releases: Sequence[str], rows: Sequence[Row]) -> Row | None:
    """Return the newest verdict on the release of ``colour``; rows come newest first."""
    for row in rows:
        if colour not in row.colours.split() or not _about(row, releases):
            continue
        if row.verdict in JUDGED:
            return row
        if row.verdict == DEPLOYED and not releases:
            return None  # an unknown release was installed there
    return None


def ref_on(colour: str, releases: Sequence[str], rows: Sequence[Row]) -> str:
    """Return what was typed to install the release of ``colour``; rows come newest first."""
    for row in rows:
        ref, _, commit = row.candidate.partition(" ")
        about = len(releases) == 1 and commit and releases[0].startswith(commit[:12])
        if about and colour in row.colours.split():
            return speaking(ref, commit)
    return ""


def _about(row: Row, releases: Sequence[str]) -> bool:
    """Return whether a row may be about one of ``releases``: they begin with their commit."""
    commit = row.candidate.partition(" ")[2][:12]
    return not releases or not commit or any(each.startswith(commit) for each in releases)


def _side(colour: str, status: Status, rows: Sequence[Row]) -> Side:
    servers, releases = status.servers(colour), status.releases_on(colour)
    return Side(
        colour=colour,
        share=status.share(colour),
        states={name: status.states.get(name, "unknown") for name in servers},
        down=status.down(colour),
        releases=releases,
        ref=ref_on(colour, releases, rows),
        standby=colour != status.live and any(name in status.fallback for name in servers),
        verdict=verdict_on(colour, releases, rows),
    )


def _differences(
    environment: str, meant: Live, status: Status, holder: Holder | None
) -> tuple[str, ...]:
    found = []
    if difference := disagreement(meant, status):
        command = name_one(environment, (meant.colour, status.live))
        found.append(f"{difference}. canary does not correct this by itself. {command}")
    if status.lease_until is not None and holder is None:
        found.append(
            "a candidate carries traffic, but no canary holds the lock. Its lease returns the "
            f"traffic when it expires; to return it now: canary rollback --env {environment}"
        )
    if down := status.down(status.live):
        found.append(f"{', '.join(down)} of the live colour {status.live} is down")
    return tuple(found)
