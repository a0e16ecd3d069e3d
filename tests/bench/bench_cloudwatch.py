"""The speed of our CloudWatch compared with that of moto, in one run.

    python -m tests.bench.bench_cloudwatch [SAMPLES]

Both are server processes on loopback, called one after the other by the same boto3 client with the
same requests. Only calls that plain moto supports are compared: five simple statistics, without
percentiles, math and alarms. The output shows the wall time and the server's CPU time, which is
reproducible on a busy machine. boto3 takes longer to write a request than either server to read it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from local_cloud.cloudwatch import snapshot
from local_cloud.cloudwatch.service import CloudWatch
from tests.support.cloudwatch_client import client, process

HOUR = 3600
BATCH = 1000
SERIES = 20
SEED = 20261121


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one call: wall time and CPU time of the server."""

    wall: float
    server: float

    def __str__(self) -> str:
        return f"{self.wall:8.1f} ms ({self.server:7.1f} ms of server)"


def processor_seconds(pid: int) -> float:
    """Return user and system time of a process (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    cloudwatch: Any
    pid: int

    def timed(self, work: Callable[[], object], times: int) -> Timing:
        """Return the median time of a call and the mean CPU time of the server."""
        before, taken = processor_seconds(self.pid), []
        for _ in range(times):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        server = (processor_seconds(self.pid) - before) / times
        return Timing(1e3 * statistics.median(taken), 1e3 * server)


def instance(n: int) -> list[dict[str, str]]:
    return [{"Name": "Instance", "Value": f"i-{n}"}]


def batches(samples: int, now: float) -> Iterator[list[dict[str, Any]]]:
    """Return single values of SERIES metrics spread over the last hour."""
    values = np.random.default_rng(SEED).lognormal(size=samples)
    data = [
        {
            "MetricName": "latency",
            "Dimensions": instance(n % SERIES),
            "Value": float(value),
            "Timestamp": now - HOUR + HOUR * n / samples,
            "StorageResolution": 1,
        }
        for n, value in enumerate(values)
    ]
    return (data[at : at + BATCH] for at in range(0, samples, BATCH))


def distribution(now: float) -> list[dict[str, Any]]:
    """Return the data of a publisher in a period: 20 metrics of 50 values."""
    values = [round(1.05**n, 6) for n in range(50)]
    return [
        {
            "MetricName": f"metric{n}",
            "Values": values,
            "Counts": [2.0] * len(values),
            "Timestamp": now,
            "StorageResolution": 1,
        }
        for n in range(20)
    ]


def queries(names: list[str], period: int) -> list[dict[str, Any]]:
    return [
        {
            "Id": f"q{n}",
            "MetricStat": {
                "Metric": {"Namespace": "Shop", "MetricName": "latency", "Dimensions": instance(n)},
                "Period": period,
                "Stat": name,
            },
        }
        for n, name in enumerate(names)
    ]


def reader(cloudwatch: Any, names: list[str], period: int, now: float) -> Callable[[], object]:
    asked = queries(names, period)
    return lambda: cloudwatch.get_metric_data(
        MetricDataQueries=asked, StartTime=now - HOUR, EndTime=now
    )


@contextmanager
def server(directory: Path, *options: str) -> Iterator[Server]:
    with process(directory / "state", *options) as (address, pid):
        yield Server(client(address), pid)


SIMPLE = ["Sum", "Average", "Maximum", "SampleCount"]


def fill(to: Server, samples: int, now: float) -> Timing:
    """Publish all samples; return the time of one batch."""
    waiting = batches(samples, now)

    def put() -> None:
        to.cloudwatch.put_metric_data(Namespace="Shop", MetricData=next(waiting))

    return to.timed(put, -(-samples // BATCH))


def measure(on: Server, samples: int, now: float) -> dict[str, Timing]:
    period = distribution(now)

    def put_period() -> None:
        on.cloudwatch.put_metric_data(Namespace="Period", MetricData=period)

    return {
        f"put {BATCH} single values": fill(on, samples, now),
        "put 20 metrics x 50 values": on.timed(put_period, 40),
        "read 4 series x 1 h at 60 s": on.timed(reader(on.cloudwatch, SIMPLE, 60, now), 3),
        "read 4 series x 1 h at 10 s": on.timed(reader(on.cloudwatch, SIMPLE, 10, now), 3),
    }


def compare(directory: Path, samples: int) -> None:
    """Store the same data in both and read it."""
    now = time.time() // 60 * 60
    with server(directory) as ours:
        our_times = measure(ours, samples, now)
    with server(directory, "plain") as moto:
        moto_times = measure(moto, samples, now)
    show(f"{samples} samples in {SERIES} series")
    for what, our in our_times.items():
        its = moto_times[what]
        ratio = f"{its.wall / our.wall:6.1f} times ({its.server / our.server:6.1f} of server)"
        show(f"  {what:<28} ours {our}   moto {its}   moto/ours {ratio}")


def ours_alone(directory: Path, samples: int) -> None:
    """Measure operations that plain moto does not support, at full size."""
    now = time.time() // 60 * 60
    with server(directory) as ours:
        show(f"{samples} samples in {SERIES} series, ours alone")
        filled = fill(ours, samples, now)
        show(f"  put {BATCH} single values: {filled}, {1e3 * BATCH / filled.wall:.0f} samples/s,")
        show(f"    {1e3 * BATCH / filled.server:.0f} samples/s of server")
        for names in (SIMPLE, ["p50", "p90", "p99", "tm99"], ["PR(:2)", "IQM", "wm98", "ts90"]):
            taken = ours.timed(reader(ours.cloudwatch, names, 10, now), 9)
            show(f"  read 1 h at 10 s of {' '.join(names):<32} {taken}")


def snapshots(directory: Path, samples: int) -> None:
    now = time.time()
    cloud = CloudWatch("1", "r", clock=lambda: now, publish=lambda *_: None)
    for batch in batches(samples, now):
        cloud.metrics.put("Shop", batch)
    path = directory / "snapshot"
    here = Server(None, os.getpid())
    written = here.timed(lambda: snapshot.write([cloud], path), 3)
    read = here.timed(lambda: snapshot.read(path, lambda *_: cloud), 3)
    show(f"snapshot of {samples} samples, {path.stat().st_size / 1e6:.1f} MB")
    show(f"  write {written}\n  read  {read}")


def show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 350_000
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name), samples // 17)
        ours_alone(Path(name), samples)
        snapshots(Path(name), samples)


if __name__ == "__main__":
    main()
