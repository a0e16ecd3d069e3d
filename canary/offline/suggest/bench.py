"""The series of a history, from which noise is learned, margins are chosen and rates measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from canary.evidence.fingerprint import fingerprint_of
from canary.evidence.table import table_of
from canary.learned import Calibration
from canary.model import Series
from canary.offline.plan import Workload, workload_of
from canary.offline.rehearse import Past, cutting_of, learned, pair_windows, window_of
from canary.offline.suggest.drift import drift_of
from canary.offline.suggest.kinds import LeftOut, first_query
from canary.offline.suggest.margins import Fitted, fit
from canary.offline.suggest.trials import (
    Measured,
    cut,
    measure,
    windows_in_turn,
    windows_to_learn,
    windows_to_measure,
)
from canary.policy import Metric, Policy
from canary.sources.base import Query
from canary.sources.queries import source_queries

Told = Callable[[str], object]
"""Called with the name of each step of the work."""
Hosts = Mapping[str, list[Series]]
Reader = Callable[[Sequence[Query]], Hosts]
"""Reads the series of each instance over the whole history."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The options of a suggestion.

    Attributes:
        within: seconds within which a canary has to end.
        period: length of a period in seconds.
        source: kind of the source.
        names: names of metrics in the source, whose kinds are guessed.
        given: metrics of a policy, whose kinds stay as they are.
        without: names of metrics to leave out.
    """

    within: int
    period: int
    source: str
    names: Sequence[str]
    given: Mapping[str, Metric]
    without: Sequence[str] = ()

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries that read each metric for the first time."""
        guessed = [first_query(name, self.names) for name in self.names]
        return (*source_queries(tuple(self.given.values())), *guessed)


@dataclass(frozen=True, slots=True)
class Bench:
    """The series of the instances, and the steps of a suggestion."""

    wish: Wish
    by_host: Hosts
    draft: Policy

    @property
    def hosts(self) -> list[str]:
        return sorted(self.by_host)

    @property
    def length(self) -> int:
        return self.draft.maximum // self.draft.period

    def known(self, policy: Policy, past: Past) -> Calibration:
        """Learn the noise, as ``canary rehearse`` does."""
        cutting = cutting_of(policy, self.hosts, past)
        recordings = pair_windows(policy, dict(self.by_host), cutting)
        tables = [table_of(policy, recording) for recording in recordings]
        fingerprint = fingerprint_of(policy, self.wish.source, len(self.hosts))
        return Calibration(learned(policy, tables, cutting.worth), fingerprint)

    def workload(self, past: Past) -> Workload:
        """Return the workload of all instances, shared by two halves of them."""
        period, hosts = self.draft.period, self.hosts
        start, end = max(past.stretches(period), key=lambda one: one[1] - one[0])
        groups = tuple(hosts[0::2]), tuple(hosts[1::2])
        length = (end - start) // period
        whole = window_of(self.draft, dict(self.by_host), groups, start, length)
        return workload_of(self.draft, whole)

    def fitted(self, past: Past, left_out: list[LeftOut], tell: Told) -> list[Fitted]:
        """Return the metrics with their margins; the others are added to ``left_out``."""
        known, workload = self.known(self.draft, past), self.workload(past)
        chosen = windows_to_learn(past, self.draft.period, self.length, self.hosts)
        windows = cut(self.draft, self.by_host, chosen, self.length)
        in_turn = windows_in_turn(past, self.draft.period, self.length, self.hosts)
        apart = cut(self.draft, self.by_host, in_turn, self.length)
        fitted = []
        for metric in self.draft.metrics:
            tell(f"Choosing the margin of {metric.name}")
            arms = apart.arms.get(metric.name)
            drift = drift_of(metric, arms) if arms is not None else 0.0
            fits = fit(self.draft, metric, windows, known, workload, drift)
            if isinstance(fits, str):
                left_out.append(LeftOut(metric.name, fits))
            else:
                fitted.append(fits)
        return fitted

    def measured(self, policy: Policy, past: Past, known: Calibration) -> Measured:
        """Judge windows that had no part in the choice of margins."""
        held_out = windows_to_measure(past, policy.period, self.length, self.hosts)
        return measure(policy, cut(policy, self.by_host, held_out, self.length), known)
