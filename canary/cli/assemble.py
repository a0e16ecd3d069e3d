"""Create an environment's source, proxy and state. Each imports only what it needs."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from canary.cli.files import directory_of
from canary.environment import (
    AwsStateSettings,
    CloudWatchSource,
    CsvSource,
    Environment,
    FileStateSettings,
    Hooks,
    PrometheusSource,
    ProxySource,
)
from canary.errors import PolicyError
from canary.extras import needs
from canary.rollout.manual import Manual
from canary.rollout.names import new_name, whoami
from canary.sources.base import Source
from canary.state.base import Board, State
from canary.traffic.base import Drill
from canary.traffic.haproxy import Haproxy


def source_of(environment: Environment, period: int) -> Source:
    """Return the source of metrics."""
    settings = environment.source
    match settings:
        case CloudWatchSource():
            with needs("cloudwatch", "The source cloudwatch"):
                from canary.sources.cloudwatch import CloudWatch

            return CloudWatch(settings, environment, period)
        case PrometheusSource():
            from canary.sources.prometheus import Prometheus

            return Prometheus(settings, environment, period)
        case CsvSource():
            from canary.sources.csv import Csv

            return Csv(Path(settings.path), period)
        case ProxySource():
            from canary.sources.proxy import ProxyCounters

            traffic = traffic_of(environment)
            return ProxyCounters(lambda colour: traffic.status().servers(colour))


def past_of(environment: Environment, period: int) -> Source:
    """Return the source of metrics, if it can return past data."""
    if isinstance(environment.source, ProxySource):
        raise PolicyError(
            f"The source of {environment.name} is the proxy, which keeps no past counts. Name one "
            "that does in environment: source, such as Prometheus"
        )
    return source_of(environment, period)


def traffic_of(environment: Environment, drill: Drill | None = None) -> Haproxy:
    """Return the proxy; with ``drill``, it adds that to a candidate's responses."""
    if environment.traffic is None:
        raise PolicyError(
            f"Environment {environment.name} has no traffic section, so it has no proxy"
        )
    return Haproxy(environment.traffic, drill=drill)


def state_of(environment: Environment) -> State:
    """Return the environment's state."""
    match environment.state:
        case AwsStateSettings() as settings:
            with needs("cloudwatch", "State in AWS"):
                from canary.state.aws import AwsState

            return AwsState(settings, environment)
        case FileStateSettings() as settings:
            from canary.state.files import FileState
            from canary.state.proxy_lock import ProxyLock

            directory = Path(settings.path or _files(environment) / "state")
            lock = ProxyLock(partial(_ask, environment), environment.name)
            return FileState(directory, environment, lock)
        case None:
            raise PolicyError(
                f"Environment {environment.name} has no state section. For files on this machine: "
                "state: file"
            )


def _files(environment: Environment) -> Path:
    return directory_of(environment.name, environment.account)


def _ask(environment: Environment, *words: str) -> str:
    """Ask the proxy, which only commands that need the lock require."""
    return traffic_of(environment).ask(*words)


def manual_of(environment: Environment) -> Manual:
    """Return the manual promotion and rollback of one environment."""
    return Manual(
        environment.name,
        environment.colours,
        traffic_of(environment),
        state_of(environment),
        whoami(),
        time.time,
        new_name,
    )


def board_of(environment: Environment) -> Board | None:
    """Return the environment's dashboard, if it has one."""
    if environment.dashboard is None:
        return None
    with needs("cloudwatch", "The dashboard"):
        from canary.state.board import CloudWatchBoard

    return CloudWatchBoard(environment.dashboard, environment)


def hooks_of(environment: Environment) -> Hooks:
    """Return the environment's hooks."""
    if environment.hooks is None:
        raise PolicyError(
            f"Environment {environment.name} has no hooks section; a canary needs a deploy hook"
        )
    return environment.hooks
