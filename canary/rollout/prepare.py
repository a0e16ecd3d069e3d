"""Preflight checks and deployment, before any traffic moves.

Nothing here changes a weight. A problem is raised as an error and ends the canary.
"""

from __future__ import annotations

from canary.artifact import Published
from canary.environment import other_colour
from canary.errors import SourceError, StateError, TrafficError
from canary.evidence.fingerprint import fingerprint_of, usable
from canary.model import Release
from canary.rollout.collect import Compared, ProxyCounts, Readings
from canary.rollout.context import Context
from canary.rollout.flow import first_metrics, flowing, steady
from canary.rollout.identity import NO_RELEASE, disagreement, name_one, served
from canary.rollout.progress import Pairing, Progress, pair
from canary.rollout.standby import (
    no_longer_standby,
    require_healthy,
    require_release,
    wait_until_up,
)
from canary.rollout.users import requests_so_far, warn_without_users
from canary.sources.queries import source_queries
from canary.state.base import Live
from canary.traffic.base import Status


def preflight(context: Context) -> str:
    """Take the lock, check proxy and metrics, and return the live colour."""
    ports, request = context.ports, context.request
    context.keeper.take_lock(lambda sentence: context.say("waiting", sentence))
    ports.background.start(context.keeper.tick, context.timing.renewal)
    context.meant = ports.state.live()
    live = context.meant.colour
    idle = other_colour(request.colours, live)
    status = ports.traffic.status()
    if difference := ports.state.missed() or disagreement(context.meant, status):
        raise StateError(f"{difference}. {name_one(request.environment, request.colours)}")
    context.meant = Live(live, served(status, live).release or context.meant.release)
    if status.weight(idle) and status.lease_until is not None:
        raise TrafficError(
            f"{idle} already carries traffic; return the traffic first: "
            f"canary rollback --env {request.environment}"
        )
    require_healthy(status, live)
    calibrated(context, len(flowing(context, live)))
    context.values |= {"live": live, "colour": idle}
    context.say("preflight", f"{live} is live and healthy, and reports its metrics")
    return live


def establish(context: Context, live: str) -> Release:
    """Return the live release; install the baseline first if one was named."""
    if context.request.baseline is None:
        return _remembered(context, live)
    previous = published(context, context.request.baseline)
    install(context, previous, live)
    context.meant = Live(live, previous.release)
    context.ports.state.set_live(context.meant)
    return Release(previous.name, previous.commit, live)


def deploy(context: Context, baseline: Release) -> Progress:
    """Install the candidate on the idle colour."""
    idle = other_colour(context.request.colours, baseline.colour)
    began, before = context.now(), requests_so_far(context, baseline.colour)
    release = published(context, context.request.candidate)
    no_longer_standby(context.ports.traffic, idle)
    install(context, release, idle)
    candidate = Release(release.name, release.commit, idle)
    context.hook("smoke")
    context.hook("load")
    warn_without_users(context, baseline.colour, before, context.now() - began)
    return prepared(context, baseline, candidate)


def prepared(context: Context, baseline: Release, candidate: Release) -> Progress:
    """Return the empty record of a comparison of both colours."""
    status = context.ports.traffic.status()
    expected = _expected(context, status)
    return progress_of(context, paired(context, status, baseline, candidate), expected)


def calibrated(context: Context, hosts: int) -> None:
    """Use the calibration if its fingerprint matches; warn if it does not."""
    here = fingerprint_of(context.policy, context.request.source, hosts)
    context.calibration, warnings = usable(context.request.calibration, here)
    for warning in warnings:
        context.warn(warning)


def published(context: Context, ref: str) -> Published:
    """Return the release of a git ref, built and stored if it is new."""
    release = context.ports.publish(ref)
    how = f"{'found' if release.reused else 'built'} at {release.url}"
    if not release.url:
        how = "which the deploy hook installs"
    context.say("artifact", f"{ref} is release {release.release}, {how}")
    return release


def install(context: Context, release: Published, colour: str) -> None:
    """Run the deploy hook, and wait until the proxy finds the colour healthy."""
    context.keeper.beat(86_400)  # a deployment has its own time limit
    values = {
        "colour": colour,
        "release": release.release,
        "commit": release.commit,
        "artifact": release.url,
        "sha256": release.sha256,
    }
    side = "candidate" if colour != context.values["live"] else "baseline"
    context.values |= {side: release.release}
    context.hook("deploy", **values)
    if side == "candidate":
        context.values |= values
    wait_until_up(context.ports.traffic, colour, context.now, context.sleep)
    context.keeper.beat()


def _remembered(context: Context, live: str) -> Release:
    """Return the release on the live colour, according to the history."""
    for row in context.ports.state.history(limit=50):
        # The baseline of a canary was on the other colour, and still is.
        known = row.candidate if live in row.colours.split() else row.baseline
        if row.colours and known:
            name, _, commit = known.partition(" ")
            return Release(name, commit, live)
    return Release("live", "", live)


def paired(context: Context, status: Status, baseline: Release, candidate: Release) -> Pairing:
    """Return the instances that are compared, and the proxy's server of each."""
    found = []
    for release in (baseline, candidate):
        servers = status.servers(release.colour)
        instances = _listed(context, release.colour, len(servers))
        if len(instances) != len(servers):
            raise SourceError(
                f"The proxy has {len(servers)} {release.colour} servers, but "
                f"{context.ports.source.describe()} lists {len(instances)} instances"
            )
        found.append(Release(release.name, release.commit, release.colour, instances))
    shares, match = context.timing.steps, context.request.match
    return pair(found[0], found[1], status, shares, match=match)


def _listed(context: Context, colour: str, servers: int) -> tuple[str, ...]:
    """Return the instances of a colour; wait for instances that a deployment has restarted.

    Prometheus lists an instance only after two scrapes, and a restart makes it miss one.
    """
    source, timing = context.ports.source, context.timing
    patience = context.now() + first_metrics(timing)
    found = source.instances(colour)
    while len(found) < servers and context.now() < patience:
        context.sleep_until(min(patience, context.now() + timing.period))
        found = source.instances(colour)
    return found


def _expected(context: Context, status: Status) -> dict[str, str]:
    """Return the release that each server must report from now on."""
    colour, release = context.values["colour"], context.values["candidate"]
    if not status.releases_on(colour):
        context.say("preflight", f"The release of {colour} cannot be checked: {NO_RELEASE}")
        return {}
    expected = dict.fromkeys(status.servers(colour), release)
    require_release(status, colour, release)
    return {**status.releases, **expected}


def progress_of(
    context: Context,
    pairing: Pairing,
    expected: dict[str, str],
    known: frozenset[str] | None = None,
) -> Progress:
    """Return the progress of a canary that has not begun to judge.

    ``known`` are the metrics that the live release reports steadily. Default: ask the source.
    """
    metrics, period = context.policy.metrics, context.timing.period
    compared = [
        Compared(
            source_queries([m for m in metrics if m.needs_equal_footing is equal]),
            pairing.releases(equally_loaded=equal),
        )
        for equal in (False, True)
    ]
    counters = {metric.name: metric.counter for metric in metrics if metric.counter is not None}
    return Progress(
        environment=context.request.environment,
        period=period,
        pairing=pairing,
        readings=Readings(
            context.ports.source, compared, context.timing.boundary(context.now()), period
        ),
        counted=ProxyCounts(pairing.servers, counters, period),
        calibration=context.calibration,
        expected=expected,
        steady=steady(context, pairing.baseline) if known is None else known,
    )
