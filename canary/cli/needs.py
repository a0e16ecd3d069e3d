"""The parts of a policy and its environment that each command needs, and which are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from canary.environment import AwsStateSettings, Environment, PrometheusSource, ProxySource
from canary.policy import Policy

NEEDS: Mapping[str, tuple[str, ...]] = {
    "plan": (),
    "analyze --csv": (),
    "analyze": ("past",),
    "rehearse": ("past", "state"),
    "history": ("state",),
    "alarms": ("alarms",),
    "status": ("state", "traffic"),
    "promote": ("state", "traffic"),
    "rollback": ("state", "traffic"),
    "approve": ("state", "traffic"),
    "run --observe": ("traffic", "metrics"),
    "deploy": ("state", "traffic", "hooks"),
    "run": ("state", "traffic", "hooks", "metrics"),
}
"""The commands that use a policy. The others, such as replay, read files that contain it."""


def lacking(policy: Policy, environment: Environment | None) -> dict[str, tuple[str, ...]]:
    """Return the missing parts by command; empty for a command that can run."""
    missing = dict(_sections(environment)) | dict(_metrics(policy, environment))
    return {
        command: tuple(dict.fromkeys(missing[need] for need in needs if need in missing))
        for command, needs in NEEDS.items()
    }


def _sections(environment: Environment | None) -> Iterator[tuple[str, str]]:
    for section in ("state", "traffic", "hooks"):
        if environment is None or getattr(environment, section) is None:
            yield section, f"environment: {section}"
    state = environment.state if environment else None
    if not isinstance(state, AwsStateSettings) or state.alarm_table is None:
        yield "alarms", "environment: state: alarm_table, in a state of kind aws"


def _metrics(policy: Policy, environment: Environment | None) -> Iterator[tuple[str, str]]:
    if environment is None:
        yield "past", "environment: source"
        yield "metrics", "environment: source"
        return
    measured = [metric.name for metric in policy.metrics if metric.counter is None]
    source, unknown = environment.source, ""
    if isinstance(source, PrometheusSource):
        names = ", ".join(name for name in measured if name not in source.queries)
        unknown = f"environment: source: queries for {names}" if names else ""
    if isinstance(source, ProxySource):
        names = ", ".join(measured)
        unknown = f"another environment: source for {names}" if names else ""
    if unknown:
        yield "metrics", unknown
    if isinstance(source, ProxySource):
        yield "past", "another environment: source, because the proxy keeps no past counts"
    elif not measured:
        yield "past", "a metric from the source, because the proxy keeps no past counts"
    elif unknown:
        yield "past", unknown


def sentences(found: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Return one line for the commands that can run, and one for each group that cannot."""
    yield f"Enough for: {', '.join(command for command, lack in found.items() if not lack)}"
    groups: dict[tuple[str, ...], list[str]] = {}
    for command, lack in found.items():
        groups.setdefault(lack, []).append(command)
    for lack, commands in groups.items():
        if lack:
            yield f"Not enough for {', '.join(commands)}. Missing: {'; '.join(lack)}"
