"""One bad host of the candidate: it fails the canary, withholds PASS, and is named in the finding.

The other hosts and the mean over the arm may be fine, but the users of this host are harmed.
"""

from __future__ import annotations

from dataclasses import replace

from canary.evidence.pairs import Pairs
from canary.formatting import duration
from canary.judge.blank import on_scale, score_of
from canary.judge.carriers import carriers
from canary.judge.channels import ALMOST
from canary.judge.comparison import comparisons_of
from canary.judge.host_case import Case, host_case
from canary.judge.host_words import host_words
from canary.judge.hosts import HOLDING, TIMES, failing_periods
from canary.judge.notices import late_sentence
from canary.judge.ratio import Ratio
from canary.judge.rule import signs_of
from canary.judge.wording import UNDECIDED, headline
from canary.model import Finding, Recording, Verdict
from canary.policy import Metric, Policy

ACUTE_PERIODS = 3


def with_hosts(
    policy: Policy, metric: Metric, recording: Recording, pairs: Pairs, finding: Finding
) -> Finding:
    """Return the finding after a check of each host of the candidate."""
    known = len(pairs.candidate.hosts) > 1 and pairs.both.any() and not pairs.fault
    if metric.kind not in TIMES or not known or finding.effect is None:
        return finding
    cases = [host_case(policy, metric, recording, pairs, sign) for sign in signs_of(metric)]
    seen = int(pairs.both.sum())
    for case in cases:
        if finding.verdict is Verdict.FAIL:
            if names := case.named(carriers(case, _decisive(finding))):
                return _named_first(case, names, finding)
        elif names := case.lasting(case.apart(failing_periods(seen)).stands):
            return _failed(case, names, finding, recording.period)
        elif case.all_agree() and not _fading(case, recording):
            return _all_failed(case, finding, recording.period)
        elif finding.verdict is Verdict.PASS and (names := case.named(case.apart(HOLDING).stands)):
            return _withheld(case, names, finding)
    return finding


def _decisive(finding: Finding) -> slice:
    """Return the periods that decided a FAIL: the newest ones, or all."""
    return slice(-ACUTE_PERIODS, None) if "acute_periods" in finding.details else slice(None)


def _named_first(case: Case, names: tuple[str, ...], finding: Finding) -> Finding:
    """Put the names of the hosts that cause the harm before the numbers of the whole arm."""
    words = host_words(case, names, _decisive(finding))
    start = f"{headline(case.metric)}: "
    sentence = f"{start}{words}. In all: {finding.sentence.removeprefix(start)}"
    return replace(finding, sentence=sentence)


def _failed(case: Case, names: tuple[str, ...], finding: Finding, period: int) -> Finding:
    after = duration(len(case.pairs.expected) * period + case.policy.warmup)
    words = host_words(case, names, slice(-failing_periods(int(case.pairs.both.sum())), None))
    several = "one bad host is enough" if len(names) == 1 else "some bad hosts are enough"
    return replace(
        finding,
        verdict=Verdict.FAIL,
        sentence=f"{headline(case.metric)}: {words}. FAIL after {after}: {several}",
        towards_fail=1.0,
        score=0.0,
    )


def _fading(case: Case, recording: Recording) -> bool:
    """Return whether a higher latency may still fall, as that of a fresh process does."""
    sign = case.rule.sign
    return any(
        bool(model.fade(len(case.pairs.expected)).falling.any())
        for model in comparisons_of(case.policy, case.metric, recording, case.pairs)
        if isinstance(model, Ratio) and model.rule.fade and model.rule.sign == sign
    )


def _all_failed(case: Case, finding: Finding, period: int) -> Finding:
    metric, sign = case.metric, case.rule.sign
    after = duration(len(case.pairs.expected) * period + case.policy.warmup)
    ending = f"FAIL after {after}: every host of the candidate shows it"
    numbers = case.newest_numbers(case.agreeing())
    effect = on_scale(metric, sign, numbers["late_effect"])
    return replace(
        finding,
        verdict=Verdict.FAIL,
        sentence=late_sentence(metric, sign, numbers, ending),
        effect=effect,
        low=None,
        high=None,
        towards_fail=1.0,
        towards_pass=0.0,
        score=score_of(Verdict.FAIL, 1.0, 0.0, effect / (finding.margin or 1.0)),
    )


def _withheld(case: Case, names: tuple[str, ...], finding: Finding) -> Finding:
    words = host_words(case, names, slice(-HOLDING, None))
    return replace(
        finding,
        verdict=Verdict.INCONCLUSIVE,
        sentence=f"{headline(case.metric)}: in the last {HOLDING} periods {words}. {UNDECIDED}",
        towards_pass=min(finding.towards_pass, ALMOST),
        score=None if finding.score is None else min(finding.score, 99.0),
    )
