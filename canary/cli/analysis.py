"""``canary analyze`` and ``canary replay``: a verdict on what is already measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from canary.cli.assemble import source_of
from canary.cli.common import find_policy, json_option, seen_words, where_options
from canary.cli.moments import MOMENT, SHARE
from canary.environment import parse_environment
from canary.errors import RecordingError, SourceError
from canary.model import Arm, Judgement, Recording, Release
from canary.policy import Policy, load_policy
from canary.recording import dump_recording, load_recording
from canary.report import render_html, render_json, render_terminal
from canary.rollout.outcome import ExitStatus, status_of
from canary.rollout.retrospect import Window, collect, judge_looks, known_later
from canary.sources.base import Source, settled_end
from canary.sources.csv import Csv


@click.command()
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Read this file instead.")
@click.option("--start", type=MOMENT, help="Begin of the window: a time, or -30m for 30 min ago.")
@click.option("--end", type=MOMENT, default="now", show_default=True, help="End of the window.")
@click.option("--baseline", default="blue", show_default=True, help="Colour of the baseline.")
@click.option("--candidate", default="green", show_default=True, help="Colour of the candidate.")
@click.option(
    "--share", type=SHARE, default="50%", show_default=True, help="The candidate's of both."
)
@click.option(
    "--equal-footing",
    is_flag=True,
    help="Every instance carried the same load, so CPU and memory compare too.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option("--record", type=click.Path(path_type=Path), help="Write the recording to this file.")
@where_options
@json_option
def analyze(env: str | None, policy_file: Path | None, **options: Any) -> ExitStatus:
    """Judge a past window, from CloudWatch, Prometheus or a CSV file; no proxy is needed.

    The CSV columns: time (start of a period), arm (baseline or candidate), instance, metric,
    value, and if known samples and spread.

    Exit status: 0 PASS, 1 FAIL, 2 could not judge, 3 INCONCLUSIVE.

    \b
    Example:
      canary analyze --policy canary.yml --csv datapoints.csv --html report.html
    """
    policy, left_out = known_later(load_policy(find_policy(env, policy_file)))
    if left_out:
        names = ", ".join(left_out)
        click.echo(f"Left out, since only the proxy counts it during a canary: {names}", err=True)
    if options["csv_file"] is not None:
        recording = _from_csv(policy, options)
    else:
        environment = parse_environment(policy.environment)
        source = source_of(environment, policy.period)
        window = _window(policy, source, environment.source.settle, options)
        recording = collect(environment.name, policy, source, window)
    if options["record"] is not None:
        dump_recording(recording, options["record"])
    judgements = judge_looks(policy, recording)
    return _tell(policy, recording, judgements, options["html"], as_json=options["as_json"])


@click.command()
@click.argument("recording_file", metavar="RECORDING", type=click.Path(path_type=Path))
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="Ask what this policy would have said; default: the policy.yml beside the recording.",
)
@click.option("--html", type=click.Path(path_type=Path), help="Write the report to this file.")
@json_option
def replay(
    recording_file: Path, policy_file: Path | None, html: Path | None, *, as_json: bool
) -> ExitStatus:
    """Judge a recording again: with its own policy, the verdict is the same, bit for bit.

    Exit status: 0 PASS, 1 FAIL, 2 could not judge, 3 INCONCLUSIVE.

    \b
    Example:
      canary replay .run/local/canaries/20261121T094502Z-3f2a/recording.json
    """
    beside = recording_file.parent / "policy.yml"
    if policy_file is None and recording_file.is_file() and not beside.is_file():
        raise RecordingError(f"There is no {beside}; say which policy to judge by: --policy FILE")
    recording = load_recording(recording_file)
    policy = load_policy(policy_file or beside)
    return _tell(policy, recording, judge_looks(policy, recording), html, as_json=as_json)


def _from_csv(policy: Policy, options: dict[str, Any]) -> Recording:
    source = Csv(options["csv_file"], policy.period)
    start, end = source.window()
    if options["start"] is not None:
        start, end = options["start"], min(end, options["end"])
    arms = {
        arm: Release(str(arm), "", str(arm), source.instances(arm))
        for arm in (Arm.BASELINE, Arm.CANDIDATE)
    }
    window = Window(start, end, arms, options["share"], options["equal_footing"])
    return collect(options["csv_file"].stem, policy, source, window)


def _window(
    policy: Policy, source: Source, settle: float | None, options: dict[str, Any]
) -> Window:
    if options["start"] is None:
        raise SourceError("Say which window: --start -30m, or --start 2026-11-21T10:00Z --end ...")
    end = min(options["end"], settled_end(MOMENT("now"), policy.period, settle))
    arms = {}
    for arm in (Arm.BASELINE, Arm.CANDIDATE):
        colour = options[str(arm)]
        instances = source.instances(colour)
        if not instances:
            raise SourceError(f"{source.describe()} knows no {colour} instance")
        arms[arm] = Release(colour, "", colour, instances)
    return Window(options["start"], end, arms, options["share"], options["equal_footing"])


def _tell(
    policy: Policy,
    recording: Recording,
    judgements: Sequence[Judgement],
    html: Path | None,
    *,
    as_json: bool,
) -> ExitStatus:
    if not judgements:
        raise SourceError(
            f"The data end within the warm-up of {policy.warmup} s, so there is nothing to judge; "
            "take a longer window, or a shorter warmup in the policy"
        )
    if html is not None:
        html.write_text(render_html(policy, recording, judgements), encoding="utf-8")
    if as_json:
        document = json.loads(render_json(policy, recording, judgements))
        click.echo(json.dumps(document, indent=2, sort_keys=True))
    else:
        Console().print(render_terminal(policy, recording, judgements))
        click.echo(seen_words(policy, judgements[-1]))
    return status_of(judgements[-1].verdict)
