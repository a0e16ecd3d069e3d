"""Validation of the parameters of PutMetricAlarm and PutCompositeAlarm.

Limits: API reference of both, and "Common features of CloudWatch alarms" in the user guide. AWS
returns ValidationError for all violations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_cloud.cloudwatch import periods
from local_cloud.cloudwatch.alarms import rule
from local_cloud.cloudwatch.alarms.condition import COMPARISONS, Condition, Missing
from local_cloud.cloudwatch.errors import ValidationError
from local_cloud.cloudwatch.intake import UNITS
from local_cloud.cloudwatch.metric import Metric
from local_cloud.cloudwatch.queries import Query, is_statistic, read_queries
from local_cloud.cloudwatch.statistics import is_simple
from local_cloud.cloudwatch.store import Reading

Parameters = Mapping[str, Any]

ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
MOST_ACTIONS = 5
MOST_METRICS = 10
OF_ONE_METRIC = (
    *("MetricName", "Namespace", "Dimensions", "Period", "Unit"),
    *("Statistic", "ExtendedStatistic"),
)
# AWS parameters that this cloud does not support. It rejects them instead of ignoring them.
NOT_HERE = (
    *("ThresholdMetricId", "EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria"),
    *("EvaluationInterval", "ActionConfiguration", "ActionsSuppressor"),
)


def check_metric_alarm(parameters: Parameters) -> None:
    """Reject invalid parameters of a metric alarm.

    Raises:
        ValidationError: the first violation.
    """
    for fault in _metric_faults(parameters):
        raise ValidationError(fault)


def check_composite_alarm(parameters: Parameters) -> rule.Rule:
    """Return the rule of a composite alarm.

    Raises:
        ValidationError: the rule is missing, or another parameter is invalid.
    """
    for fault in _common_faults(parameters):
        raise ValidationError(fault)
    try:
        return rule.parse(parameters.get("AlarmRule") or "")
    except rule.RuleError as error:
        raise ValidationError(f"{error}.") from error


def _common_faults(parameters: Parameters) -> Iterator[str]:
    for name, longest in (("AlarmName", 255), ("AlarmDescription", 1024)):
        if len(parameters.get(name) or "") > longest:
            yield f"The parameter {name} must be shorter than {longest + 1} characters."
    if not parameters.get("AlarmName"):
        yield "The parameter AlarmName is required."
    for name in NOT_HERE:
        if parameters.get(name):
            yield f"The parameter {name} is not part of the local cloud."
    for name in ACTIONS:
        actions = parameters.get(name) or ()
        if len(actions) > MOST_ACTIONS:
            yield f"The collection {name} must not have a size greater than {MOST_ACTIONS}."
        yield from (f"Invalid arn syntax: {arn}" for arn in actions if not arn.startswith("arn:"))


def _metric_faults(parameters: Parameters) -> Iterator[str]:
    yield from _common_faults(parameters)
    yield from _condition_faults(parameters)
    if bool(parameters.get("MetricName")) == bool(parameters.get("Metrics")):
        yield "Exactly one of MetricName and Metrics must be specified."
    elif parameters.get("Metrics"):
        yield from _math_faults(parameters)
    else:
        yield from _one_metric_faults(parameters)
    yield from _length_faults(parameters)


def _condition_faults(parameters: Parameters) -> Iterator[str]:
    comparison, missing = parameters.get("ComparisonOperator"), parameters.get("TreatMissingData")
    if comparison not in COMPARISONS:
        allowed = ", ".join(COMPARISONS)
        yield f"The value {comparison} for ComparisonOperator must be one of {allowed}."
    if missing not in (None, *Missing):
        yield f"The value {missing} for TreatMissingData must be one of {', '.join(Missing)}."
    if parameters.get("EvaluateLowSampleCountPercentile") not in (None, "evaluate", "ignore"):
        yield "EvaluateLowSampleCountPercentile must be evaluate or ignore."
    if parameters.get("Threshold") is None:
        yield "The parameter Threshold is required."
    of_how_many, how_many = parameters.get("EvaluationPeriods"), parameters.get("DatapointsToAlarm")
    if not of_how_many or of_how_many < 1:
        yield "The parameter EvaluationPeriods is required, and at least 1."
    elif how_many is not None and not 1 <= how_many <= of_how_many:
        yield (
            f"DatapointsToAlarm must be at least 1 and at most EvaluationPeriods ({of_how_many}), "
            f"not {how_many}."
        )


def _one_metric_faults(parameters: Parameters) -> Iterator[str]:
    simple, extended = parameters.get("Statistic"), parameters.get("ExtendedStatistic")
    if not parameters.get("Namespace"):
        yield "The parameter Namespace is required."
    if bool(simple) == bool(extended):
        yield "Exactly one of Statistic and ExtendedStatistic must be specified."
    if simple and not is_simple(simple):
        yield f"The value {simple} for Statistic is not one."
    if extended and (is_simple(extended) or not is_statistic(extended)):
        yield f"The value {extended} for ExtendedStatistic is not one."
    if parameters.get("Unit") not in (None, *UNITS):
        yield f"The parameter Unit must be a value in the set [ {', '.join(UNITS)} ]"


def _math_faults(parameters: Parameters) -> Iterator[str]:
    given = [name for name in OF_ONE_METRIC if parameters.get(name)]
    if given:
        yield f"The parameter {given[0]} must not be specified together with Metrics."
    queries = read_queries(parameters["Metrics"], "Metrics")
    if sum(query.wanted for query in queries) != 1:
        yield "Exactly one element of the metrics list should return data."
    if sum(query.reading is not None for query in queries) > MOST_METRICS:
        yield f"A math expression of an alarm can include at most {MOST_METRICS} metrics."
    if len({query.reading.period for query in queries if query.reading}) > 1:
        yield "Metrics used in an alarm must have the same period."
    if any("SEARCH" in (query.expression or "") for query in queries):
        yield "SEARCH is not supported on Metric Alarms."


def _length_faults(parameters: Parameters) -> Iterator[str]:
    period, count = period_of(parameters), parameters["EvaluationPeriods"]
    longest = periods.DAY if period < periods.HOUR else 7 * periods.DAY
    if not periods.is_valid_for_alarm(period):
        yield f"Period must be 10, 20, 30 or a multiple of 60, not {period}."
    elif period * count > longest:
        yield (
            "Metrics cannot be checked across more than "
            f"{'a day' if longest == periods.DAY else 'seven days'} "
            f"(EvaluationPeriods * Period must be <= {longest}), not {period * count}."
        )


def period_of(parameters: Parameters) -> int:
    """Return the period in seconds, or 0 if there is none."""
    if not parameters.get("Metrics"):
        return int(parameters.get("Period") or 0)
    queries = queries_of(parameters)
    return max(query.period or (query.reading.period if query.reading else 0) for query in queries)


def queries_of(parameters: Parameters) -> list[Query]:
    """Return the queries of the alarm; exactly one of them returns data."""
    if parameters.get("Metrics"):
        return read_queries(parameters["Metrics"], "Metrics")
    metric = Metric.of(
        parameters["Namespace"], parameters["MetricName"], parameters.get("Dimensions") or ()
    )
    statistic = parameters.get("Statistic") or parameters["ExtendedStatistic"]
    reading = Reading(metric, statistic, parameters["Period"], parameters.get("Unit"))
    return [Query("m", None, wanted=True, period=None, reading=reading, expression=None)]


def condition_of(parameters: Parameters) -> Condition:
    """Return the alarm condition."""
    missing = Missing(parameters.get("TreatMissingData") or Missing.MISSING)
    if parameters.get("Namespace") == "AWS/DynamoDB":
        missing = (
            Missing.IGNORE
        )  # "always ignore missing data even if you choose a different option"
    return Condition(
        parameters["ComparisonOperator"],
        float(parameters["Threshold"]),
        parameters["EvaluationPeriods"],
        parameters.get("DatapointsToAlarm") or parameters["EvaluationPeriods"],
        missing,
    )
