"""The difference of single hosts in words: the host, its value, and that of the others."""

from __future__ import annotations

import math

import numpy as np

from canary.formatting import listed, percent
from canary.judge.host_case import Case, effects, totals
from canary.judge.wording import size_words
from canary.policy import Metric
from canary.stats.paired import Mask


def host_words(case: Case, names: tuple[str, ...], periods: slice = slice(None)) -> str:
    """Return the values of some hosts, of the other hosts and of the baseline, in words.

    For example "green-2 failed 9 % of its requests (270 of 3,000), the candidate's other 7 hosts
    0.5 %, the baseline 0.5 %".
    """
    mine = np.isin(case.pairs.candidate.hosts, names)
    others = int((~mine).sum())
    rest = "the candidate's other host" if others == 1 else f"the candidate's other {others} hosts"
    if case.metric.kind != "count":
        effect = effects(case, periods)
        sign = case.rule.sign
        own, other = (
            _size(case.metric, float(effect[some].mean()), sign) for some in (mine, ~mine)
        )
        verb, verbs = ("is", "are") if len(names) == 1 else ("are", "are")
        verbs = "is" if others == 1 else verbs
        return f"{listed(list(names))} {verb} {own} than the baseline, {rest} {verbs} {other}"
    return _count_words(case, names, mine, (rest, periods))


def _count_words(case: Case, names: tuple[str, ...], mine: Mask, told: tuple[str, slice]) -> str:
    rest, periods = told
    g, b, n_g, n_b = totals(case.hosts, periods)
    who, metric = listed(list(names)), case.metric
    own, own_chances = g[mine].sum(), n_g[mine].sum()
    left = percent(g[~mine].sum() / max(n_g[~mine].sum(), 1e-9))
    base = percent(float(b.max()) / max(float(n_b.max()), 1e-9))
    if metric.per == "time":
        rates = (own / max(own_chances, 1e-9), g[~mine].sum() / max(n_g[~mine].sum(), 1e-9))
        return f"{rates[0]:.2g} a period on {who}, {rates[1]:.2g} on {rest}"
    its = "its" if len(names) == 1 else "their"
    share = f"{percent(own / max(own_chances, 1e-9))} of {its} {metric.per}"
    verb = "failed" if metric.is_failure else "counted in"
    first = f"{who} {verb} {share}" if metric.is_failure else f"{who}: {share}"
    return f"{first} ({own:,.0f} of {own_chances:,.0f}), {rest} {left}, the baseline {base}"


def _size(metric: Metric, effect: float, sign: float) -> str:
    relative = math.expm1(effect) if sign > 0 else -math.expm1(-effect)
    return size_words(metric, relative, sign)
