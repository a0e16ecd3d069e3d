"""The summary at the top of a report, for readers without statistics."""

from __future__ import annotations

import pytest

from canary.model import Verdict
from canary.report.summary import in_short
from tests.support.report_examples import POLICY, judgements, recording

WORSE = {Verdict.FAIL: 0.15, Verdict.PASS: 0.0, Verdict.INCONCLUSIVE: 0.03}
JARGON = ("interval", "alpha", "beta", "non-inferior", "confidence", "significan", "p-value")


def summary(verdict: Verdict, **settings: object) -> dict[str, str]:
    last = judgements(WORSE[verdict], verdict)[-1]
    return dict(in_short(POLICY.model_copy(update=settings), recording(), last))


@pytest.mark.parametrize(
    ("verdict", "happened", "sure", "now"),
    [
        (Verdict.FAIL, "worse than the policy allows: ", "at most 1.", "Do not release v1.5.0"),
        (Verdict.PASS, "Nothing that the policy asks for got worse", "5 of 100", "may serve"),
        (Verdict.INCONCLUSIVE, "Neither harm nor its absence", "Not at all.", "users stay on"),
    ],
)
def test_it_says_what_happened_how_sure_it_is_and_what_to_do(
    verdict: Verdict, happened: str, sure: str, now: str
) -> None:
    said = summary(verdict)
    assert list(said) == ["What happened", "How sure is it?", "What to do"]
    assert said["What happened"].startswith("v1.5.0 ran beside v1.4.2 for ")
    assert happened in said["What happened"]
    assert sure in said["How sure is it?"]
    assert now in said["What to do"]
    assert not [word for word in JARGON if word in " ".join(said.values())]


def test_an_undecided_canary_says_what_would_decide_it() -> None:
    advice = judgements(WORSE[Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE)[-1].advice
    assert advice
    assert summary(Verdict.INCONCLUSIVE)["What to do"].startswith(advice.rstrip("."))


def test_rules_without_a_promise_are_not_called_sure() -> None:
    said = summary(Verdict.FAIL, judge="kayenta")
    assert "promise no rate" in said["How sure is it?"]


def test_without_a_judgement_there_is_nothing_to_say() -> None:
    assert in_short(POLICY, recording(), None) == ()
