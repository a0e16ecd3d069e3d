"""Everything that ``canary`` reads and writes in AWS, with the credentials of the environment."""

from __future__ import annotations

from typing import Any

import boto3

from canary.environment import AwsStateSettings, CloudWatchSource, parse_environment
from canary.model import Arm, Release
from canary.sources.base import Query
from canary.sources.cloudwatch import CloudWatch
from canary.state.aws import AwsState
from canary.state.base import Holder, Live, Row
from canary.state.board import CloudWatchBoard

NOW = 1_800_000_000.0


def use_everything(values: Any) -> None:
    """Make each kind of call once. ``values`` are the variables of the inventory."""
    environment = parse_environment(values("canary_environment"))
    assert isinstance(environment.state, AwsStateSettings)
    assert isinstance(environment.source, CloudWatchSource)
    assert environment.dashboard is not None
    memory = AwsState(environment.state, environment)
    row = Row("c1", NOW, NOW + 90, "PASS", 0, "v1 a", "v2 b", "green", "me", "no harm")
    use_state(memory, row)
    source = CloudWatch(environment.source, environment, 10)
    source.instances("blue")
    source.instances("blue", (int(NOW), int(NOW) + 60))
    arms = {Arm.BASELINE: Release("live", "", "blue", ("i-1",))}
    source.read([Query("requests", "requests", "Sum")], arms, int(NOW), int(NOW) + 60)
    board = CloudWatchBoard(environment.dashboard, environment)
    board._send()
    board._waiting = [{"MetricName": "weight", "Value": 5.0}]
    board._send()
    board.mark([row])
    alarms = [values("bake_alarms")[0]]
    boto3.client("cloudwatch", region_name=environment.region).describe_alarms(AlarmNames=alarms)


def use_state(memory: AwsState, row: Row) -> None:
    mine = Holder("c1", "me@here", NOW, NOW + 60)
    assert memory.take(mine, None)
    memory.renew(mine)
    assert memory.holder() is not None
    memory.set_live(Live("green", "1a2b3c4d5e6f"))
    assert memory.live().colour == "green"
    memory.remember(row)
    assert memory.history(2) == [row]
    assert memory.alarm_changes(2) == []
    memory.announce("verdict", {"verdict": "PASS"})
    assert memory.find("releases/1a2b3c4d5e6f.tar.gz") is None
    memory.store("canaries/c1/report.json", b"{}", {})
    assert memory.fetch("canaries/c1/report.json") == b"{}"
    memory.free(mine)
