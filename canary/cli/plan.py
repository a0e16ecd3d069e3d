"""``canary plan``: the harm that a canary can find, how long it takes, and what it costs."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from canary.cli.common import (
    answer,
    calibration_here,
    find_calibration,
    find_policy,
    json_option,
    where_options,
)
from canary.cli.files import find_directory
from canary.cli.types import EVENTS
from canary.environment import parse_environment
from canary.errors import PolicyError, RecordingError
from canary.formatting import duration
from canary.learned import Learned
from canary.offline.plan import (
    LOW_RATE,
    Cost,
    LeadInWorth,
    LowTraffic,
    Outlook,
    Workload,
    describe,
    draw,
    lead_in_worth,
    low_traffic,
    monthly_cost,
    workload_of,
)
from canary.offline.plan import plan as foresee
from canary.policy import Policy, load_policy, parse_policy
from canary.policy.yaml_text import read_document
from canary.recording import load_recording
from canary.rollout.names import DRILL

POINTS = 8
"""Number of times in the table."""
MOST = 10.0
"""Harm larger than this, eleven times the baseline, is shown as not found."""


@click.command()
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Requests per second.")
@click.option(
    "--instances",
    type=click.IntRange(min=1),
    help="Instances of each colour. Default: as recorded, else 1.",
)
@click.option(
    "--events",
    type=EVENTS,
    multiple=True,
    metavar="METRIC=SHARE",
    help="Events of a count per request. May be repeated. Default: as recorded.",
)
@click.option(
    "--recording",
    "recording_file",
    type=click.Path(path_type=Path),
    help="Take the traffic from this recording. Default: the newest recording of --env.",
)
@click.option("--canaries", default=60, show_default=True, help="Canaries per month, for the cost.")
@click.option(
    "--cost", "bill", is_flag=True, help="Show only what the environment costs a month, by item."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Write a picture (SVG) to this file.")
@click.option(
    "--low-traffic",
    "low_file",
    type=click.Path(path_type=Path),
    help="Write the policy proposed for little traffic to this file.",
)
@where_options
@json_option
def plan(env: str | None, policy_file: Path | None, **options: Any) -> None:
    """Show which harm a canary can find, how long that takes, and what CloudWatch costs.

    The power is 80 %. The plan uses the noise that canary rehearse learned. Without a rehearsal it
    uses cautious defaults, so the planned time is longer than necessary. With --cost it shows the
    monthly bill of an AWS environment instead, without traffic.

    \b
    Example:
      canary plan --env local --rate 50 --events errors=0.5% --plot plan.svg
    """
    if options["bill"]:
        from canary.cli.bill import show_bill

        show_bill(env, as_json=options["as_json"])
        return
    path = find_policy(env, policy_file)
    policy = load_policy(path)
    workload, noise = _known(policy, env, options)
    with click.progressbar(
        length=2 * len(policy.metrics), label="Planning", file=sys.stderr
    ) as bar:
        outlook = foresee(policy, workload, noise, lambda: bar.update(1))
        lead = lead_in_worth(policy, workload, noise, outlook, lambda: bar.update(1))
    cost = _cost(policy, workload, options["canaries"])
    low = low_traffic(policy, workload)
    if options["low_file"] is not None:
        _write_low(path, low, workload, options["low_file"])
    if options["plot"] is not None:
        options["plot"].write_text(draw(outlook), encoding="utf-8")
    document = {**_document(outlook, workload, cost, lead), "calibrated": bool(noise)}
    document["low_traffic"] = low.sentence if low else None
    lines = [*_foreseen(policy, outlook, workload), "", f"{lead.sentence}."]
    lines += [f"{low.sentence}. To write that policy: --low-traffic FILE"] if low else []
    lines += _remarks(cost, noise, options["plot"])
    answer(document, "\n".join(lines), as_json=options["as_json"])


def _write_low(path: Path, low: LowTraffic | None, workload: Workload, file: Path) -> None:
    """Write the proposed policy, and check that it can be read."""
    if low is None:
        raise PolicyError(
            f"{workload.rate:g} requests per second are not few: --low-traffic proposes a policy "
            f"for {LOW_RATE:g} and less"
        )
    text = yaml.safe_dump(low.changed(read_document(path)), sort_keys=False)
    parse_policy(text, str(file))
    file.write_text(text, encoding="utf-8")


def _cost(policy: Policy, workload: Workload, canaries: int) -> Cost | None:
    """Return what CloudWatch costs; None for another source."""
    if _source(policy) not in ("cloudwatch", ""):
        return None
    sources = {metric.source_name for metric in policy.metrics} | {"requests"}
    instances = sum(workload.instances)
    return monthly_cost(policy, instances=instances, published=len(sources), canaries=canaries)


def _source(policy: Policy) -> str:
    """Return the kind of the policy's source; empty if it names none."""
    if policy.environment is None:
        return ""
    return parse_environment(policy.environment).source.kind


