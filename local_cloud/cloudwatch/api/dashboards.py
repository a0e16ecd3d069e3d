"""The dashboard operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudwatch import paging
from local_cloud.cloudwatch.api.metrics import utc
from local_cloud.cloudwatch.errors import InvalidParameterValueError
from local_cloud.cloudwatch.service import CloudWatch

Parameters = Mapping[str, Any]
Result = dict[str, Any]
ON_A_PAGE = 1000
MOST_AT_ONCE = 100


def put_dashboard(cloud: CloudWatch, parameters: Parameters) -> Result:
    warnings = cloud.dashboards.put(
        parameters.get("DashboardName") or "", parameters.get("DashboardBody") or ""
    )
    messages = [{"DataPath": path, "Message": message} for path, message in warnings]
    return {"DashboardValidationMessages": messages}


def get_dashboard(cloud: CloudWatch, parameters: Parameters) -> Result:
    dashboard = cloud.dashboards.get(parameters.get("DashboardName") or "")
    return {
        "DashboardArn": cloud.dashboards.arn(dashboard.name),
        "DashboardBody": dashboard.body,
        "DashboardName": dashboard.name,
    }


def list_dashboards(cloud: CloudWatch, parameters: Parameters) -> Result:
    found = cloud.dashboards.all(parameters.get("DashboardNamePrefix") or "")
    here, token = paging.page_of(found, ON_A_PAGE, parameters.get("NextToken"))
    entries = [
        {
            "DashboardName": each.name,
            "DashboardArn": cloud.dashboards.arn(each.name),
            "LastModified": utc(each.modified),
            "Size": len(each.body.encode()),
        }
        for each in here
    ]
    return {"DashboardEntries": entries, "NextToken": token}


def delete_dashboards(cloud: CloudWatch, parameters: Parameters) -> Result:
    names = parameters.get("DashboardNames") or ()
    if not 0 < len(names) <= MOST_AT_ONCE:
        raise InvalidParameterValueError(
            f"DashboardNames must hold 1 to {MOST_AT_ONCE} names, not {len(names)}."
        )
    cloud.dashboards.delete(names)
    return {}
