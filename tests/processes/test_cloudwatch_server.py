"""CloudWatch as a client sees it: a real server process, used by boto3 and directly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError

from tests.support.cloudwatch_client import KEYS, REGION, SHOP, client, publish, query, running
from tests.support.waiting import wait_for

MINUTE = 60


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("cloudwatch") / "state") as found:
        yield found


@pytest.fixture
def cloudwatch(address: str) -> Any:
    return client(address)


def test_percentiles_and_math_over_the_wire(cloudwatch: Any) -> None:
    start = time.time() // MINUTE * MINUTE - 5 * MINUTE
    values = [float(n) for n in range(1, 101)]
    publish(cloudwatch, "latency", {"Values": values, "Timestamp": start, "Unit": "Milliseconds"})
    publish(cloudwatch, "requests", {"Value": 50.0, "Timestamp": start + 1})
    asked = [
        query("p50", "p50", "latency"),
        query("tm99", "tm99", "latency"),
        query("rank", "PR(:25)", "latency"),
        query("requests", "Sum", "requests"),
        {"Id": "per_request", "Expression": "p50 / requests"},
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=asked, StartTime=start, EndTime=start + MINUTE
    )
    found = {each["Id"]: each for each in answer["MetricDataResults"]}
    assert {id_: each["Values"] for id_, each in found.items()} == {
        "p50": [50.0],
        "tm99": [50.0],
        "rank": [25.0],
        "requests": [50.0],
        "per_request": [1.0],
    }
    assert found["p50"]["Timestamps"][0].timestamp() == start
    assert found["p50"]["StatusCode"] == "Complete"


def test_boto3s_own_paginator_goes_through_every_page(cloudwatch: Any) -> None:
    start = time.time() // MINUTE * MINUTE - 5 * MINUTE
    publish(cloudwatch, "paged", *({"Value": n, "Timestamp": start + n} for n in range(50)))
    pages = list(
        cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[query("q", "Sum", "paged", period=1)],
            StartTime=start,
            EndTime=start + MINUTE,
            ScanBy="TimestampAscending",
            MaxDatapoints=20,
        )
    )
    values = [page["MetricDataResults"][0]["Values"] for page in pages]
    assert [len(each) for each in values] == [20, 20, 10]
    assert [value for each in values for value in each] == [float(n) for n in range(50)]
    codes = [page["MetricDataResults"][0]["StatusCode"] for page in pages]
    assert codes == ["PartialData", "PartialData", "Complete"]


def test_large_requests_come_compressed(cloudwatch: Any) -> None:
    """Botocore compresses PutMetricData from 10 KiB on."""
    start = time.time() // MINUTE * MINUTE - 5 * MINUTE
    data = [{"Values": [float(n) for n in range(150)], "Timestamp": start}] * 100
    publish(cloudwatch, "many", *data)
    answer = cloudwatch.get_metric_statistics(
        Namespace=SHOP,
        MetricName="many",
        StartTime=start,
        EndTime=start + MINUTE,
        Period=60,
        Statistics=["SampleCount"],
    )
    assert answer["Datapoints"][0]["SampleCount"] == 15_000.0


@pytest.mark.parametrize(
    ("operation", "parameters", "code", "status"),
    [
        (
            "put_metric_data",
            {"Namespace": "AWS/EC2", "MetricData": [{"MetricName": "m", "Value": 1.0}]},
            "InvalidParameterValue",
            400,
        ),
        (
            "put_metric_data",
            {"Namespace": SHOP, "MetricData": [{"MetricName": "m", "Value": float("nan")}]},
            "InvalidParameterValue",
            400,
        ),
        (
            "put_metric_data",
            {"Namespace": SHOP, "MetricData": [{"MetricName": "m"}]},
            "InvalidParameterCombination",
            400,
        ),
        (
            "get_metric_data",
            {"MetricDataQueries": [query("q", "p101", "m")], "StartTime": 0, "EndTime": 60},
            "ValidationError",
            400,
        ),
        (
            "get_metric_data",
            {
                "MetricDataQueries": [query("q", "Sum", "m")],
                "StartTime": 0,
                "EndTime": 60,
                "NextToken": "nonsense",
            },
            "InvalidNextToken",
            400,
        ),
        ("get_dashboard", {"DashboardName": "nobody"}, "ResourceNotFound", 404),
        ("delete_alarms", {"AlarmNames": ["nobody"]}, "ResourceNotFound", 404),
        (
            "list_tags_for_resource",
            {"ResourceARN": "arn:aws:cloudwatch:eu-central-1:1:alarm:nobody"},
            "ResourceNotFoundException",
            404,
        ),
        ("put_composite_alarm", {"AlarmName": "a", "AlarmRule": "?"}, "ValidationError", 400),
    ],
)
def test_refusals_have_awss_codes(
    cloudwatch: Any, operation: str, parameters: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(cloudwatch, operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert refused.value.response["Error"]["Message"]


def test_a_dashboards_faults_are_listed(cloudwatch: Any) -> None:
    bad = json.dumps({"widgets": [{"type": "cake", "properties": {}}]})
    with pytest.raises(cloudwatch.exceptions.DashboardInvalidInputError) as refused:
        cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=bad)
    (fault,) = refused.value.response["dashboardValidationMessages"]
    assert fault["DataPath"] == "/widgets/0/type"


def test_an_alarm_reaches_a_queue_through_its_topic(address: str, cloudwatch: Any) -> None:
    sns, sqs = client(address, "sns"), client(address, "sqs")
    topic = sns.create_topic(Name="shop-local-events")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    endpoint = attributes["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint)
    now = time.time()
    publish(cloudwatch, "carts", *({"Value": 6, "Timestamp": now - ago} for ago in (15, 25, 35)))
    cloudwatch.put_metric_alarm(
        AlarmName="carts",
        Namespace=SHOP,
        MetricName="carts",
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=3,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    asked = {"QueueUrl": queue, "WaitTimeSeconds": 1}
    (received,) = wait_for(lambda: sqs.receive_message(**asked).get("Messages"), "a message")
    envelope = json.loads(received["Body"])
    message = json.loads(envelope["Message"])
    assert envelope["Subject"] == 'ALARM: "carts" in EU (Frankfurt)'
    assert (message["OldStateValue"], message["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["carts"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    assert alarm["StateTransitionedTimestamp"].timestamp() >= now
    history = cloudwatch.describe_alarm_history(AlarmName="carts")["AlarmHistoryItems"]
    kinds = [item["HistoryItemType"] for item in history]
    assert kinds == ["Action", "StateUpdate", "ConfigurationUpdate"]


def by_query(address: str, **parameters: str) -> ElementTree.Element:
    """Call with the older query protocol (form in, XML out), as other SDKs do."""
    scope = f"Credential={KEYS['aws_access_key_id']}/20261121/{REGION}/monitoring/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    }
    body = urlencode({**parameters, "Version": "2010-08-01"}).encode()
    with urlopen(Request(address, data=body, headers=headers)) as answer:  # noqa: S310 - loopback
        return ElementTree.fromstring(answer.read())  # noqa: S314 - our own server's


def test_the_query_protocol_is_answered_too(address: str) -> None:
    start = int(time.time() // MINUTE * MINUTE - 5 * MINUTE)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + MINUTE))
    by_query(
        address,
        **{
            "Action": "PutMetricData",
            "Namespace": SHOP,
            "MetricData.member.1.MetricName": "queried",
            "MetricData.member.1.Values.member.1": "1.5",
            "MetricData.member.1.Values.member.2": "2.5",
            "MetricData.member.1.Timestamp": stamp,
        },
    )
    answer = by_query(
        address,
        **{
            "Action": "GetMetricData",
            "StartTime": stamp,
            "EndTime": end,
            "MetricDataQueries.member.1.Id": "q",
            "MetricDataQueries.member.1.MetricStat.Metric.Namespace": SHOP,
            "MetricDataQueries.member.1.MetricStat.Metric.MetricName": "queried",
            "MetricDataQueries.member.1.MetricStat.Period": "60",
            "MetricDataQueries.member.1.MetricStat.Stat": "p99",
        },
    )
    texts = {element.tag.rpartition("}")[2]: element.text for element in answer.iter()}
    assert texts["StatusCode"] == "Complete"
    members = [each.text for each in answer.iter() if each.tag.endswith("member")]
    assert stamp in members
    assert "2.5" in members
