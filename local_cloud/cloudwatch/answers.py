"""Run queries over a span of time: read metrics, compute expressions, label results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from local_cloud.cloudwatch import search, statistics
from local_cloud.cloudwatch.errors import ValidationError
from local_cloud.cloudwatch.expressions import evaluation
from local_cloud.cloudwatch.expressions.grammar import ExpressionError
from local_cloud.cloudwatch.expressions.values import Array, Value
from local_cloud.cloudwatch.metric import Metric, TimeSeries
from local_cloud.cloudwatch.queries import Query
from local_cloud.cloudwatch.store import MetricStore, Reading, Span

DEFAULT_PERIOD = 300
MOST_SERIES = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """One result. An expression with several series gives several results with the same id."""

    id: str
    label: str
    series: TimeSeries


def answer(store: MetricStore, queries: Sequence[Query], span: Span) -> list[Answer]:
    """Return the requested results in the order of the queries.

    Raises:
        ValidationError: an expression cannot be computed.
    """
    scope = _Request(store, queries, span)
    found = [
        (query, series) for query in queries if query.wanted for series in scope.results(query)
    ]
    return [Answer(query.id, _label(query, series), series) for query, series in found]


def _label(query: Query, series: TimeSeries) -> str:
    """Return the given label; for a search, followed by the label of each metric."""
    if query.expression is None:
        return query.label if query.label is not None else series.label
    if "SEARCH" in query.expression or "METRICS" in query.expression:
        return f"{query.label or ''} {series.label}".strip() or query.id
    return query.label if query.label is not None else query.id


class _Request:
    """The scope of the expressions of one request. It computes each query once."""

    def __init__(self, store: MetricStore, queries: Sequence[Query], span: Span) -> None:
        self._span = span
        self._store = store
        self._queries = {query.id: query for query in queries}
        self._computed: dict[str, Array] = {}
        self._under_way: list[str] = []
        known = [query.reading.period for query in queries if query.reading]
        self._default_period = max(known, default=DEFAULT_PERIOD)

    @property
    def span(self) -> Span:
        return self._span

    @property
    def period(self) -> int:
        """The period of the current expression."""
        query = self._queries[self._under_way[-1]]
        return query.period or self._default_period

    def results(self, query: Query) -> Array:
        if query.id not in self._computed:
            if query.id in self._under_way:
                raise ExpressionError(f"'{query.id}' refers to itself")
            self._under_way.append(query.id)
            self._computed[query.id] = self._compute(query)
            self._under_way.pop()
        return self._computed[query.id]

    def _compute(self, query: Query) -> Array:
        if query.reading is not None:
            return [self._store.read(query.reading, self.span)]
        try:
            return evaluation.result(query.expression or "", self)
        except ExpressionError as error:
            raise ValidationError(f"Error in expression '{query.id}': {error}.") from error

    def lookup(self, name: str) -> Value:
        if name not in self._queries:
            raise ExpressionError(f"There is no query with the id '{name}'")
        found = self.results(self._queries[name])
        return found[0] if len(found) == 1 else found

    def metrics(self, containing: str) -> Array:
        chosen = [
            query for query in self._queries.values() if query.reading and containing in query.id
        ]
        return [
            replace(series, label=query.label or series.label)
            for query in chosen
            for series in self.results(query)
        ]

    def search(self, expression: str, statistic: str, period: int) -> Array:
        try:
            statistics.parse(statistic)
        except ValueError as error:
            raise ExpressionError(str(error)) from error
        matches = search.parse(expression)
        found = [metric for metric in self._store.metrics() if matches(metric)][:MOST_SERIES]
        return [
            replace(self._store.read(Reading(metric, statistic, period), self.span), label=label)
            for metric, label in zip(found, _telling_apart(found), strict=True)
        ]


def _telling_apart(metrics: Sequence[Metric]) -> list[str]:
    """Return a label for each metric: its name and the dimensions that differ."""
    shared = set.intersection(*(set(each.dimensions) for each in metrics)) if metrics else set()
    return [
        " ".join(
            [
                each.name,
                *(value for pair in each.dimensions if pair not in shared for value in pair[1:]),
            ]
        )
        for each in metrics
    ]
