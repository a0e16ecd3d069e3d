"""Every call of ``canary`` and of the programs on hosts is allowed to its own role.

The programs run here against moto, and botocore is asked which calls they make. A policy that is
too narrow fails on AWS alone, because no emulator checks the resources of a call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from alarm_recorder.recorder import Recorder, Settings
from botocore.client import BaseClient

from app.metrics.sink import cloudwatch as sink
from app.settings import Settings as ShopSettings
from tests.foreign.asked import refused
from tests.foreign.tap import Call, flat
from tests.support.canary_calls import use_everything
from tests.support.tables import make_table
from tests.unit.roles.inventories import ACCOUNT, Environment, use_account

pytestmark = pytest.mark.usefixtures("aws")
REGION = "eu-central-1"
Values = Any


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Values]:
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("calls")
        use_account(patch, directory)
        yield Environment("aws", directory).values("localhost")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The calls that any client of this process makes."""
    made: list[Call] = []
    real = BaseClient._make_api_call

    def record(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        named = flat(parameters)
        named["path"] = "/".join(("", named.get("Bucket", ""), named.get("Key", ""))).rstrip("/")
        service = client.meta.service_model.signing_name
        made.append(Call(service, operation, client.meta.region_name, 200, named))
        return real(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    return made


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def provision(values: Values) -> None:
    """Create the resources of a canary and of the hosts, as the role ``storage`` does."""
    dynamodb = boto3.resource("dynamodb", region_name=REGION)
    for each in values("storage_tables"):
        make_table(dynamodb, each["name"], each["key"], *([each["sort"]] if "sort" in each else []))
    where = {"LocationConstraint": REGION}
    client("s3").create_bucket(Bucket=values("release_bucket"), CreateBucketConfiguration=where)
    client("sns").create_topic(Name=values("event_topic_arn").rpartition(":")[2])
    client("sqs").create_queue(QueueName=values("event_queue_arn").rpartition(":")[2])
    client("ssm").put_parameter(Name=values("live_parameter"), Value="blue", Type="String")
    body = {"widgets": [{"type": "metric", "properties": {"title": "requests"}}]}
    name = f"{values('resource_prefix')}-release"
    client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))


def test_every_call_of_a_canary_is_allowed_to_release(calls: list[Call], values: Values) -> None:
    provision(values)
    calls.clear()
    use_everything(values)
    made = list(calls)
    named = {str(call) for call in made}
    assert {"dynamodb:PutItem", "s3:HeadObject", "sns:Publish", "monitoring:GetMetricData"} <= named
    assert {"monitoring:PutMetricData", "monitoring:PutDashboard"} <= named
    statements = values("bootstrap_statements")
    assert refused(made, statements["release"], ACCOUNT) == set()
    assert any("dynamodb:PutItem" in each for each in refused(made, statements["plan"], ACCOUNT))


def test_every_call_of_an_app_host_is_allowed_to_it(calls: list[Call], values: Values) -> None:
    settings = ShopSettings(metrics_namespace=values("metric_namespace"))
    sink(settings)._send(([{"MetricName": "requests", "Value": 1.0}], None))
    assert {str(call) for call in calls} == {"monitoring:PutMetricData"}
    rights = values("rights_statements")
    assert refused(calls, rights["app"], ACCOUNT) == set()
    assert refused(calls, rights["monitor"], ACCOUNT) == set()
    assert refused(calls, rights["data"], ACCOUNT) != set()


def test_every_call_of_the_alarm_recorder_is_allowed_to_the_monitor(
    calls: list[Call], values: Values
) -> None:
    provision(values)
    change = {"AlarmName": "a", "NewStateValue": "ALARM", "OldStateValue": "OK"}
    change |= {"NewStateReason": "why", "StateChangeTime": "2026-11-26T11:00:20.000+0000"}
    told = {
        "MessageId": "m",
        "Timestamp": "2026-11-26T11:00:21.123Z",
        "Message": json.dumps(change),
    }
    queue = boto3.resource("sqs", region_name=REGION).get_queue_by_name(
        QueueName=values("event_queue_arn").rpartition(":")[2]
    )
    queue.send_message(MessageBody=json.dumps(told))
    table = boto3.resource("dynamodb", region_name=REGION).Table(values("alarm_table"))
    calls.clear()
    settings = Settings("aws", "events", {"alarms": values("alarm_table")})
    assert Recorder(settings, queue, {"alarms": table}).take() == 1
    assert {str(call) for call in calls} == {
        *("sqs:ReceiveMessage", "sqs:DeleteMessageBatch", "dynamodb:PutItem"),
    }
    rights = values("rights_statements")
    assert refused(calls, rights["monitor"], ACCOUNT) == set()
    assert len(refused(calls, rights["app"], ACCOUNT)) == len(calls)


@pytest.mark.parametrize("name", ["backups/shop.dump", "backups/2026/shop.dump"])
def test_a_backup_is_stored_and_read_by_the_data_host_alone(
    calls: list[Call], values: Values, name: str
) -> None:
    provision(values)
    calls.clear()
    bucket = values("release_bucket")
    client("s3").put_object(Bucket=bucket, Key=name, Body=b"x")
    client("s3").get_object(Bucket=bucket, Key=name)
    rights = values("rights_statements")
    assert refused(calls, rights["data"], ACCOUNT) == set()
    assert len(refused(calls, rights["app"], ACCOUNT)) == 2
