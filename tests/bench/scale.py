"""`python -m tests.bench.scale`: time and memory of `canary analyze` on large CSV files.

Each row is one process on fresh data: 1,000 instances, 20 metrics of five kinds, one minute a
period. Time is that of the processor, so other processes disturb it little. Exit status 1 if a
bound is broken.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from canary.sources.csv import Csv

START = 1_795_168_800
KINDS = ("latency", "count", "gauge", "level", "throughput")
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Scale:
    """A size of data, and its bounds in seconds, megabytes of memory and of the report."""

    name: str
    instances: int
    metrics: int
    periods: int
    seconds: float
    memory: float | None
    report: float | None


JUDGED = Scale("1,000 instances x 20 metrics x 60 periods, judged", 1000, 20, 60, 6, 500, 5)
READ = Scale("200 MB of CSV, read", 1000, 20, 190, 10, None, None)


def write(scale: Scale, directory: Path) -> tuple[Path, Path]:
    """Write the data and their policy; return both paths."""
    names = [f"m{at}_{KINDS[at % len(KINDS)]}" for at in range(scale.metrics)]
    rules = "".join(f"- {{name: {name}, kind: {name.partition('_')[2]}}}\n" for name in names)
    policy, data = directory / "policy.yml", directory / "data.csv"
    policy.write_text(f"version: 1\nperiod: 60s\nmetrics:\n{rules}")
    random = np.random.default_rng(1)
    with data.open("w") as file:
        file.write("time,arm,instance,metric,value,samples,spread\n")
        for period in range(scale.periods):
            file.writelines(rows(random, START + 60 * period, scale.instances, names))
    return policy, data


def rows(
    random: np.random.Generator, moment: int, instances: int, names: list[str]
) -> Iterator[str]:
    """Return the rows of one period: two equal arms."""
    requests = random.poisson(3000, (instances, len(names)))
    noise = random.standard_normal((instances, len(names)))
    events = random.poisson(15, (instances, len(names)))
    for host in range(instances):
        arm = ("baseline", "candidate")[host % 2]
        for at, name in enumerate(names):
            n, z = requests[host, at], noise[host, at]
            value = {
                "latency": f"{100 * np.exp(0.02 * z):.4f}",
                "count": f"{events[host, at]}",
                "gauge": f"{40 + z:.4f}",
                "level": f"{300 + z:.4f}",
                "throughput": f"{n}",
            }[name.partition("_")[2]]
            yield f"{moment},{arm},i-{host:05},{name},{value},{n},\n"


def judged(scale: Scale, directory: Path) -> tuple[float, float, float]:
    """Analyze in a process of its own; return CPU seconds, megabytes of memory and of report."""
    policy, data = write(scale, directory)
    report = directory / "report.html"
    command = ["canary", "analyze", "--policy", str(policy), "--csv", str(data)]
    process = subprocess.Popen(
        [*command, "--equal-footing", "--html", str(report)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1, 3):
        raise SystemExit("canary analyze could not judge the data")
    memory = usage.ru_maxrss * 1024 / MEGABYTE
    return usage.ru_utime + usage.ru_stime, memory, report.stat().st_size / MEGABYTE


def read(scale: Scale, directory: Path) -> tuple[float, float, float]:
    """Read the file; return CPU seconds, and the size of the file in megabytes twice."""
    _, data = write(scale, directory)
    began = time.process_time()
    Csv(data, 60)
    size = data.stat().st_size / MEGABYTE
    return time.process_time() - began, size, size


def main() -> None:
    """Print a table, and exit with 1 if a bound is broken."""
    broken = False
    for scale, measure in ((JUDGED, judged), (READ, read)):
        with tempfile.TemporaryDirectory() as directory:
            seconds, memory, report = measure(scale, Path(directory))
        words = [f"{seconds:.1f} s (at most {scale.seconds:g})"]
        broken |= seconds > scale.seconds
        for value, bound, name in (
            (memory, scale.memory, "memory"),
            (report, scale.report, "report"),
        ):
            if bound is not None:
                words.append(f"{name} {value:.1f} MB (at most {bound:g})")
                broken |= value > bound
        click.echo(f"{scale.name}: {', '.join(words)}")
    sys.exit(int(broken))


if __name__ == "__main__":
    main()
