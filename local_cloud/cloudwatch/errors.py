"""Every refusal CloudWatch gives, as one tree; ``code`` is the code of AWS's own error model.

CloudWatchError
├── InvalidParameterValueError        a value is out of its range
├── InvalidParameterCombinationError  two parameters exclude, or need, one another
├── MissingParameterError             a required parameter was left out
├── ValidationError                   what GetMetricData and PutMetricAlarm say for any of these
├── InvalidNextTokenError             a paging token that this service did not give
├── InvalidFormatError                a text that should be JSON is not
├── ResourceNotFoundError             no alarm or dashboard of that name
├── UnknownResourceError              no resource of that ARN, where tags are concerned
└── DashboardInvalidInputError        a dashboard's body is not one; carries the list of faults
"""

from __future__ import annotations


class CloudWatchError(Exception):
    """What the caller did wrong, in the words AWS uses for it."""

    code = "InternalServiceError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameterValueError(CloudWatchError):
    """A value is out of its range."""

    code = "InvalidParameterValue"


class InvalidParameterCombinationError(CloudWatchError):
    """Two parameters exclude, or need, one another."""

    code = "InvalidParameterCombination"


class MissingParameterError(CloudWatchError):
    """A required parameter was left out."""

    code = "MissingParameter"


class ValidationError(CloudWatchError):
    """What GetMetricData and PutMetricAlarm say for any parameter at fault."""

    code = "ValidationError"


class InvalidNextTokenError(CloudWatchError):
    """A paging token that this service did not give."""

    code = "InvalidNextToken"


class InvalidFormatError(CloudWatchError):
    """A text that should be JSON is not."""

    code = "InvalidFormat"


class ResourceNotFoundError(CloudWatchError):
    """No alarm or dashboard of that name."""

    code = "ResourceNotFound"


class UnknownResourceError(CloudWatchError):
    """No resource of that ARN, where tags are concerned."""

    code = "ResourceNotFoundException"


class DashboardInvalidInputError(CloudWatchError):
    """The dashboard's body is not one; ``faults`` are (data path, message) pairs."""

    code = "InvalidParameterInput"

    def __init__(self, message: str, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.faults = faults
