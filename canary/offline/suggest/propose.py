"""Propose a policy from history: chosen on its first half, measured on its second half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from canary.errors import PolicyError, SourceError
from canary.formatting import duration, percent, plural
from canary.learned import Calibration
from canary.offline.plan import MetricOutlook, plan
from canary.offline.rehearse import Past
from canary.offline.suggest.bench import Bench, Reader, Told, Wish
from canary.offline.suggest.kinds import LeftOut, choose
from canary.offline.suggest.margins import Fitted
from canary.offline.suggest.profile import Profile, profiles
from canary.offline.suggest.times import rate_of, steps_of, times_of, written
from canary.offline.suggest.trials import Measured
from canary.policy import Metric, Policy
from canary.sources.queries import source_queries

LENGTHS = 4
"""Least length of a history, in lengths of a canary: two to learn from, and two to measure."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """One metric of the proposal, with its reason and the plan for it."""

    metric: Metric
    reason: str
    outlook: MetricOutlook


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposed policy, its reasons, and its results on the second half of the history."""

    policy: Policy
    metrics: tuple[Suggested, ...]
    left_out: tuple[LeftOut, ...]
    measured: Measured
    hosts: int
    seconds: int
    calibration: Calibration

    @property
    def trusted(self) -> bool:
        """Whether a rate of false alarms within alpha is still possible."""
        return self.measured.lower <= self.policy.alpha

    @property
    def refusal(self) -> str:
        """Why the proposal must not be used, or an empty string."""
        seen = self.measured
        culprits = sorted(seen.culprits, key=lambda name: -seen.culprits[name])
        raised = ", ".join(f"{name} {seen.culprits[name]}" for name in culprits)
        return (
            f"Nothing was written: surely more than {seen.lower:.1%} of equal instances would "
            f"FAIL, and alpha is {self.policy.alpha:.1%}. Alarms by metric: {raised}. To leave one "
            f"out: --without {culprits[0]}"
        )

    @property
    def sentence(self) -> str:
        """The measured false alarms and harms, as a sentence."""
        seen, length = self.measured, duration(self.policy.maximum)
        return (
            f"On the second half of the history, {seen.alarms} of "
            f"{plural(seen.windows, 'independent window')} of {length} of equal instances ended "
            f"with FAIL: at most {percent(seen.upper)} are false alarms (95 % confidence). "
            f"{seen.passed} passed, and {self._found}"
        )

    @property
    def _found(self) -> str:
        found, tried = sum(self.measured.harms.values()), len(self.measured.harms)
        return f"{found} of {tried * self.measured.windows} failed after harm was added"


def suggest(wish: Wish, read: Reader, past: Past, tell: Told = lambda _: None) -> Suggestion:
    """Propose a policy from the past series of instances that ran one release.

    Raises:
        PolicyError: nothing can be judged, or the time is too short.
        SourceError: the history is too short.
    """
    times = times_of(wish.period, wish.within)
    halves = _halves(past, wish.period, times["maximum"])
    tell("Reading")
    found = profiles([one for series in read(wish.queries).values() for one in series])
    chosen, left_out = _chosen(found, wish)
    draft = _policy(times, [keys for keys, _ in chosen.values()], found)
    by_host = read(source_queries(draft.metrics))
    tell("Learning the noise")
    bench = Bench(wish, by_host, draft)
    fitted = bench.fitted(halves[0], left_out, tell)
    _require([one for one in fitted if one.metric.critical], left_out)
    policy = draft.model_copy(update={"metrics": tuple(one.metric for one in fitted)})
    tell("Measuring false alarms")
    known, workload = bench.known(draft, halves[0]), bench.workload(halves[0])
    measured = bench.measured(policy, halves[1], known)
    outlook = {one.metric: one for one in plan(policy, workload, known.metrics).metrics}
    return Suggestion(
        policy=policy,
        metrics=tuple(_reasoned(one, chosen[one.metric.name][1], outlook) for one in fitted),
        left_out=tuple(left_out),
        measured=measured,
        hosts=len(bench.hosts),
        seconds=sum(end - start for start, end in past.stretches(wish.period)),
        calibration=bench.known(policy, past),
    )


def _reasoned(fitted: Fitted, reason: str, outlook: Mapping[str, MetricOutlook]) -> Suggested:
    sentences = ". ".join(filter(None, (reason, fitted.note)))
    return Suggested(fitted.metric, sentences, outlook[fitted.metric.name])


def _chosen(
    found: Mapping[str, Profile], wish: Wish
) -> tuple[dict[str, tuple[dict[str, Any], str]], list[LeftOut]]:
    """Return the keys and the reason of each metric that can be compared, and the others."""
    chosen, left_out = {}, []
    for name, profile in sorted(found.items()):
        one = choose(name, profile, wish.given.get(name))
        if name in wish.without:
            one = LeftOut(name, "As --without says")
        if isinstance(one, LeftOut):
            left_out.append(one)
        else:
            chosen[name] = (one.keys, one.reason)
    _require(chosen, left_out)
    return chosen, left_out


def _require(kept: object, left_out: Sequence[LeftOut]) -> None:
    if not kept:
        reasons = "\n".join(f"  - {one.name}: {one.reason}" for one in left_out)
        raise PolicyError(
            "No metric of this history that users would notice can be judged"
            + (f":\n{reasons}\nLonger canaries may help (--within)" if reasons else "")
        )


def _policy(
    times: dict[str, int], keys: Sequence[dict[str, Any]], found: Mapping[str, Profile]
) -> Policy:
    """Return a policy with the default margins; equal footing needs a step at 50 %."""
    rates = [
        rate_of(found[str(one["name"])].samples, times["period"])
        for one in keys
        if one["kind"] in ("count", "latency", "quantile") and found[str(one["name"])].sampled
    ]
    steps = steps_of(times, max(rates) if rates else None)
    return Policy.model_validate({"version": 1, **times, "steps": steps, "metrics": list(keys)})


def _halves(past: Past, period: int, length: int) -> tuple[Past, Past]:
    """Return the first and the second half of the undisturbed time."""
    stretches = list(past.stretches(period))
    seconds = sum(end - start for start, end in stretches)
    if seconds < LENGTHS * length:
        at_most = seconds // LENGTHS // period * period
        shorter = f"--within {written(at_most)}" if at_most > 0 else "a shorter --within"
        raise SourceError(
            f"The history is {duration(seconds)} long; for canaries of {duration(length)} it takes "
            f"{duration(LENGTHS * length)}: two windows to choose margins by, and two to measure "
            f"false alarms. Use {shorter}, or an earlier --start"
        )
    left = seconds / 2
    middle = past.start
    for start, end in stretches:
        middle = start + int(min(left, end - start) // period) * period
        left -= end - start
        if left <= 0:
            break
    return replace(past, end=middle), replace(past, start=middle)
