"""``canary rehearse``: measure the noise of an environment, and count false alarms."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import click

from canary.cli.assemble import past_of, state_of
from canary.cli.common import (
    SHARED_CALIBRATION,
    Place,
    answer,
    calibration_path,
    find_place,
    json_option,
    where_options,
)
from canary.cli.types import MOMENT
from canary.learned import dump_calibration
from canary.offline.analyze import known_later
from canary.offline.rehearse import (
    Past,
    Rehearsal,
    cutting_of,
    instances_of,
    windows,
    work_of,
)
from canary.offline.rehearse import rehearse as measure
from canary.policy import Policy
from canary.reading import CALIBRATION, read_bytes
from canary.sources.base import settled_end

WOLF = 1


@click.command()
@click.option(
    "--start",
    type=MOMENT,
    default="-170m",
    show_default=True,
    help="Start of the data to learn from. CloudWatch keeps high resolution for three hours.",
)
@click.option("--end", type=MOMENT, default="now", show_default=True, help="End of the data.")
@click.option("--colour", help="Colour whose instances are compared. Default: the live colour.")
@where_options
@json_option
def rehearse(env: str | None, policy_file: Path | None, **options: Any) -> int:
    """Compare equal instances with each other: learn the noise, and count false alarms.

    Every FAIL between two instances of one release is a false alarm. Times at which a canary ran
    are left out. Any amount of data helps: a little data moves the cautious defaults a little, much
    data replaces them. The noise is written to .run/ENV/calibration.json and to the environment's
    state. From there canary run reads it on any machine.

    Exit status: 0 false alarms within alpha, 1 more than alpha allows, 2 could not measure.

    \b
    Example:
      canary rehearse --env local --start -2h
    """
    place = find_place(env, policy_file)
    policy, _ = known_later(place.policy)
    found = _measure(place, policy, options)
    path = calibration_path(place.environment.name, place.environment.account)
    dump_calibration(found.calibration, path)
    state_of(place.environment).store(SHARED_CALIBRATION, read_bytes(path, CALIBRATION), {})
    document = {**dataclasses.asdict(found), "alpha": policy.alpha, "file": str(path)}
    text = f"{found.sentence}.\nLearned noise: {path}"
    answer(document, text, as_json=options["as_json"])
    return WOLF if found.low > policy.alpha else 0


def _measure(place: Place, policy: Policy, options: dict[str, Any]) -> Rehearsal:
    source = past_of(place.environment, policy.period)
    state = state_of(place.environment)
    colour = options["colour"] or state.live().colour
    canaries = tuple((row.started, row.ended) for row in state.history(1000))
    newest = settled_end(time.time(), policy.period, place.environment.source.settle)
    end = min(options["end"], newest)
    past = Past(colour, options["start"], end, canaries)
    cutting = cutting_of(policy, instances_of(source, colour), past)
    click.echo(f"{cutting.sentence(policy)}.", err=True)
    recordings = windows(policy, source, past, cutting)
    kind = place.environment.source.kind
    with click.progressbar(length=work_of(policy), label="Learning", file=sys.stderr) as bar:
        return measure(policy, recordings, kind, cutting.worth, lambda: bar.update(1))
