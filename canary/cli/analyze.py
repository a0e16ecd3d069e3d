"""``canary analyze``: judge a past window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from canary.cli.assemble import source_of
from canary.cli.common import (
    calibration_here,
    find_calibration,
    find_policy,
    json_option,
    where_options,
)
from canary.cli.types import MOMENT, SHARE
from canary.cli.verdict import tell_verdict
from canary.environment import Environment, parse_environment
from canary.errors import ExitStatus, SourceError
from canary.formatting import listed
from canary.model import Arm, Recording, Release
from canary.offline.analyze import Window, collect, covering, known_later
from canary.offline.replay import judge_looks
from canary.policy import Policy, load_policy
from canary.recording import dump_recording
from canary.report.limits import FEW_SENTENCES, some
from canary.sources.base import Source, settled_end
from canary.sources.csv import Csv


@click.command()
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path),
    help="Read this CSV file instead of the environment's source.",
)
@click.option("--start", type=MOMENT, help="Start of the window: a time, or -30m for 30 min ago.")
@click.option(
    "--end", type=MOMENT, help="End of the window. Default: now, or the end of the CSV file."
)
@click.option("--baseline", default="blue", show_default=True, help="Colour of the baseline.")
@click.option("--candidate", default="green", show_default=True, help="Colour of the candidate.")
@click.option(
    "--share",
    type=SHARE,
    default="50%",
    show_default=True,
    help="Candidate's share of the two arms' traffic.",
)
@click.option(
    "--equal-footing",
    is_flag=True,
    help="Every instance carried the same load, so compare CPU and memory too.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option("--record", type=click.Path(path_type=Path), help="Write the recording to this file.")
@where_options
@json_option
def analyze(env: str | None, policy_file: Path | None, **options: Any) -> ExitStatus:
    """Judge a past window from CloudWatch, Prometheus or a CSV file. No proxy is needed.

    CSV columns: time (start of a period), arm (baseline or candidate), instance, metric, value,
    and optionally samples and spread.

    Exit status: 0 PASS, 1 FAIL, 2 could not judge, 3 INCONCLUSIVE.

    \b
    Example:
      canary analyze --policy canary.yml --csv datapoints.csv --html report.html
    """
    policy, left_out = known_later(load_policy(find_policy(env, policy_file)))
    learned = find_calibration(policy)
    if left_out:
        names = ", ".join(left_out)
        click.echo(
            f"Left out, because the proxy measures it only during a canary: {names}", err=True
        )
    if options["csv_file"] is not None:
        recording, kind = _from_csv(policy, options), "csv"
    else:
        environment = _environment(policy)
        source = source_of(environment, policy.period)
        window = _window(policy, source, environment.source.settle, options)
        recording = collect(environment.name, policy, source, window)
        kind = environment.source.kind
    hosts = len(recording.baseline.instances)
    here = calibration_here(policy, learned, kind, hosts)
    recording = replace(recording, calibration=here)
    if options["record"] is not None:
        dump_recording(recording, options["record"])
    policy = covering(policy, recording)
    judgements = judge_looks(policy, recording)
    return tell_verdict(policy, recording, judgements, options["html"], as_json=options["as_json"])


def _environment(policy: Policy) -> Environment:
    if policy.environment is None:
        raise SourceError(
            "The policy has no environment section, so it names no source of metrics. Judge a "
            "file: --csv datapoints.csv. Or name a source: docs/reference.md, environment: source"
        )
    return parse_environment(policy.environment)


def _from_csv(policy: Policy, options: dict[str, Any]) -> Recording:
    source = Csv(options["csv_file"], policy.period)
    start, end = source.window(options["start"], options["end"])
    arms = {
        arm: Release(str(arm), "", str(arm), source.instances(arm, (start, end)))
        for arm in (Arm.BASELINE, Arm.CANDIDATE)
    }
    _refuse_strangers(policy, source, arms)
    window = Window(start, end, arms, options["share"], options["equal_footing"])
    return collect(options["csv_file"].stem, policy, source, window)


def _refuse_strangers(policy: Policy, source: Csv, arms: dict[Arm, Release]) -> None:
    """Refuse a file without an arm, or without any metric of the policy."""
    for arm, release in arms.items():
        if not release.instances:
            raise SourceError(f"{source.describe()} has no row of the {arm} in this window")
    wanted = [metric.name for metric in policy.metrics]
    if not set(wanted) & set(source.metrics):
        found = listed(some(source.metrics, FEW_SENTENCES, "metric"))
        raise SourceError(
            f"{source.describe()} has no metric of the policy: it holds {found}, the policy asks "
            f"for {listed(wanted)}. Use the same names"
        )
    _warn_of_strangers(policy, source, set(wanted))


def _warn_of_strangers(policy: Policy, source: Csv, wanted: set[str]) -> None:
    """Say which metrics of the policy the file lacks, and what it holds instead."""
    there = set(source.metrics)
    absent = [m.name for m in policy.metrics if m.name not in there and m.absent != "zero"]
    others = sorted(there - wanted)
    if absent and others:
        held = listed(some(others, FEW_SENTENCES, "metric"))
        click.echo(
            f"Warning: no row holds {listed(absent)} of the policy. The file also holds {held}; "
            "is it another name?",
            err=True,
        )


def _window(
    policy: Policy, source: Source, settle: float | None, options: dict[str, Any]
) -> Window:
    if options["start"] is None:
        raise SourceError("Name the window: --start -30m, or --start 2026-11-21T10:00Z --end ...")
    end = settled_end(MOMENT("now"), policy.period, settle)
    end = end if options["end"] is None else min(end, options["end"])
    arms = {}
    for arm in (Arm.BASELINE, Arm.CANDIDATE):
        colour = options[str(arm)]
        instances = source.instances(colour, (options["start"], end))
        if not instances:
            raise SourceError(
                f"{source.describe()} has no {colour} instance in this window. "
                f"{source.found_by(colour)}"
            )
        arms[arm] = Release(colour, "", colour, instances)
    return Window(options["start"], end, arms, options["share"], options["equal_footing"])
