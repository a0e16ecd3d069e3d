"""The JSON message that AWS sends to SNS when an alarm changes state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader

from local_cloud.cloudwatch.alarms.condition import StateValue
from local_cloud.cloudwatch.alarms.definition import period_of
from local_cloud.cloudwatch.alarms.reasons import stamp
from local_cloud.cloudwatch.alarms.state import Alarm

LONGEST_SUBJECT = 100


@lru_cache
def region_name(region: str) -> str:
    """Return the name of a region as alarm messages spell it.

    >>> region_name("eu-central-1")
    'EU (Frankfurt)'
    """
    for partition in Loader().load_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"]).replace("Europe (", "EU (")
    return region


def subject(alarm: Alarm, region: str) -> str:
    return f'{alarm.state.value}: "{alarm.name}" in {region_name(region)}'[:LONGEST_SUBJECT]


def message(alarm: Alarm, old: StateValue, *, account: str, region: str) -> str:
    """Return the message for the new state of an alarm."""
    told = alarm.parameters
    body = {
        "AlarmName": alarm.name,
        "AlarmDescription": told.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.updated),
        "NewStateValue": alarm.state.value,
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": stamp(alarm.state.transitioned),
        "Region": region_name(region),
        "AlarmArn": alarm.arn,
        "OldStateValue": old,
        "OKActions": told.get("OKActions") or [],
        "AlarmActions": told.get("AlarmActions") or [],
        "InsufficientDataActions": told.get("InsufficientDataActions") or [],
    }
    if alarm.composite:
        told_of = {"AlarmRule": told["AlarmRule"], "TriggeringChildren": _children(alarm)}
        return json.dumps({**body, **told_of})
    return json.dumps({**body, "Trigger": _trigger(told)})


def _children(alarm: Alarm) -> list[dict[str, Any]]:
    data = json.loads(alarm.state.reason_data or "{}")
    return [
        {
            "Arn": child["arn"],
            "State": {"Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"]},
        }
        for child in data.get("triggeringAlarms", ())
    ]


def _trigger(told: Mapping[str, Any]) -> dict[str, Any]:
    condition = {
        "Period": period_of(told),
        "EvaluationPeriods": told["EvaluationPeriods"],
        **(
            {"DatapointsToAlarm": told["DatapointsToAlarm"]}
            if told.get("DatapointsToAlarm")
            else {}
        ),
        "ComparisonOperator": told["ComparisonOperator"],
        "Threshold": told["Threshold"],
        "TreatMissingData": told.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": told.get("EvaluateLowSampleCountPercentile") or "",
    }
    if told.get("Metrics"):
        return {**condition, "Metrics": told["Metrics"]}
    statistic = told.get("Statistic")
    return {
        "MetricName": told["MetricName"],
        "Namespace": told["Namespace"],
        "StatisticType": "Statistic" if statistic else "ExtendedStatistic",
        **({"Statistic": _spelt(statistic)} if statistic else {}),
        **({} if statistic else {"ExtendedStatistic": told["ExtendedStatistic"]}),
        "Unit": told.get("Unit"),
        "Dimensions": [
            {"value": each["Value"], "name": each["Name"]} for each in told.get("Dimensions") or ()
        ],
        **condition,
    }


def _spelt(statistic: str) -> str:
    """Return a statistic as messages spell it: AVERAGE, SAMPLE_COUNT."""
    return "SAMPLE_COUNT" if statistic == "SampleCount" else statistic.upper()
