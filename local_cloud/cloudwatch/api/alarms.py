"""The alarm operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_cloud.cloudwatch import answers, paging
from local_cloud.cloudwatch.alarms import rule
from local_cloud.cloudwatch.alarms.condition import StateValue
from local_cloud.cloudwatch.alarms.definition import ACTIONS, check_metric_alarm, queries_of
from local_cloud.cloudwatch.alarms.history import Item
from local_cloud.cloudwatch.alarms.state import Alarm
from local_cloud.cloudwatch.api.metrics import utc
from local_cloud.cloudwatch.errors import InvalidFormatError, ValidationError
from local_cloud.cloudwatch.service import CloudWatch
from local_cloud.cloudwatch.store import Span

Parameters = Mapping[str, Any]
Result = dict[str, Any]
MOST_RECORDS = 100


def put_metric_alarm(cloud: CloudWatch, parameters: Parameters) -> None:
    check_metric_alarm(parameters)
    # An empty span of time: this rejects expressions that can never be computed.
    answers.answer(cloud.metrics, queries_of(parameters), Span(0, 0))
    cloud.alarms.put_metric_alarm(parameters)


def put_composite_alarm(cloud: CloudWatch, parameters: Parameters) -> None:
    cloud.alarms.put_composite_alarm(parameters)


def delete_alarms(cloud: CloudWatch, parameters: Parameters) -> None:
    names = parameters.get("AlarmNames") or ()
    if len(names) > MOST_RECORDS:
        raise ValidationError(
            f"The collection AlarmNames must not have a size greater than {MOST_RECORDS}."
        )
    cloud.alarms.delete(names)


def enable_alarm_actions(cloud: CloudWatch, parameters: Parameters) -> None:
    cloud.alarms.enable_actions(parameters.get("AlarmNames") or (), enabled=True)


def disable_alarm_actions(cloud: CloudWatch, parameters: Parameters) -> None:
    cloud.alarms.enable_actions(parameters.get("AlarmNames") or (), enabled=False)


def set_alarm_state(cloud: CloudWatch, parameters: Parameters) -> None:
    alarm = cloud.alarms.get(parameters.get("AlarmName") or "")
    value = parameters.get("StateValue")
    if value not in tuple(StateValue):
        raise ValidationError(
            f"The value {value} for StateValue must be one of {', '.join(StateValue)}."
        )
    data = parameters.get("StateReasonData")
    if data is not None and not paging.is_json(data):
        raise InvalidFormatError("StateReasonData was not valid JSON")
    cloud.alarms.set_state(alarm, StateValue(value), parameters.get("StateReason") or "", data)


def describe_alarms(cloud: CloudWatch, parameters: Parameters) -> Result:
    types = parameters.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        alarm
        for alarm in _related(cloud, parameters)
        if ("CompositeAlarm" if alarm.composite else "MetricAlarm") in types
        or parameters.get("ChildrenOfAlarmName")
        or parameters.get("ParentsOfAlarmName")
    ]
    chosen = [alarm for alarm in found if _is_wanted(alarm, parameters)]
    here, token = paging.page_of(chosen, _limit(parameters), parameters.get("NextToken"))
    return {
        "MetricAlarms": [describe(alarm) for alarm in here if not alarm.composite],
        "CompositeAlarms": [describe(alarm) for alarm in here if alarm.composite],
        "NextToken": token,
    }


def _related(cloud: CloudWatch, parameters: Parameters) -> list[Alarm]:
    """Return the children or the parents of an alarm, or all alarms."""
    if parent := parameters.get("ChildrenOfAlarmName"):
        children = _children(cloud.alarms.get(parent))
        return [alarm for alarm in cloud.alarms.all() if alarm.name in children]
    if child := parameters.get("ParentsOfAlarmName"):
        return [alarm for alarm in cloud.alarms.all() if child in _children(alarm)]
    return cloud.alarms.all()


def _children(alarm: Alarm) -> tuple[str, ...]:
    return rule.parse(alarm.parameters["AlarmRule"]).children if alarm.composite else ()


def _is_wanted(alarm: Alarm, parameters: Parameters) -> bool:
    names, prefix = parameters.get("AlarmNames"), parameters.get("AlarmNamePrefix")
    if names and prefix:
        raise ValidationError("AlarmNamePrefix and AlarmNames must not be specified together.")
    action = parameters.get("ActionPrefix")
    return (
        (not names or alarm.name in names)
        and alarm.name.startswith(prefix or "")
        and parameters.get("StateValue") in (None, alarm.state.value)
        and (not action or any(each.startswith(action) for each in _actions(alarm)))
    )


def _actions(alarm: Alarm) -> Iterator[str]:
    return (action for kind in ACTIONS for action in alarm.parameters.get(kind) or ())


def _limit(parameters: Parameters) -> int:
    limit = int(parameters.get("MaxRecords") or MOST_RECORDS)
    if not 1 <= limit <= MOST_RECORDS:
        raise ValidationError(f"MaxRecords must be 1 to {MOST_RECORDS}, not {limit}.")
    return limit


def describe(alarm: Alarm) -> Result:
    """Return an alarm as the API describes it: its parameters and its state."""
    state = alarm.state
    return {
        **{name: [] for name in ACTIONS},
        **({} if alarm.composite else {"Dimensions": []}),
        "ActionsEnabled": True,
        **{name: value for name, value in alarm.parameters.items() if value is not None},
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": utc(alarm.updated),
        "StateValue": state.value,
        "StateReason": state.reason,
        **({"StateReasonData": state.reason_data} if state.reason_data else {}),
        "StateUpdatedTimestamp": utc(state.updated),
        "StateTransitionedTimestamp": utc(state.transitioned),
    }


def describe_alarms_for_metric(cloud: CloudWatch, parameters: Parameters) -> Result:
    """Return the alarms on exactly this metric, without metric math and composite alarms."""
    dimensions = _sorted(parameters)
    asked = ("MetricName", "Namespace")
    refined = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    found = [
        describe(alarm)
        for alarm in cloud.alarms.all()
        if not alarm.composite
        and all(alarm.parameters.get(name) == parameters.get(name) for name in asked)
        and all(parameters.get(name) in (None, alarm.parameters.get(name)) for name in refined)
        and _sorted(alarm.parameters) == dimensions
    ]
    return {"MetricAlarms": found}


def _sorted(parameters: Parameters) -> list[tuple[str, str]]:
    return sorted((each["Name"], each["Value"]) for each in parameters.get("Dimensions") or ())


def describe_alarm_history(cloud: CloudWatch, parameters: Parameters) -> Result:
    newest_first = parameters.get("ScanBy") != "TimestampAscending"
    found = [item for item in cloud.alarms.history.items() if _is_item_wanted(item, parameters)]
    ordered = found[::-1] if newest_first else found
    here, token = paging.page_of(ordered, _limit(parameters), parameters.get("NextToken"))
    items = [
        {
            "AlarmName": item.alarm,
            "AlarmType": "CompositeAlarm" if item.composite else "MetricAlarm",
            "Timestamp": utc(item.time),
            "HistoryItemType": item.kind,
            "HistorySummary": item.summary,
            "HistoryData": item.data,
        }
        for item in here
    ]
    return {"AlarmHistoryItems": items, "NextToken": token}


def _is_item_wanted(item: Item, parameters: Parameters) -> bool:
    types = parameters.get("AlarmTypes") or ["MetricAlarm"]
    start, end = parameters.get("StartDate"), parameters.get("EndDate")
    return (
        parameters.get("AlarmName") in (None, item.alarm)
        and ("CompositeAlarm" if item.composite else "MetricAlarm") in types
        and parameters.get("HistoryItemType") in (None, item.kind)
        and (start is None or item.time >= start)
        and (end is None or item.time <= end)
    )
