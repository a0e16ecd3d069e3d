"""The progress of a canary in a terminal, whatever characters a sentence holds."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from functools import partial

import pytest
from rich.console import Console

from canary.cli.progress import Display
from canary.model import Event, Finding, Judgement, Recording, Release, Verdict
from tests.unit.canary.rollout_fakes import POLICY


def test_a_sentence_of_megabytes_is_shown_in_no_time() -> None:
    output = io.StringIO()
    long = "key=1.2.3.4/path [a] 'b' " * 40_000
    began = time.process_time()
    Display(POLICY, Console(file=output)).event(Event(0, "warning", long))
    assert time.process_time() - began < 2
    assert long in output.getvalue()


OPEN = "Undecided after 90 s: errors. Errors: none in 9 requests."


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (f"{OPEN} Undecided after 90 s", OPEN),
        (f"{OPEN} Undecided after 2 min 30 s: few hosts", f"{OPEN} few hosts"),
        (f"{OPEN} INCONCLUSIVE: the newest periods are worse", None),
        ("No harm found after 90 s; the policy requires at least 5 min", None),
    ],
)
def test_a_canary_that_goes_on_shows_no_verdict_in_its_lines(
    reason: str, shown: str | None
) -> None:
    output = io.StringIO()
    sides = Release("v1", "", "blue", ("b",)), Release("v2", "", "green", ("g",))
    recording = Recording("prod", 10, *sides, (), ())
    judgement = Judgement(0, Verdict.INCONCLUSIVE, reason, ())
    Display(POLICY, Console(file=output)).look(recording, [judgement])
    assert output.getvalue().endswith(f"  watching   {shown or reason}\n")


def test_a_canary_that_goes_on_tells_how_much_evidence_each_metric_has() -> None:
    """The line must say how far each undecided metric is, not only name four of them."""
    output = io.StringIO()
    sides = Release("v1", "", "blue", ("b",)), Release("v2", "", "green", ("g",))
    recording = Recording("prod", 10, *sides, (), ())
    undecided = partial(Finding, verdict=Verdict.INCONCLUSIVE, sentence="", critical=True)
    findings = (
        undecided("errors", effect=0.0, towards_pass=0.594),
        undecided("latency", effect=0.1, towards_pass=0.785),
        undecided("broken", effect=3.0, towards_pass=0.1, towards_fail=0.43),
        undecided("memory"),  # not measured
        undecided("cpu", effect=0.1, towards_pass=0.3, muted=True),
        replace(undecided("retries", effect=0.0), verdict=Verdict.PASS),
    )
    judgement = Judgement(0, Verdict.INCONCLUSIVE, OPEN, findings)
    Display(POLICY, Console(file=output)).look(recording, [judgement])
    assert output.getvalue().endswith(
        f"{OPEN} Evidence so far: for PASS errors 59 %, latency 78 %; for FAIL broken 43 %.\n"
    )


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict.PASS, "  watching   All is well. PASS at the end of the last step\n"),
        (Verdict.FAIL, "  FAIL       All is well\n"),
    ],
)
def test_a_look_without_harm_is_no_verdict(verdict: Verdict, line: str) -> None:
    """A line "PASS" at the first step was followed by further steps, and by another PASS."""
    output = io.StringIO()
    sides = Release("v1", "", "blue", ("b",)), Release("v2", "", "green", ("g",))
    recording = Recording("prod", 10, *sides, (), ())
    judgement = Judgement(0, verdict, "All is well", ())
    Display(POLICY, Console(file=output)).look(recording, [judgement])
    assert output.getvalue().endswith(line)
