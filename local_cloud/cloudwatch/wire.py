"""The connection to moto: its wire protocols for our operations, its SNS for our messages.

It needs exactly moto 5.2.5. ``tests/processes/test_cloudwatch_pin.py`` tests what it relies on:

* ``moto.cloudwatch.urls.url_paths`` is read at the first call of a service, so replacing its one
  entry before that replaces the service.
* moto calls the method with the name of the operation in snake case. The code uses ``_get_action``,
  ``body``, ``params``, ``serialized`` and ``determine_response_protocol`` of ``BaseResponse``.
* ``sns_backends[account][region].publish`` delivers to the topic's subscriptions.
* ``cloudwatch_backends[account][region]`` is cleared by moto's reset, so our state is attached to
  it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from threading import Lock
from typing import Any

from botocore.utils import parse_timestamp
from moto.cloudwatch import urls
from moto.cloudwatch.exceptions import CloudWatchException
from moto.cloudwatch.models import cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.parse import QueryParser
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.sns.models import sns_backends

from local_cloud.cloudwatch.alarms.book import Publish
from local_cloud.cloudwatch.api import OPERATIONS, Operation
from local_cloud.cloudwatch.errors import CloudWatchError, DashboardInvalidInputError
from local_cloud.cloudwatch.service import CloudWatch

OURS = "local_cloud"  # the attribute of moto's backend with our state
JSON = "application/x-amz-json-1.0"
MAKING = Lock()  # two simultaneous first requests must get the same CloudWatch

Make = Callable[[str, str], CloudWatch]


def route(make: Make) -> None:
    """Make moto's server use our CloudWatch operations from now on."""

    class LocalResponses(_Responses):
        pass

    LocalResponses.make = staticmethod(make)
    for name, operation in OPERATIONS.items():
        setattr(LocalResponses, camelcase_to_underscores(name), _method(operation))
    urls.url_paths["{0}/$"] = LocalResponses.dispatch


def clouds() -> Iterator[CloudWatch]:
    """Return CloudWatch of each account and region that is in use."""
    for regions in list(cloudwatch_backends.values()):
        for backend in list(regions.values()):
            if hasattr(backend, OURS):
                yield getattr(backend, OURS)


def cloud(account: str, region: str, make: Make) -> CloudWatch:
    """Return CloudWatch of an account and region; create it at the first call."""
    backend = cloudwatch_backends[account][region]
    with MAKING:
        if not hasattr(backend, OURS):
            setattr(backend, OURS, make(account, region))
    found: CloudWatch = getattr(backend, OURS)
    return found


def publisher(account: str, region: str) -> Publish:
    """Return the function that publishes to topics; the ARN of a topic names its region."""

    def publish(arn: str, subject: str, message: str) -> None:
        where = arn.split(":")[3] or region
        sns_backends[account][where].publish(message, arn=arn, subject=subject)

    return publish


class _Responses(CloudWatchResponse):
    """moto's responses with plain dictionaries as parameters, and times in seconds."""

    make: Make

    def parse_parameters(self, request: Any) -> None:
        if self.headers.get("Content-Type", "").startswith(JSON):
            self.params = json.loads(self.body or "{}")
            return
        model = get_service_model("cloudwatch").operation_model(self._get_action())
        parser = QueryParser(model, timestamp_parser=_seconds)
        self.params = parser.parse({"values": request.values})  # type: ignore[typeddict-item]

    def serialized(self, action_result: ActionResult) -> Any:
        """Serialize JSON directly, ten times as fast: our results already use the model names."""
        if (
            isinstance(action_result.result, Exception)
            or self.headers.get("Content-Type", "") != JSON
        ):
            return super().serialized(action_result)
        body = json.dumps(action_result.result or {}, default=datetime.timestamp)
        return 200, {"Content-Type": JSON, **self.response_headers}, body


def _seconds(text: str) -> float:
    return float(parse_timestamp(text).timestamp())


def _method(operation: Operation) -> Callable[[_Responses], ActionResult]:
    def method(self: _Responses) -> ActionResult:
        where = cloud(self.current_account, self.region, self.make)
        try:
            result = operation(where, self.params)
        except CloudWatchError as error:
            raise _as_moto(error) from error
        return ActionResult(None if result is None else _without_none(result))

    return method


def _without_none(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if value is not None}


def _as_moto(error: CloudWatchError) -> CloudWatchException:
    exception = CloudWatchException(error.code, error.message)
    if isinstance(error, DashboardInvalidInputError):
        faults = [{"DataPath": path, "Message": message} for path, message in error.faults]
        setattr(exception, "dashboardValidationMessages", faults)  # noqa: B010 - a model's member
    return exception
