"""The history that ``canary suggest`` reads: a CSV file, or the source of an environment."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from canary.cli.assemble import past_of, state_of
from canary.cli.common import Place
from canary.cli.types import MOMENT
from canary.errors import PolicyError, SourceError
from canary.model import Arm
from canary.offline.rehearse import Past
from canary.policy import Metric
from canary.policy.yaml_text import read_document
from canary.sources.base import Source, settled_end
from canary.sources.csv import Csv


@dataclass(frozen=True, slots=True)
class History:
    """The source of a history, and what is already known of its metrics.

    Attributes:
        document: keys of an earlier policy, which the proposal keeps.
    """

    name: str
    account: str | None
    source: Source
    kind: str
    period: int
    past: Past
    names: tuple[str, ...]
    given: dict[str, Metric]
    document: dict[str, Any]


def of_csv(path: Path, options: dict[str, Any]) -> History:
    """Return the history in a CSV file, whose period is the time between its rows."""
    if options["colour"] is not None:
        raise PolicyError("A CSV file has no colours: the rows of its arm baseline are compared")
    step = Csv(path, 1).step
    if step <= 0:
        raise SourceError(f"{path} has rows of one time or none; a history needs many")
    source = Csv(path, step)
    start, end = source.window(options["start"], options["end"])
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:31].rstrip("-")
    name = name if name[:1].isalpha() else "history"
    environment = {"name": name, "source": {"kind": "csv", "path": str(path)}}
    past = Past(str(Arm.BASELINE), start, end)
    document = {"environment": environment}
    names = source.names(past.colour)
    return History(name, None, source, "csv", step, past, names, {}, document)


def of_environment(place: Place, options: dict[str, Any]) -> History:
    """Return the history of an environment, without the times of its canaries."""
    environment, policy = place.environment, place.policy
    source = past_of(environment, policy.period)
    state = state_of(environment) if environment.state is not None else None
    if state is None and options["colour"] is None:
        raise PolicyError(f"Name the colour to compare: --colour {environment.colours[0]}")
    colour = options["colour"] or (state.live().colour if state else "")
    canaries = tuple((one.started, one.ended) for one in state.history(1000)) if state else ()
    newest = settled_end(time.time(), policy.period, environment.source.settle)
    end = newest if options["end"] is None else min(options["end"], newest)
    start = MOMENT("-170m") if options["start"] is None else options["start"]
    given = {metric.name: metric for metric in policy.metrics if metric.counter is None}
    used = {metric.source_name for metric in given.values()} | set(given)
    names = tuple(name for name in source.names(colour) if name not in used)
    return History(
        name=environment.name,
        account=environment.account,
        source=source,
        kind=environment.source.kind,
        period=policy.period,
        past=Past(colour, start, end, canaries),
        names=names,
        given=given,
        document=dict(read_document(place.path)),
    )
