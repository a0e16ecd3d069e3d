"""CloudWatch's state after restarts and after moto's reset."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.request import Request, urlopen

from tests.support.cloudwatch_client import client, publish, running
from tests.support.waiting import wait_for


def test_state_survives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "cloudwatch"
    with running(state) as address:
        cloudwatch = client(address)
        publish(cloudwatch, "kept", {"Value": 7.0, "Timestamp": time.time() - 5})
        cloudwatch.put_dashboard(DashboardName="shop", DashboardBody='{"widgets": []}')
        cloudwatch.put_composite_alarm(AlarmName="always", AlarmRule="TRUE")
        wanted = {"AlarmTypes": ["CompositeAlarm"], "StateValue": "ALARM"}
        wait_for(lambda: cloudwatch.describe_alarms(**wanted)["CompositeAlarms"], "the alarm")
    with running(state) as address:
        cloudwatch = client(address)
        (alarm,) = cloudwatch.describe_alarms(**wanted)["CompositeAlarms"]
        assert alarm["AlarmName"] == "always"
        assert [each["MetricName"] for each in cloudwatch.list_metrics()["Metrics"]] == ["kept"]
        assert cloudwatch.get_dashboard(DashboardName="shop")["DashboardBody"] == '{"widgets": []}'


def test_motos_reset_empties_ours(tmp_path: Path) -> None:
    with running(tmp_path / "cloudwatch") as address:
        cloudwatch = client(address)
        publish(cloudwatch, "gone", {"Value": 7.0})
        cloudwatch.put_dashboard(DashboardName="shop", DashboardBody='{"widgets": []}')
        with urlopen(Request(f"{address}/moto-api/reset", method="POST")) as answer:  # noqa: S310
            assert answer.status == 200
        assert cloudwatch.list_metrics()["Metrics"] == []
        assert cloudwatch.list_dashboards()["DashboardEntries"] == []
