"""Build what an environment names: source, traffic, state, and all of a canary's ports."""

from __future__ import annotations

import json
import platform
from pathlib import Path

from canary.artifact import Published, Recipe, Target, load, publish
from canary.cli.common import Place
from canary.environment import CloudWatchSource, CsvSource, Environment, Hooks, PrometheusSource
from canary.errors import PolicyError, RecordingError
from canary.judge import judge
from canary.model import Judgement, Recording
from canary.rollout.context import Context, Request
from canary.rollout.hooks import Commands
from canary.rollout.keeper import LOCK_SECONDS, Keeper
from canary.rollout.plan import Plan
from canary.rollout.ports import Observer, Ports
from canary.rollout.system import Signals, SystemClock, Thread
from canary.sources.base import Source
from canary.sources.cloudwatch import CloudWatch
from canary.sources.csv import Csv
from canary.sources.prometheus import Prometheus
from canary.state.aws import AwsState
from canary.state.base import Holder
from canary.traffic.haproxy import Haproxy


def source_of(environment: Environment, period: int) -> Source:
    """Return the source of metrics."""
    settings = environment.source
    match settings:
        case CloudWatchSource():
            return CloudWatch(settings, environment, period)
        case PrometheusSource():
            return Prometheus(settings, environment, period)
        case CsvSource():
            return Csv(Path(settings.path), period)


def traffic_of(environment: Environment) -> Haproxy:
    """Return the proxy."""
    if environment.traffic is None:
        raise PolicyError(f"Environment {environment.name} has no traffic section, so no proxy")
    return Haproxy(environment.traffic)


def state_of(environment: Environment) -> AwsState:
    """Return the environment's memory."""
    if environment.state is None:
        raise PolicyError(f"Environment {environment.name} has no state section")
    return AwsState(environment.state, environment)


def hooks_of(environment: Environment) -> Hooks:
    """Return the commands of the environment."""
    if environment.hooks is None:
        raise PolicyError(
            f"Environment {environment.name} has no hooks section; a canary needs hooks: deploy"
        )
    return environment.hooks


def calibration_of(place: Place) -> dict[str, dict[str, float]]:
    """Return the noise that ``canary rehearse`` learned here, if it did."""
    path = place.directory / "calibration.json"
    if not path.is_file():
        return {}
    try:
        found: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"{path} can't be read ({error}); remove it, or write it again: canary rehearse"
        ) from error
    return found


def context_of(
    place: Place, request: Request, directory: Path, observer: Observer, signals: Signals
) -> Context:
    """Return everything that one canary needs."""
    environment, policy = place.environment, place.policy
    clock, state, traffic = SystemClock(), state_of(environment), traffic_of(environment)
    plan = Plan.of(policy, environment.source.settle)
    now = clock.now()
    holder = Holder(request.name, request.who, now, now + LOCK_SECONDS)
    recipe = Recipe(target=Target(machine=platform.machine()))

    def published(ref: str) -> Published:
        return publish(load(Path(), ref, recipe.directory), recipe, state)

    def judged(recording: Recording, until: int) -> Judgement:
        return judge(policy, recording, until)

    ports = Ports(
        clock=clock,
        traffic=traffic,
        source=source_of(environment, policy.period),
        state=state,
        hooks=Commands(hooks_of(environment), directory),
        background=Thread(),
        observer=observer,
        judge=judged,
        publish=published,
        shield=signals.shield,
    )
    context = Context(request, policy, plan, ports, Keeper(plan, clock, traffic, state, holder))
    context.values |= {
        "id": request.name,
        "environment": environment.name,
        "directory": str(directory),
    }
    return context
