"""The errors of the CloudWatch API as one tree; ``code`` is the error code of AWS.

CloudWatchError ├── InvalidParameterValueError a value is out of its range ├──
InvalidParameterCombinationError two parameters exclude or require each other ├──
MissingParameterError a required parameter was left out ├── ValidationError GetMetricData and
PutMetricAlarm use it for all of these ├── InvalidNextTokenError a page token that this service did
not issue ├── InvalidFormatError a text that should be JSON is not ├── ResourceNotFoundError no
alarm or dashboard of that name ├── UnknownResourceError no resource of that ARN (tag operations)
└── DashboardInvalidInputError an invalid dashboard body, with the list of errors
"""

from __future__ import annotations


class CloudWatchError(Exception):
    """An error of the caller, with the message that AWS uses."""

    code = "InternalServiceError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameterValueError(CloudWatchError):
    """A value is out of its range."""

    code = "InvalidParameterValue"


class InvalidParameterCombinationError(CloudWatchError):
    """Two parameters exclude or require each other."""

    code = "InvalidParameterCombination"


class MissingParameterError(CloudWatchError):
    """A required parameter was left out."""

    code = "MissingParameter"


class ValidationError(CloudWatchError):
    """GetMetricData and PutMetricAlarm use it for all invalid parameters."""

    code = "ValidationError"


class InvalidNextTokenError(CloudWatchError):
    """A page token that this service did not issue."""

    code = "InvalidNextToken"


class InvalidFormatError(CloudWatchError):
    """A text that should be JSON is not."""

    code = "InvalidFormat"


class ResourceNotFoundError(CloudWatchError):
    """No alarm or dashboard of that name."""

    code = "ResourceNotFound"


class UnknownResourceError(CloudWatchError):
    """No resource of that ARN (tag operations)."""

    code = "ResourceNotFoundException"


class DashboardInvalidInputError(CloudWatchError):
    """An invalid dashboard body; ``faults`` are (data path, message) pairs."""

    code = "InvalidParameterInput"

    def __init__(self, message: str, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.faults = faults
