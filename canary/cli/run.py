"""``canary run``: run a canary."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from canary.cli.common import (
    Place,
    fetch_calibration,
    find_place,
    freeze_option,
    json_option,
    refuse_if_frozen,
    where_options,
)
from canary.cli.context import observing_context
from canary.cli.detach import detach
from canary.cli.notify import watched_by
from canary.cli.progress import Display
from canary.cli.release import released, tell
from canary.cli.types import DURATION
from canary.errors import ExitStatus
from canary.live.files import LiveFiles
from canary.policy import with_lead_in
from canary.rollout.archive import Archive
from canary.rollout.context import Request
from canary.rollout.engine import run as run_canary
from canary.rollout.names import new_name, whoami
from canary.rollout.observe import observe_only
from canary.rollout.outcome import Outcome
from canary.rollout.system import Signals

INSTALLING = ("candidate", "baseline", "lead_in")
"""Options that install a release."""


@click.command()
@click.option(
    "--candidate",
    help="Required. Git ref to release: commit, tag, branch, or . for the working tree.",
)
@click.option("--baseline", help="Git ref to install on the live colour first.")
@click.option(
    "--on-inconclusive",
    type=click.Choice(["rollback", "hold"]),
    default="rollback",
    show_default=True,
    help="What to do if the canary is still undecided when its time is over.",
)
@click.option(
    "--hold-for",
    type=click.IntRange(1, 86_400),
    default=3600,
    show_default=True,
    help="Seconds to wait for an approval, or for a decision on a held canary.",
)
@click.option(
    "--lead-in",
    type=DURATION,
    help="Let both colours run the live release for this long first, such as 2h, to learn how "
    "far their hosts differ. Default: the policy's lead_in.",
)
@click.option(
    "--observe",
    is_flag=True,
    help="Judge the traffic as it is split now. Install nothing, and change no traffic.",
)
@click.option(
    "--detach",
    is_flag=True,
    help="Let it run without this terminal: as a unit of systemd, which starts it again after a "
    "kill. canary attach follows it, canary stop ends it.",
)
@freeze_option
@where_options
@json_option
def run(env: str | None, policy_file: Path | None, **options: Any) -> ExitStatus:
    """Release a candidate step by step, then promote it or roll it back.

    Ctrl-C rolls it back. With --observe, you split the traffic by other means: the command only
    reads the proxy, and judges the candidate until there is a verdict. With --detach, the command
    returns when the canary has started.

    Exit status: 0 PASS and promoted, 1 FAIL, 2 could not run, 3 INCONCLUSIVE. With --detach: 0
    started, 2 could not start.

    \b
    Example:
      canary run --env local --candidate v1.5.0
    """
    _require_candidate(options)
    place = _with_lead_in(find_place(env, policy_file), options["lead_in"])
    if not options["observe"]:
        refuse_if_frozen(place.environment, time.time(), ignore=options["ignore_freeze"])
    request = _request(place, options)
    directory = Path(request.directory)
    directory.mkdir(parents=True)
    shutil.copyfile(place.path, directory / "policy.yml")
    if options["detach"]:
        return detach(place, request, as_json=options["as_json"])
    console = Console(stderr=True)
    carry_out = _observed if options["observe"] else released
    outcome = carry_out(place, request, console)
    tell(place, outcome, directory, console, as_json=options["as_json"])
    return outcome.exit_status


def _require_candidate(options: dict[str, Any]) -> None:
    given = [name for name in INSTALLING if options[name] is not None]
    if options["observe"] and given:
        words = " and ".join("--" + name.replace("_", "-") for name in given)
        raise click.UsageError(f"--observe installs nothing: leave out {words}")
    if options["observe"] and options["detach"]:
        raise click.UsageError(
            "--observe cannot be detached: it ends with its terminal, and moves no traffic. Leave "
            "out --detach"
        )
    if not options["observe"] and options["candidate"] is None:
        raise click.UsageError("Name the release: --candidate REF. To install nothing: --observe")


def _observed(place: Place, request: Request, console: Console) -> Outcome:
    """Judge traffic that is split by other means; write only files on this machine."""
    directory, signals = Path(request.directory), Signals()
    with (
        signals.handled(),
        Display(place.policy, console) as display,
        watched_by(place, request, display, LiveFiles(directory)) as observer,
    ):
        context = observing_context(place, request, observer, signals)
        archive = Archive(place.policy, directory, context.ports.state, request.who, "")
        return run_canary(context, archive.keep, observe_only)


def _with_lead_in(place: Place, seconds: int | None) -> Place:
    """Return the place with the lead-in that the option asks for."""
    if seconds is None:
        return place
    return dataclasses.replace(place, policy=with_lead_in(place.policy, seconds))


def _request(place: Place, options: dict[str, Any]) -> Request:
    environment = place.environment
    name = new_name(time.time())
    return Request(
        name=name,
        environment=environment.name,
        colours=environment.colours,
        who=whoami(),
        candidate=options["candidate"] or "",
        baseline=options["baseline"],
        on_inconclusive=options["on_inconclusive"],
        on_fail=environment.on_fail,
        hold=float(options["hold_for"]),
        approve=environment.approve,
        bake=environment.bake.duration,
        alarms=tuple(environment.bake.alarms),
        match=bool(environment.traffic and environment.traffic.matched and not options["observe"]),
        directory=str(place.canaries / name),
        source=environment.source.kind,
        calibration=fetch_calibration(place),
    )
