"""Every refusal CloudWatch gives, as one tree; ``code`` is the code of AWS's own error model.

CloudWatchError
├── InvalidParameterValue        a value is out of its range
├── InvalidParameterCombination  two parameters exclude, or need, one another
├── MissingParameter             a required parameter was left out
├── ValidationError              GetMetricData and PutMetricAlarm say this for all of the above
├── InvalidNextToken             a paging token that this service did not give
├── InvalidFormat                a text that should be JSON, or an ARN, is not
├── ResourceNotFound             no alarm or dashboard of that name
├── ResourceConflict             it is still needed by something else
└── DashboardInvalidInput        the dashboard's body is not one; carries the list of faults
"""

from __future__ import annotations


class CloudWatchError(Exception):
    """What the caller did wrong, in the words AWS uses for it."""

    code = "InternalServiceError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameterValue(CloudWatchError):
    """A value is out of its range."""

    code = "InvalidParameterValue"


class InvalidParameterCombination(CloudWatchError):
    """Two parameters exclude, or need, one another."""

    code = "InvalidParameterCombination"


class MissingParameter(CloudWatchError):
    """A required parameter was left out."""

    code = "MissingParameter"


class ValidationError(CloudWatchError):
    """What GetMetricData and PutMetricAlarm say for any parameter at fault."""

    code = "ValidationError"


class InvalidNextToken(CloudWatchError):
    """A paging token that this service did not give."""

    code = "InvalidNextToken"


class InvalidFormat(CloudWatchError):
    """A text that should be JSON is not."""

    code = "InvalidFormat"


class ResourceNotFound(CloudWatchError):
    """No alarm or dashboard of that name."""

    code = "ResourceNotFound"


class ResourceConflict(CloudWatchError):
    """It is still needed by something else."""

    code = "ResourceConflict"


class DashboardInvalidInput(CloudWatchError):
    """The dashboard's body is not one; ``faults`` are (data path, message) pairs."""

    code = "InvalidParameterInput"

    def __init__(self, message: str, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.faults = faults
