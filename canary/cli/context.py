"""Create everything that one canary needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from canary.artifact import Published, release
from canary.cli.assemble import hooks_of, source_of, state_of, traffic_of
from canary.cli.common import Place
from canary.environment import Environment
from canary.errors import ArtifactError
from canary.judge import judge
from canary.rollout.context import Context, Request
from canary.rollout.drill import DrillHooks
from canary.rollout.hooks import Commands
from canary.rollout.lease import Keeper
from canary.rollout.lock import LOCK_SECONDS
from canary.rollout.observe import NoHooks, ReadOnly
from canary.rollout.ports import HookRunner, Observer, Ports
from canary.rollout.system import Signals, SystemClock, Thread
from canary.rollout.timing import Timing
from canary.simulation.memory import Memory
from canary.state.base import Board, Holder, Live, State
from canary.traffic.base import Drill, Traffic
from canary.traffic.observed import ObservedTraffic


@dataclass(frozen=True, slots=True)
class Changed:
    """What a canary may change."""

    traffic: Traffic
    state: State
    hooks: HookRunner
    publish: Callable[[str], Published]


def context_of(
    place: Place,
    request: Request,
    directory: Path,
    observer: Observer,
    signals: Signals,
    board: Board | None,
) -> Context:
    """Return everything that one canary needs."""
    environment, state = place.environment, state_of(place.environment)
    changed = Changed(
        traffic=_traffic(environment, board),
        state=state,
        hooks=Commands(hooks_of(environment), directory),
        publish=partial(_published, environment, state, directory),
    )
    return _context(place, request, changed, observer, signals)


def drilling_context(
    place: Place,
    request: Request,
    drill: Drill,
    observer: Observer,
    signals: Signals,
) -> Context:
    """Return what ``canary drill`` needs: it installs nothing, and promotes nothing."""
    environment, directory = place.environment, Path(request.directory)
    hooks = Commands(environment.hooks, directory) if environment.hooks else NoHooks()
    changed = Changed(
        traffic=traffic_of(environment, drill),
        state=state_of(environment),
        hooks=DrillHooks(hooks),
        publish=_nothing_to_publish,
    )
    return _context(place, request, changed, observer, signals)


def observing_context(
    place: Place, request: Request, observer: Observer, signals: Signals
) -> Context:
    """Return what ``canary run --observe`` needs: it changes neither proxy, hosts nor state."""
    changed = Changed(
        traffic=ReadOnly(traffic_of(place.environment)),
        state=Memory(Live("")),
        hooks=NoHooks(),
        publish=_nothing_to_publish,
    )
    return _context(place, request, changed, observer, signals)


def _context(
    place: Place, request: Request, changed: Changed, observer: Observer, signals: Signals
) -> Context:
    environment, policy, clock = place.environment, place.policy, SystemClock()
    timing = Timing.of(policy, environment.source.settle)
    now = clock.now()
    holder = Holder(request.name, request.who, now, now + LOCK_SECONDS)
    ports = Ports(
        clock=clock,
        traffic=changed.traffic,
        source=source_of(environment, policy.period),
        state=changed.state,
        hooks=changed.hooks,
        background=Thread(),
        observer=observer,
        judge=partial(judge, policy),
        publish=changed.publish,
        shield=signals.shield,
        unshield=signals.unshield,
    )
    keeper = Keeper(timing, clock, changed.traffic, changed.state, holder)
    context = Context(request, policy, timing, ports, keeper)
    context.values |= {
        "id": request.name,
        "environment": environment.name,
        "directory": request.directory,
    }
    return context


def _nothing_to_publish(ref: str) -> Published:
    raise ArtifactError(f"{ref} is not released: nothing is installed here")


def _published(environment: Environment, state: State, directory: Path, ref: str) -> Published:
    """Build the release of a git ref and store it, if it is not stored yet."""
    return release(environment.artifact, Path(), ref, lambda: state, directory)


def _traffic(environment: Environment, board: Board | None) -> Traffic:
    traffic = traffic_of(environment)
    if board is None:
        return traffic
    return ObservedTraffic(traffic, environment.colours, board.tell)
