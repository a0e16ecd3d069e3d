"""The operations of the CloudWatch API. Parameters and results have the names of its model.

Input times are seconds since the epoch; output times are aware datetimes. A result is None if the
API returns nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.cloudwatch.api import alarms, dashboards, metrics, tags
from local_cloud.cloudwatch.service import CloudWatch

Operation = Callable[[CloudWatch, Mapping[str, Any]], dict[str, Any] | None]

OPERATIONS: Mapping[str, Operation] = {
    "PutMetricData": metrics.put_metric_data,
    "GetMetricData": metrics.get_metric_data,
    "GetMetricStatistics": metrics.get_metric_statistics,
    "ListMetrics": metrics.list_metrics,
    "PutMetricAlarm": alarms.put_metric_alarm,
    "PutCompositeAlarm": alarms.put_composite_alarm,
    "DeleteAlarms": alarms.delete_alarms,
    "DescribeAlarms": alarms.describe_alarms,
    "DescribeAlarmsForMetric": alarms.describe_alarms_for_metric,
    "DescribeAlarmHistory": alarms.describe_alarm_history,
    "SetAlarmState": alarms.set_alarm_state,
    "EnableAlarmActions": alarms.enable_alarm_actions,
    "DisableAlarmActions": alarms.disable_alarm_actions,
    "PutDashboard": dashboards.put_dashboard,
    "GetDashboard": dashboards.get_dashboard,
    "ListDashboards": dashboards.list_dashboards,
    "DeleteDashboards": dashboards.delete_dashboards,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
}
