"""Everything that touches moto: its wire protocols carry our operations, its SNS our messages.

moto 5.2.5, exactly; ``tests/processes/test_cloudwatch_pin.py`` names what is relied on:

* ``moto.cloudwatch.urls.url_paths`` is read when a service is first called, so replacing its
  one entry before that replaces the service.
* A method named as the operation in snake case is called; ``_get_action``, ``body``,
  ``params``, ``serialized`` and ``determine_response_protocol`` of ``BaseResponse``.
* ``sns_backends[account][region].publish`` delivers to the topic's subscriptions.
* ``cloudwatch_backends[account][region]`` is emptied by moto's reset, which is why our state
  hangs on it.
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

OURS = "local_cloud"  # the attribute of moto's backend that holds our state
JSON = "application/x-amz-json-1.0"
MAKING = Lock()  # two first requests at once must meet in one CloudWatch

Make = Callable[[str, str], CloudWatch]


def route(make: Make) -> None:
    """Let moto's server answer CloudWatch with our operations from now on."""

    class LocalResponses(_Responses):
        pass

    LocalResponses.make = staticmethod(make)
    for name, operation in OPERATIONS.items():
        setattr(LocalResponses, camelcase_to_underscores(name), _method(operation))
    urls.url_paths["{0}/$"] = LocalResponses.dispatch


def clouds() -> Iterator[CloudWatch]:
    """Return CloudWatch of each account and region that was called so far."""
    for regions in list(cloudwatch_backends.values()):
        for backend in list(regions.values()):
            if hasattr(backend, OURS):
                yield getattr(backend, OURS)


def cloud(account: str, region: str, make: Make) -> CloudWatch:
    """Return CloudWatch of an account and region, made when it is first called."""
    backend = cloudwatch_backends[account][region]
    with MAKING:
        if not hasattr(backend, OURS):
            setattr(backend, OURS, make(account, region))
    found: CloudWatch = getattr(backend, OURS)
    return found


def publisher(account: str, region: str) -> Publish:
    """Return what tells topics of an account and region; topics are found by their own region."""

    def publish(arn: str, subject: str, message: str) -> None:
        where = arn.split(":")[3] or region
        sns_backends[account][where].publish(message, arn=arn, subject=subject)

    return publish


class _Responses(CloudWatchResponse):
    """moto's responses, with our parameters: plain dictionaries, times in seconds."""

    make: Make

    def parse_parameters(self, request: Any) -> None:
        if self.headers.get("Content-Type", "").startswith(JSON):
            self.params = json.loads(self.body or "{}")
            return
        model = get_service_model("cloudwatch").operation_model(self._get_action())
        parser = QueryParser(model, timestamp_parser=_seconds)
        self.params = parser.parse({"values": request.values})  # type: ignore[typeddict-item]

    def serialized(self, action_result: ActionResult) -> Any:
        """Write JSON ourselves: our results have the model's names already. Ten times as fast."""
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