def _known(
    policy: Policy, env: str | None, options: dict[str, Any]
) -> tuple[Workload, Mapping[str, Learned]]:
    """Return the workload (measured or given) and the learned noise."""
    file, calibration = options["recording_file"] or _newest(env), find_calibration(policy)
    measured = None
    if file is not None:
        recording = load_recording(file)
        measured = workload_of(policy, recording)
        calibration = calibration if calibration.metrics else recording.calibration
    if options["rate"] is None and (measured is None or measured.rate <= 0):
        raise RecordingError("Give the traffic: --rate 50, or --recording FILE")
    base = measured or Workload(1.0)
    count = options["instances"]
    names = [metric.name for metric in policy.metrics if metric.kind == "count"]
    for name, _ in options["events"]:
        if name not in names:
            known = ", ".join(names) or "none"
            raise RecordingError(f"--events names {name}; the policy's counts are: {known}")
    workload = dataclasses.replace(
        base,
        rate=options["rate"] or base.rate,
        events={**base.events, **dict(options["events"])},
        instances=(count, count) if count else base.instances,
    )
    hosts = workload.instances[1] if measured or count else None
    return workload, calibration_here(policy, calibration, _source(policy), hosts).metrics


def _newest(env: str | None) -> Path | None:
    """Return the newest recording, but not that of a drill, whose errors are not the service's."""
    found = sorted((find_directory(env) / "canaries").glob("*/recording.json")) if env else []
    found = [path for path in found if not path.parent.name.endswith(DRILL)]
    return found[-1] if found else None


def _document(
    outlook: Outlook, workload: Workload, cost: Cost | None, lead: LeadInWorth
) -> dict[str, Any]:
    price = None
    if cost is not None:
        price = {**dataclasses.asdict(cost), "total": cost.total, "sentence": cost.sentence}
    return {
        "sentence": outlook.sentence,
        "passes": outlook.passes,
        "maximum": outlook.maximum,
        "metrics": [dataclasses.asdict(metric) for metric in outlook.metrics],
        "traffic": {**dataclasses.asdict(workload), "events": dict(workload.events)},
        "lead_in": {"seconds": lead.seconds, "sentence": lead.sentence},
        "cost": price,
    }


def _foreseen(policy: Policy, outlook: Outlook, workload: Workload) -> list[str]:
    return [
        f"{describe(policy, workload)}:",
        *(f"  {metric.sentence}." for metric in outlook.metrics),
        f"{outlook.sentence}.",
        "",
        "Smallest harm found by then:",
        *_table(policy, outlook),
    ]


def _remarks(cost: Cost | None, noise: Mapping[str, Learned], plot: Path | None) -> list[str]:
    lines = []
    if cost is not None:
        lines.append(f"{cost.sentence} (custom metrics at high resolution, prices of us-east-1).")
    if not noise:
        lines.append("Noise: cautious defaults. canary rehearse learns it, except for proxy.*")
    if plot is not None:
        lines.append(f"Picture: {plot}")
    return lines


def _table(policy: Policy, outlook: Outlook) -> list[str]:
    """Return the smallest harm found, by time and metric."""
    width = max((len(metric.metric) for metric in outlook.metrics), default=6)
    last = max((len(metric.curve) for metric in outlook.metrics), default=0)
    at = sorted({max(round(last * part / POINTS), 1) for part in range(1, POINTS + 1)})
    longest = max(outlook.metrics, key=lambda metric: len(metric.curve), default=None)
    if longest is None or not longest.curve:
        return ["  nothing"]
    times = [longest.curve[index - 1][0] for index in at]
    head = "".join(f"{duration(time):>12}" for time in times)
    rows = [f"  {'':{width}}{head}"]
    points = {metric.name for metric in policy.metrics if metric.limit.scale == "points"}
    for metric in outlook.metrics:
        by_time = dict(metric.curve)
        cells = (_harm(by_time.get(time), points=metric.metric in points) for time in times)
        rows.append(f"  {metric.metric:{width}}" + "".join(f"{cell:>12}" for cell in cells))
    return rows


def _harm(value: float | None, *, points: bool) -> str:
    if value is None or value > MOST:
        return "-"
    return f"{value:.2g} points" if points else f"{100 * value:.0f} %"
