"""The operations of the CloudWatch API: parameters in, result out, both named as in its model.

Times come in as seconds since the epoch and go out as aware datetimes. A result is None where
the API answers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.cloudwatch.api import metrics
from local_cloud.cloudwatch.service import CloudWatch

Operation = Callable[[CloudWatch, Mapping[str, Any]], dict[str, Any] | None]

OPERATIONS: Mapping[str, Operation] = {
    "PutMetricData": metrics.put_metric_data,
    "GetMetricData": metrics.get_metric_data,
    "GetMetricStatistics": metrics.get_metric_statistics,
    "ListMetrics": metrics.list_metrics,
}
