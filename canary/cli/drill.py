"""``canary drill``: check that the policy refuses a bad release."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from canary.cli.assemble import traffic_of
from canary.cli.common import (
    Place,
    calibration_here,
    fetch_calibration,
    find_place,
    freeze_option,
    json_option,
    refuse_if_frozen,
    where_options,
)
from canary.cli.context import drilling_context
from canary.cli.drill_policy import announce, metrics_that_see, policy_of_drill
from canary.cli.notify import watched_by
from canary.cli.progress import Display
from canary.cli.types import DELAY, SHARE
from canary.errors import CanaryError, ExitStatus
from canary.live.files import LiveFiles
from canary.offline.plan import Workload, foreseen, time_to_refuse
from canary.policy import parse_policy
from canary.rollout.archive import outcome_document
from canary.rollout.context import Request
from canary.rollout.drill import Demand, DrillArchive, Exercise, Noticed, noticed
from canary.rollout.engine import run as run_canary
from canary.rollout.names import DRILL, new_name, whoami
from canary.rollout.outcome import Outcome
from canary.rollout.system import Signals
from canary.traffic.base import Drill

LONGEST_DELAY = 10_000
STATUS = {
    Noticed.YES: ExitStatus.PASS,
    Noticed.NO: ExitStatus.FAIL,
    Noticed.UNKNOWN: ExitStatus.COULD_NOT_RUN,
}


@click.command()
@click.option("--errors", type=SHARE, help="Share of the candidate's requests that get 500.")
@click.option(
    "--delay", type=DELAY, help="Delay of the candidate's responses, such as 200ms or 1s."
)
@click.option(
    "--writes",
    is_flag=True,
    help="Errors for all methods, not only GET, HEAD and OPTIONS. The app handles such a "
    "request, but the user gets an error.",
)
@click.option(
    "--share",
    type=SHARE,
    help="Largest share of users for the candidate. Default: that of the policy's steps.",
)
@click.option(
    "--seen-by",
    multiple=True,
    metavar="METRIC",
    help="A metric that is measured at the proxy or in front of it. May be repeated.",
)
@click.option(
    "--judge-proxy-errors",
    is_flag=True,
    help="Judge proxy.errors too, in this drill alone. That tests refusal and rollback, but not "
    "the policy's own metrics.",
)
@click.option("--detach", is_flag=True, hidden=True)
@freeze_option
@where_options
@json_option
def drill(env: str | None, policy_file: Path | None, **options: Any) -> ExitStatus:
    """Let the proxy add errors or a delay to the candidate, and check that the policy refuses it.

    The drill is a canary of the release that is on the idle colour: the live one, or the standby.
    Nothing is installed or promoted. Users of the candidate get the errors. The errors end with the
    drill or, if this command is killed, with the weight's lease. Metrics that the app measures
    itself do not see what the proxy adds; proxy.errors and proxy.latency do.

    Exit status: 0 the policy refused, 1 it did not notice, 2 could not run or judge.

    \b
    Example:
      canary drill --env local --errors 3%
    """
    place, added = find_place(env, policy_file), _drill(options)
    text = policy_of_drill(place.path, options["share"], proxy_errors=options["judge_proxy_errors"])
    place = dataclasses.replace(place, policy=parse_policy(text, str(place.path)))
    refuse_if_frozen(place.environment, time.time(), ignore=options["ignore_freeze"])
    sees = metrics_that_see(place.policy, added, options["seen_by"])
    console = Console(stderr=True)
    announce(place.policy, sees, console)
    request = _request(place, added)
    directory = Path(request.directory)
    directory.mkdir(parents=True)
    (directory / "policy.yml").write_text(text, encoding="utf-8")
    exercise = Exercise(added, lambda demand: _foresee(place, request, sees, added, demand))
    outcome = _drilled(place, request, exercise, console)
    return _tell(place, outcome, exercise, sees, as_json=options["as_json"])


def _drill(options: dict[str, Any]) -> Drill:
    if options["detach"]:
        raise click.UsageError(
            "A drill cannot be detached, because somebody has to watch what users meet. Leave out "
            "--detach. It ends with Ctrl-C, or from elsewhere with canary rollback"
        )
    errors, delay = round(options["errors"] or 0.0, 6), options["delay"] or 0
    writes = options["writes"]
    if not errors and not delay:
        raise click.UsageError("Say what the proxy should add: --errors 3%, or --delay 200ms")
    if writes and not errors:
        raise click.UsageError("--writes needs errors; name their share: --errors 3%")
    if delay > LONGEST_DELAY:
        raise click.UsageError(f"A delay of {delay} ms is longer than {LONGEST_DELAY} ms")
    return Drill(errors, delay, writes=writes)


def _request(place: Place, added: Drill) -> Request:
    environment, name = place.environment, new_name(time.time()) + DRILL
    return Request(
        name=name,
        environment=environment.name,
        colours=environment.colours,
        who=whoami(),
        candidate=f"drill: {added}",
        match=bool(environment.traffic and environment.traffic.matched),
        directory=str(place.canaries / name),
        source=environment.source.kind,
        calibration=fetch_calibration(place),
    )


def _foresee(place: Place, request: Request, sees: list[str], added: Drill, demand: Demand) -> str:
    """Return what the plan says about this traffic."""
    policy = place.policy
    metrics = [metric for metric in policy.metrics if metric.name in sees]
    events = {one.name: demand.events.get(one.counter, 0.0) for one in metrics if one.counter}
    workload = Workload(demand.rate, events, instances=demand.servers)
    kind, hosts = place.environment.source.kind, demand.servers[0]
    noise = calibration_here(policy, request.calibration, kind, hosts).metrics
    seconds = time_to_refuse(policy, metrics, workload, noise, added.errors)
    return foreseen(policy, metrics, demand.rate, seconds, added.errors, writes=added.writes)


def _drilled(place: Place, request: Request, exercise: Exercise, console: Console) -> Outcome:
    signals, directory = Signals(), Path(request.directory)
    with (
        signals.handled(),
        Display(place.policy, console) as display,
        watched_by(place, request, display, LiveFiles(directory)) as observer,
    ):
        context = drilling_context(place, request, exercise.drill, observer, signals)
        archive = DrillArchive(
            place.policy, directory, context.ports.state, request.who, request.candidate
        )
        return run_canary(context, archive.keep, exercise)


def _tell(
    place: Place, outcome: Outcome, exercise: Exercise, sees: list[str], *, as_json: bool
) -> ExitStatus:
    result, sentence = noticed(place.policy, outcome, sees)
    directory = place.canaries / outcome.canary
    report, left = directory / "report.html", _left(place, exercise)
    if as_json:
        document = {
            **outcome_document(outcome),
            "exit_status": int(STATUS[result]),
            "drill": dataclasses.asdict(exercise.drill),
            "result": result.value,
            "sentence": sentence,
            "seen_by": sees,
            "plan": exercise.plan,
            "left": left,
            "directory": str(directory),
        }
        click.echo(json.dumps(document, indent=2, sort_keys=True))
        return STATUS[result]
    click.echo(f"{sentence}\n{outcome.traffic}")
    if exercise.plan:
        click.echo(f"Plan: {exercise.plan}")
        click.echo(f"The proxy differs: {left}" if left else "The proxy is as before the drill")
    click.echo(f"Report: {report}" if report.is_file() else f"Files: {directory}")
    return STATUS[result]


def _left(place: Place, exercise: Exercise) -> str:
    try:
        return exercise.left(traffic_of(place.environment).status())
    except CanaryError as error:
        return str(error)
