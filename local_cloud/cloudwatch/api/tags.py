"""Tags of alarms. No other CloudWatch resource has tags here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudwatch.alarms.rule import ARN
from local_cloud.cloudwatch.alarms.state import Alarm
from local_cloud.cloudwatch.errors import InvalidParameterValueError, UnknownResourceError
from local_cloud.cloudwatch.service import CloudWatch

Parameters = Mapping[str, Any]
MOST_TAGS = 50


def tag_resource(cloud: CloudWatch, parameters: Parameters) -> dict[str, Any]:
    alarm = _alarm(cloud, parameters)
    tags = {**alarm.tags, **{each["Key"]: each["Value"] for each in parameters.get("Tags") or ()}}
    if len(tags) > MOST_TAGS:
        raise InvalidParameterValueError(f"A resource can have {MOST_TAGS} tags, not {len(tags)}.")
    alarm.tags = tags
    return {}


def untag_resource(cloud: CloudWatch, parameters: Parameters) -> dict[str, Any]:
    alarm, gone = _alarm(cloud, parameters), parameters.get("TagKeys") or ()
    alarm.tags = {key: value for key, value in alarm.tags.items() if key not in gone}
    return {}


def list_tags_for_resource(cloud: CloudWatch, parameters: Parameters) -> dict[str, Any]:
    tags = _alarm(cloud, parameters).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


def _alarm(cloud: CloudWatch, parameters: Parameters) -> Alarm:
    arn = parameters.get("ResourceARN") or ""
    found = ARN.fullmatch(arn)
    alarm = cloud.alarms.find(found[1]) if found else None
    if alarm is None:
        raise UnknownResourceError(f"There is no alarm {arn}.")
    return alarm
