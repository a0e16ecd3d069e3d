"""The internals of moto that we use exist in the pinned version.

When moto is updated, this fails first: check ``wire.py``, run the other tests, then raise the pin.
"""

from __future__ import annotations

import importlib.metadata
import inspect

import pytest
from moto.cloudwatch import urls
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.parse import QueryParser
from moto.core.responses import BaseResponse
from moto.sns.models import SNSBackend


def test_moto_is_the_version_pinned() -> None:
    assert importlib.metadata.version("moto") == "5.2.5"


def test_cloudwatch_has_the_one_url_that_is_replaced() -> None:
    assert list(urls.url_paths) == ["{0}/$"]


@pytest.mark.parametrize("name", ["parse_parameters", "serialized", "_get_action", "call_action"])
def test_responses_have_the_methods_that_are_used(name: str) -> None:
    assert callable(getattr(CloudWatchResponse, name))
    assert callable(getattr(BaseResponse, name))


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (SNSBackend.publish, {"message", "arn", "subject"}),
        (QueryParser.__init__, {"operation_model", "timestamp_parser"}),
    ],
)
def test_functions_take_what_they_are_given(function: object, parameters: set[str]) -> None:
    assert callable(function)
    assert parameters <= set(inspect.signature(function).parameters)
