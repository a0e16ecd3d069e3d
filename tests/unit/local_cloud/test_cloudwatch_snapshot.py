"""A snapshot restores everything; a broken snapshot changes nothing."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
import pytest

from local_cloud.cloudwatch import snapshot
from local_cloud.cloudwatch.snapshot import SnapshotError
from tests.unit.local_cloud.cloudwatch_alarm_world import alarm, put_alarm, state, tick
from tests.unit.local_cloud.cloudwatch_world import HOUR, NOON, World, dimensions
from tests.unit.local_cloud.test_cloudwatch_dashboards import body, put


def full_world() -> World:
    world = World()
    random = np.random.default_rng(20261121)
    for n in range(20):
        values = [float(value) for value in random.lognormal(size=50)]
        named = dimensions(Instance=f"i-{n % 3}", Colour="blue")
        datum = {"Values": values, "Timestamp": NOON + n, "Dimensions": named, "Unit": "Seconds"}
        world.put({**datum, "StorageResolution": 1})
    world.put({"Value": 9, "Timestamp": NOON})
    put_alarm(world, Tags=[{"Key": "Project", "Value": "shop"}])
    world.call("PutCompositeAlarm", AlarmName="page", AlarmRule="ALARM(high)")
    put(world, body())
    tick(world, NOON + 60)
    return world


def test_everything_comes_back(tmp_path: Path) -> None:
    before, after = full_world(), World(now=NOON + 63)
    snapshot.write([before.cloud], tmp_path / "cloudwatch")
    snapshot.read(tmp_path / "cloudwatch", lambda *_: after.cloud)
    assert len(after.cloud.metrics) == len(before.cloud.metrics) == 1001
    for statistic in ("p50", "p99.9", "Sum", "SampleCount"):
        named = dimensions(Instance="i-1", Colour="blue")
        here, there = (
            world.series(statistic, dimensions=named, start=NOON, end=NOON + HOUR, period=1)
            for world in (before, after)
        )
        assert here == there != {}
    for operation in ("DescribeAlarmHistory", "ListMetrics", "ListDashboards", "DescribeAlarms"):
        assert after.call(operation) == before.call(operation)
    arn = alarm(after)["AlarmArn"]
    assert after.call("ListTagsForResource", ResourceARN=arn) == before.call(
        "ListTagsForResource", ResourceARN=arn
    )


def test_life_goes_on_after_it(tmp_path: Path) -> None:
    """The states of alarms are restored, so no message is sent twice."""
    before, after = full_world(), World()
    snapshot.write([before.cloud], tmp_path / "cloudwatch")
    snapshot.read(tmp_path / "cloudwatch", lambda *_: after.cloud)
    tick(after, NOON + 61)
    assert (state(after), state(after, "page"), after.told) == ("ALARM", "ALARM", [])
    after.put({"Value": 1, "Timestamp": NOON + 60})
    tick(after, NOON + 120)
    assert (state(after), state(after, "page")) == ("OK", "OK")


def test_a_new_snapshot_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """A reader of the old file keeps all of it: the file is replaced, not overwritten."""
    world, path = full_world(), tmp_path / "cloudwatch"
    snapshot.write([world.cloud], path)
    before = path.read_bytes()
    with path.open("rb") as reading:
        world.put({"Value": 1})
        snapshot.write([world.cloud], path)
        assert reading.read() == before != path.read_bytes()


def test_nothing_is_a_snapshot_too(tmp_path: Path) -> None:
    snapshot.write([], tmp_path / "cloudwatch")
    snapshot.read(tmp_path / "cloudwatch", lambda *_: pytest.fail("there is no cloud in it"))


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", zlib.compress(b"nonsense"), zlib.compress(b'{"version": 99}\n'), None],
)
def test_what_is_no_snapshot_is_refused_and_changes_nothing(
    tmp_path: Path, content: bytes | None
) -> None:
    world = full_world()
    path = tmp_path / "cloudwatch"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SnapshotError, match=str(path)):
        snapshot.read(path, lambda *_: world.cloud)
    assert len(world.cloud.metrics) == 1001


def test_a_snapshot_cut_short_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    world, path = full_world(), tmp_path / "cloudwatch"
    snapshot.write([world.cloud], path)
    whole = zlib.decompress(path.read_bytes())
    path.write_bytes(zlib.compress(whole[:-8]))
    with pytest.raises(SnapshotError, match="cut short"):
        snapshot.read(path, lambda *_: world.cloud)
    assert len(world.cloud.metrics) == 1001


def test_a_crash_while_writing_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, path = full_world(), tmp_path / "cloudwatch"
    snapshot.write([world.cloud], path)
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    world.put({"Value": 1})
    with pytest.raises(OSError, match="disk full"):
        snapshot.write([world.cloud], path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["cloudwatch"]
