"""Evaluate alarms: compare metrics with thresholds, and states of children with rules.

"For any period of one minute or longer, an alarm is evaluated every minute [...]. If the alarm
period is 10 seconds or 30 seconds, the alarm is evaluated every 10 seconds." Each evaluation reads
the periods that ended at that minute, or at that multiple of ten seconds.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from local_cloud.cloudwatch import answers, periods
from local_cloud.cloudwatch.alarms import reasons, rule
from local_cloud.cloudwatch.alarms.book import AlarmBook
from local_cloud.cloudwatch.alarms.condition import Point, StateValue, decide
from local_cloud.cloudwatch.alarms.definition import condition_of, period_of, queries_of
from local_cloud.cloudwatch.alarms.state import Alarm
from local_cloud.cloudwatch.errors import CloudWatchError
from local_cloud.cloudwatch.queries import Query
from local_cloud.cloudwatch.store import MetricStore, Span

LOG = logging.getLogger(__name__)

# Delay after the end of a period, so that its data have arrived when it is evaluated.
SETTLING = 3.0

PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")


def evaluate_all(store: MetricStore, book: AlarmBook, now: float) -> None:
    """Evaluate every alarm that is due: metric alarms first, then composite alarms."""
    alarms = book.all()
    for alarm in alarms:
        if not alarm.composite:
            _evaluate_metric_alarm(store, book, alarm, now)
    composites = {alarm.name: alarm for alarm in alarms if alarm.composite}
    for name in _children_first(composites):
        _evaluate_composite_alarm(book, composites[name])


def _evaluate_metric_alarm(store: MetricStore, book: AlarmBook, alarm: Alarm, now: float) -> None:
    period = period_of(alarm.parameters)
    end = periods.floor(now - SETTLING, 60 if period >= 60 else 10)
    if end <= alarm.evaluated_until:
        return
    alarm.evaluated_until = end
    try:
        _compare(store, book, alarm, end)
    except CloudWatchError as error:
        LOG.warning("alarm %s keeps its state, its metrics cannot be read: %s", alarm.name, error)


def _compare(store: MetricStore, book: AlarmBook, alarm: Alarm, end: int) -> None:
    condition, queries = condition_of(alarm.parameters), queries_of(alarm.parameters)
    period = period_of(alarm.parameters)
    span = Span(end - condition.evaluation_range * period, end, end)
    if _too_few_samples(
        store, alarm, queries, replace(span, start=end - condition.periods * period)
    ):
        return
    values = answers.answer(store, queries, span)[0].series.points
    decision = decide(condition, [Point(time, values.get(time)) for time in span.periods(period)])
    if decision.state is None or decision.state is alarm.state.value:
        return
    data = reasons.reason_data(
        condition,
        decision,
        _sample_counts(store, queries, span),
        now=book.clock(),
        statistic=alarm.parameters.get("Statistic") or alarm.parameters.get("ExtendedStatistic"),
        period=period,
    )
    book.set_state(alarm, decision.state, reasons.reason(condition, decision), data)


def _sample_counts(store: MetricStore, queries: Sequence[Query], span: Span) -> dict[int, float]:
    readings = [query.reading for query in queries if query.reading and len(queries) == 1]
    return (
        store.read(replace(readings[0], statistic="SampleCount"), span).points if readings else {}
    )


def _too_few_samples(
    store: MetricStore, alarm: Alarm, queries: Sequence[Query], span: Span
) -> bool:
    """Return whether the alarm ignores this percentile because it has too few samples.

    "This setting is used when there are fewer than 10/(1-percentile) data points during the
    evaluation period", or 10/percentile below the median.
    """
    found = PERCENTILE.fullmatch(alarm.parameters.get("ExtendedStatistic") or "")
    if found is None or alarm.parameters.get("EvaluateLowSampleCountPercentile") != "ignore":
        return False
    share = float(found[1]) / 100
    rarer = 1 - share if share >= 0.5 else share
    samples = sum(_sample_counts(store, queries, span).values())
    return rarer > 0 and samples * rarer < 10 and samples > 0


def _children_first(composites: dict[str, Alarm]) -> list[str]:
    """Order composite alarms so that each follows its children. Cycles are left out.

    "The evaluation of composite alarms stops if CloudWatch detects a cycle".
    """
    waiting = {
        name: {child for child in _rule(alarm).children if child in composites}
        for name, alarm in composites.items()
    }
    ordered: list[str] = []
    while ready := [name for name, children in waiting.items() if children <= set(ordered)]:
        ordered += ready
        for name in ready:
            del waiting[name]
    return ordered


def _rule(alarm: Alarm) -> rule.Rule:
    return rule.parse(alarm.parameters["AlarmRule"])


def _evaluate_composite_alarm(book: AlarmBook, alarm: Alarm) -> None:
    """Evaluate the rule if a child changed: until then, a state from SetAlarmState stays."""
    children = {name: book.find(name) for name in _rule(alarm).children}
    states = {name: child.state.value for name, child in children.items() if child is not None}
    seen = alarm.children_seen
    if states == seen:
        return
    alarm.children_seen = dict(states)
    value = StateValue.ALARM if _rule(alarm).holds(states) else StateValue.OK
    if value is alarm.state.value:
        return
    triggering = [
        child
        for name, child in children.items()
        if child is not None and seen is not None and seen.get(name) != child.state.value
    ]
    book.set_state(alarm, value, _composite_reason(alarm, triggering, value), _data(triggering))


def _composite_reason(alarm: Alarm, triggering: Sequence[Alarm], value: StateValue) -> str:
    if not triggering:
        return f"{alarm.arn} was created or updated and its alarm rule evaluates to {value}"
    last = max(triggering, key=lambda child: child.state.transitioned)
    when = datetime.fromtimestamp(last.state.transitioned, UTC)
    return f"{last.arn} transitioned to {last.state.value} at {when:%A %d %B, %Y %H:%M:%S} UTC"


def _data(triggering: Sequence[Alarm]) -> str:
    return json.dumps(
        {
            "triggeringAlarms": [
                {
                    "arn": child.arn,
                    "state": {
                        "value": child.state.value,
                        "timestamp": reasons.stamp(child.state.transitioned),
                    },
                }
                for child in triggering
            ]
        }
    )
