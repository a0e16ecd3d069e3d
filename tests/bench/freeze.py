"""`python -m tests.bench.freeze`: store the judge's answers for a set of kept recordings.

The recordings are seeded canaries of the scoreboard's worlds (equal or with harm, some calibrated,
some with two hosts per arm), and other recordings in the same directory. `--recordings` draws them
again. `--add NAME DIRECTORY` keeps a canary's recording and policy. Without an option only the
answers are written. A test replays all recordings and compares every number. So a change of the
answers is a change of verdicts: the commit must say why.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from canary.judge import judge
from canary.learned import Calibration
from canary.model import Arm, Finding, Judgement, Recording, Release, Series, Step, Verdict
from canary.policy import Policy, load_policy, parse_policy
from canary.recording import load_recording, recording_from_text, recording_to_text
from canary.report.json import plain
from tests.bench.verdict import ours
from tests.bench.verdict.cells import seed, simulate
from tests.bench.verdict.readings import (
    HARMS,
    LATE,
    METRICS,
    NONE,
    Canaries,
    Floats,
    Harm,
    Readings,
    policy,
)

FROZEN = Path(__file__).parents[1] / "unit/canary/frozen"
ANSWERS = FROZEN / "answers.json"
START = 1_200_000
WINDOWS = 60
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Drawn:
    """A recording to draw: a scenario, its harm, and what is known about the environment."""

    scenario: str
    harm: Harm
    periods: int = 30
    hosts: int = 1
    calibrated: bool = True

    @property
    def name(self) -> str:
        words = [self.scenario, str(self.periods), self.harm.name]
        words += [f"{self.hosts} hosts"] * (self.hosts > 1) + ["cold"] * (not self.calibrated)
        kept = "".join(c if c.isalnum() else "-" for c in "-".join(words).lower())
        return "-".join(filter(None, kept.split("-")))


def _harm(name: str) -> Harm:
    return next(harm for harm in (*HARMS, *LATE) if harm.name == name)


DRAWN = (
    Drawn("S1", NONE),
    Drawn("S1", NONE, calibrated=False),
    Drawn("S1", NONE, hosts=2),
    Drawn("S1", _harm("latency x1.10")),
    Drawn("S1", _harm("latency x1.10"), hosts=2, calibrated=False),
    Drawn("S1", _harm("5xx x5")),
    Drawn("S1", _harm("cpu x1.10"), hosts=2),
    Drawn("S1", _harm("late 5xx x5"), periods=60),
    Drawn("S4", NONE, periods=60),
    Drawn("S4", NONE, hosts=3, calibrated=False),
    Drawn("S4", _harm("latency x1.25")),
    Drawn("S4", _harm("leak 0.2/min")),
    Drawn("S4", _harm("throughput x0.9")),
    Drawn("S4", _harm("5xx x2"), calibrated=False),
    Drawn("B1", NONE),
    Drawn("B1", NONE, hosts=2, calibrated=False),
    Drawn("B1", _harm("p99 tail x1.5")),
    Drawn("B1", _harm("5xx x5"), calibrated=False),
    Drawn("B1", _harm("checkouts x0.8")),
    Drawn("B1", _harm("late latency x1.25"), hosts=2),
)


def recording_of(one: Drawn) -> Recording:
    """Draw the canary. Each of several hosts is drawn as another canary of the same scenario."""
    key = ("frozen", one.name)
    found = simulate(one.scenario, one.harm, one.hosts, one.periods, seed(*key))
    equal = simulate(one.scenario, NONE, WINDOWS, one.periods, seed("learn", *key))
    known = ours.calibrate(policy(one.periods), equal) if one.calibrated else {}
    times = tuple(START + 60 * period for period in range(one.periods))
    series = tuple(
        _series(found.metrics[metric], metric, arm, host, times)
        for metric in METRICS
        for arm in Arm
        for host in range(one.hosts)
    )
    names = {arm: tuple(f"{arm}-{host + 1}" for host in range(one.hosts)) for arm in Arm}
    return Recording(
        environment=one.name,
        period=60,
        baseline=Release("v1", "a" * 40, "blue", names[Arm.BASELINE]),
        candidate=Release("v2", "b" * 40, "green", names[Arm.CANDIDATE]),
        steps=(_step(found),),
        series=series,
        looks=tuple(time + 60 for time in times),
        calibration=Calibration(known),
    )


def _step(found: Canaries) -> Step:
    return Step(START, found.share, 1 - found.share, equal_footing=True)


def _series(readings: Readings, metric: str, arm: Arm, host: int, times: tuple[int, ...]) -> Series:
    side = "candidate" if arm is Arm.CANDIDATE else "baseline"
    values, samples, spread = (
        getattr(readings, f"{side}{part}") for part in ("", "_samples", "_spread")
    )
    column = _column(spread[host]) if spread is not None else ()
    return Series(
        metric,
        arm,
        f"{arm}-{host + 1}",
        times,
        _column(values[host]),
        _column(samples[host]),
        column,
    )


def _column(row: Floats) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(x) else float(f"{x:.{DIGITS}g}") for x in row)


def write(name: str, asked: Policy, recording: Recording) -> None:
    """Store a recording with its policy, compressed."""
    document = {
        "policy": asked.model_dump(mode="json", exclude_none=True),
        "recording": json.loads(recording_to_text(recording)),
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    (FROZEN / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def kept() -> Iterator[tuple[str, Policy, Recording]]:
    """Return every kept recording by name, with its policy."""
    for path in sorted(FROZEN.glob("*.json.gz")):
        document = json.loads(gzip.decompress(path.read_bytes()))
        recording = recording_from_text(json.dumps(document["recording"]), path.name)
        yield path.name.split(".")[0], parse_policy(json.dumps(document["policy"])), recording


def answer(asked: Policy, recording: Recording) -> dict[str, Any]:
    """Judge every look as a canary does. Return the first decision and the last judgement."""
    decided = None
    for look in recording.looks:
        said = judge(asked, recording, look)
        if said.verdict is not Verdict.INCONCLUSIVE:
            decided = said
            break
    second = judge(asked.model_copy(update={"judge": "kayenta"}), recording)
    return {
        "deciding": _numbers(decided) if decided else None,
        "last": _numbers(judge(asked, recording)),
        "kayenta": _numbers(second),
    }


def _numbers(judgement: Judgement) -> dict[str, Any]:
    return {
        "at": judgement.at,
        "verdict": judgement.verdict.value,
        "score": judgement.score,
        "findings": {finding.metric: _finding(finding) for finding in judgement.findings},
    }


def _finding(finding: Finding) -> dict[str, Any]:
    left_out = {"metric", "sentence", "critical", "muted", "group", "weight"}
    return {key: value for key, value in plain(finding).items() if key not in left_out}


@click.command(help=__doc__)
@click.option("--recordings", is_flag=True, help="Draw the scoreboard's canaries anew, too.")
@click.option(
    "--add", type=(str, click.Path(path_type=Path)), help="Keep a canary's files as NAME."
)
def main(*, recordings: bool, add: tuple[str, Path] | None) -> None:
    """Write the answers, and the recordings if asked."""
    FROZEN.mkdir(parents=True, exist_ok=True)
    if add is not None:
        asked = load_policy(add[1] / "policy.yml").model_copy(update={"environment": None})
        write(add[0], asked, load_recording(add[1] / "recording.json"))
    for one in DRAWN if recordings else ():
        write(one.name, policy(one.periods), recording_of(one))
    answers = {name: answer(asked, recording) for name, asked, recording in kept()}
    ANSWERS.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name, said in answers.items():
        first = said["deciding"] or {"at": 0, "verdict": "-"}
        click.echo(f"{name:40} {said['last']['verdict']:13} {first['verdict']} at {first['at']}")


if __name__ == "__main__":
    main()
