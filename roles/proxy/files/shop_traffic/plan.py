"""The weights that give a candidate its share, on HAProxy's hash ring. Pure.

Raising a share only adds points to the candidate or takes points from the others. So a shopper who
is on the candidate stays there, and a rollback returns all shoppers to their former servers. (With
a matched baseline, its points grow too, and a few shoppers move to it.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from shop_traffic import ring
from shop_traffic.config import RefusedError, Server
from shop_traffic.memory import Lease
from shop_traffic.runtime import FALLBACK

STEPS = 2 * ring.MAXIMUM
# Use the best of a few rounds. Each corrects the baseline's weight by the error of the last one.
ROUNDS = 4
# A colour with one server is its own match, so its share must be the even one.
EVEN = 0.01


@dataclass(frozen=True, slots=True)
class Split:
    """The servers of a split; ``baseline`` is one live server with a candidate's load."""

    candidate: tuple[str, ...]
    rest: tuple[str, ...]
    baseline: str | None = None

    def weights(self, step: int, correction: float = 1.0) -> dict[str, int]:
        """Return the weights at ``step``: first the candidate rises, then the rest falls."""
        raised = min(step, ring.MAXIMUM)
        weights = dict.fromkeys(self.candidate, raised)
        weights |= dict.fromkeys(self.rest, min(ring.MAXIMUM, STEPS - step))
        if self.baseline is not None:
            weights[self.baseline] = max(1, min(ring.MAXIMUM, round(raised * correction)))
        return weights


def weights(servers: Collection[Server], live: str, lease: Lease) -> dict[str, int]:
    """Return the weight of every server, so that those that are up give the lease's share.

    The baseline is matched if it is up, and if there is another live server for the other users.
    """
    sides = {side: [s for s in servers if s.colour == side] for side in (lease.candidate, live)}
    raised, serving = ([s for s in side if s.name in lease.up] for side in sides.values())
    names = [server.name for server in serving]
    known = [server.name for server in sides[live]]
    if lease.baseline not in (None, *known):
        raise RefusedError(
            f"{lease.baseline} cannot be the baseline: {live} serves from {', '.join(names)}."
        )
    matches = lease.baseline in names and (len(names) > 1 or len(known) == 1)
    matched = lease.baseline if matches else None
    rest = tuple(name for name in names if name != matched)
    split = Split(tuple(server.name for server in raised), rest, matched)
    chosen = choose(ring.points((*raised, *serving)), split, lease.share)
    # A server that is down now gets the weight of its siblings, for when it comes back.
    siblings = {lease.candidate: chosen[raised[0].name], live: chosen[(rest or names)[0]]}
    return {s.name: chosen.get(s.name, siblings.get(s.colour, 0)) for s in servers}


def rebalanced(
    servers: Collection[Server], live: str, lease: Lease, serving: Collection[str]
) -> Lease:
    """Return the lease with weights for ``serving``, the live servers that are up now.

    HAProxy gives the users of a server that is down to all others, so a candidate would carry more
    than its share. While no live server is up, nothing changes, because only the candidate serves.
    """
    raised = [s.name for s in servers if s.colour == lease.candidate and s.name in lease.up]
    up = (*raised, *serving)
    if not raised or not serving or set(up) == set(lease.up):
        return lease
    planned = replace(lease, up=up)
    try:
        return replace(planned, weights=weights(servers, live, planned))
    except RefusedError:  # no weights give that share
        return lease


def require_lease(held: Lease | None, colour: str, live: str) -> None:
    """Refuse a candidate whose traffic was returned. A colour that is already live is not one."""
    if colour != live and (held is None or held.candidate != colour):
        raise RefusedError(
            f"{colour} has no lease: somebody returned its traffic, or the lease expired. {live} "
            "carries all traffic."
        )


def choose(circle: ring.Points, split: Split, share: float) -> dict[str, int]:
    """Return the weights whose real shares are closest to the requested share."""
    split = refuse_impossible(split, share)
    wanted = share / len(split.candidate)
    correction, best, least = 1.0, split.weights(1), float("inf")
    for _round in range(ROUNDS if split.baseline else 1):
        step = nearest_step(circle, split, share, correction)
        weights = split.weights(step, correction)
        found = ring.shares(circle, weights)
        error = abs(ring.colour_share(found, split.candidate) - share)
        if split.baseline:
            error += abs(found[split.baseline] - wanted)
            correction *= wanted / max(found[split.baseline], 1e-9)
        if error < least:
            best, least = weights, error
    refuse_too_small(ring.shares(circle, best), split, share)
    return best


def nearest_step(circle: ring.Points, split: Split, share: float, correction: float) -> int:
    def at(step: int) -> float:
        found = ring.shares(circle, split.weights(step, correction))
        return ring.colour_share(found, split.candidate)

    above = ring.smallest_reaching(lambda step: at(step) >= share, 1, STEPS)
    below = max(1, above - 1)
    return min((above, below), key=lambda step: abs(at(step) - share))


def refuse_impossible(split: Split, share: float) -> Split:
    """Return ``split``, without a matched baseline if there is only one live server."""
    if not 0 < share <= 1:
        raise RefusedError(
            f"A share of {share:g} is not more than 0 and at most 1. For 0: release."
        )
    if split.baseline is None:
        return split
    even = len(split.candidate) / (len(split.candidate) + 1)
    if not split.rest:
        if abs(share - even) > EVEN:
            raise RefusedError(
                f"{split.baseline} is the only live server, so it matches a candidate at share "
                f"{even:g} alone, not {share:g}: --share {even:g}, or leave out --matched."
            )
        return Split(split.candidate, (split.baseline,))
    if share > even:
        raise RefusedError(
            f"At share {share:g} nothing is left for a baseline of the same load: "
            f"--share {even:.4g} at most, or leave out --matched."
        )
    return split


def refuse_too_small(found: Mapping[str, float], split: Split, share: float) -> None:
    reached = ring.colour_share(found, split.candidate)
    if reached > 1.5 * share:
        raise RefusedError(
            f"A share of {share:g} is below what weights can carry: the smallest is {reached:.4f}."
        )


def fallback_states(servers: Iterable[Server], allowed: Collection[str]) -> dict[str, str]:
    """Return the state of each server's fallback: only the allowed ones may replace the rest."""
    return {s.name + FALLBACK: "ready" if s.name in allowed else "maint" for s in servers}
