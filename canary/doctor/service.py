"""Checks of what runs: its policy, how late its metrics are, what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from canary.doctor.cloud import Cloud
from canary.doctor.cost import bill, total
from canary.doctor.finding import Finding, ok, problem, unknown
from canary.doctor.needs import Needs
from canary.environment import Environment, parse_environment
from canary.model import Arm, Release, Series
from canary.policy import Policy, load_policy
from canary.sources.base import Query, Source

LOOK_BACK = 1800.0
"""Seconds in which the newest datapoint is searched."""
STEP = 10
"""A proposed settle is a multiple of this."""


def policy(cloud: Cloud, needs: Needs) -> Finding:
    path = Path(needs.policy)
    if not path.is_file():
        return unknown("policy", f"There is no {path} yet", needs.site)
    environment = environment_of(needs)
    render = f"{needs.site} --tags analyzer"
    if environment.region != needs.region:
        seen = f"{path} is of region {environment.region}; the environment is in {needs.region}"
        return problem("policy", seen, render)
    proxies = _proxy_addresses(cloud, needs)
    if environment.traffic is None or not proxies:
        return unknown("policy", f"{path}: there is no proxy to compare it with", needs.site)
    if environment.traffic.host not in proxies:
        return problem(
            "policy",
            f"{path} is out of date: it names proxy {environment.traffic.host}, but the proxy has "
            f"{' and '.join(sorted(proxies))}",
            render,
        )
    return ok("policy", f"{path} names the proxy's address {environment.traffic.host}")


def environment_of(needs: Needs) -> Environment:
    path = Path(needs.policy)
    return parse_environment(load_policy(path).environment, f"policy {path}")


def _proxy_addresses(cloud: Cloud, needs: Needs) -> set[str]:
    wanted = {**needs.tags, "role": "proxy"}
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]
    running = {"Name": "instance-state-name", "Values": ["running"]}
    found = cloud.client("ec2").describe_instances(Filters=[*filters, running])["Reservations"]
    return {
        str(each[key])
        for group in found
        for each in group["Instances"]
        for key in ("PublicIpAddress", "PrivateIpAddress")
        if each.get(key)
    }


def cost(cloud: Cloud, needs: Needs) -> Finding:  # noqa: ARG001 - every check is called alike
    if needs.endpoint_url:
        return ok("cost", "Nothing: this is an emulator")
    dollars = total(bill(needs))
    return ok("cost", f"About {dollars:.0f} US dollars a month; by item: canary plan --cost")


def metrics(source: Source, rules: Policy, environment: Environment, now: float) -> Finding:
    """Return how late the newest metrics are, and propose a ``settle``."""
    settle = environment.source.settle
    settle = float(rules.period) if settle is None else settle
    age = newest_age(_read(source, rules, environment, now), rules.period, now)
    if age is None:
        return unknown(
            "metrics",
            f"No instance reported requests in the last {LOOK_BACK / 60:.0f} minutes: is a release "
            "deployed, and does it get traffic?",
            "ansible-playbook playbooks/load.yml -e load=start",
        )
    sentence = f"The newest period ended {age:.0f} s ago; settle is {settle:.0f} s"
    if age > settle + rules.period:
        proposed = math.ceil(age / STEP) * STEP
        return problem(
            "metrics",
            f"{sentence}, so a canary would read periods before they are complete",
            f"Set canary_settle: {proposed} in group_vars/all/canary.yml",
        )
    return ok("metrics", sentence)


def _read(source: Source, rules: Policy, environment: Environment, now: float) -> Sequence[Series]:
    end = math.floor(now / rules.period) * rules.period
    start = end - math.ceil(LOOK_BACK / rules.period) * rules.period
    asked = [Query("requests", "requests", "Sum")]
    found: list[Series] = []
    for colour in environment.colours:
        names = source.instances(colour)
        if names:
            arms = {Arm.BASELINE: Release("live", "", colour, names)}
            found += source.read(asked, arms, start, end)
    return found


def newest_age(series: Sequence[Series], period: int, now: float) -> float | None:
    """Return the seconds since the end of the newest period that has a value."""
    ends = [
        time + period
        for each in series
        for time, value in zip(each.times, each.values, strict=True)
        if value is not None
    ]
    return now - max(ends) if ends else None
