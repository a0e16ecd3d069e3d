"""Create everything that one canary needs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from canary.artifact import Published, release
from canary.cli.assemble import hooks_of, source_of, state_of, traffic_of
from canary.cli.common import Place
from canary.environment import Environment
from canary.judge import judge
from canary.rollout.context import Context, Request
from canary.rollout.hooks import Commands
from canary.rollout.lease import Keeper
from canary.rollout.lock import LOCK_SECONDS
from canary.rollout.ports import Observer, Ports
from canary.rollout.system import Signals, SystemClock, Thread
from canary.rollout.timing import Timing
from canary.state.base import Board, Holder, State
from canary.traffic.base import Traffic
from canary.traffic.observed import ObservedTraffic


def context_of(
    place: Place,
    request: Request,
    directory: Path,
    observer: Observer,
    signals: Signals,
    board: Board | None,
) -> Context:
    """Return everything that one canary needs."""
    environment, policy = place.environment, place.policy
    clock, state, traffic = SystemClock(), state_of(environment), _traffic(environment, board)
    timing = Timing.of(policy, environment.source.settle)
    now = clock.now()
    holder = Holder(request.name, request.who, now, now + LOCK_SECONDS)
    ports = Ports(
        clock=clock,
        traffic=traffic,
        source=source_of(environment, policy.period),
        state=state,
        hooks=Commands(hooks_of(environment), directory),
        background=Thread(),
        observer=observer,
        judge=partial(judge, policy),
        publish=partial(_published, environment, state),
        shield=signals.shield,
        unshield=signals.unshield,
    )
    context = Context(request, policy, timing, ports, Keeper(timing, clock, traffic, state, holder))
    context.values |= {
        "id": request.name,
        "environment": environment.name,
        "directory": str(directory),
    }
    return context


def _published(environment: Environment, state: State, ref: str) -> Published:
    """Make the release of a git ref and store it, if it is not stored yet."""
    return release(environment.artifact, Path(), ref, lambda: state)


def _traffic(environment: Environment, board: Board | None) -> Traffic:
    traffic = traffic_of(environment)
    if board is None:
        return traffic
    return ObservedTraffic(traffic, environment.colours, board.tell)
