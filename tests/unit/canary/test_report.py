"""The report shows the verdict, needs no other files, and is the same for the same data."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from canary.model import Judgement, Verdict
from canary.report import render_html, render_json, render_markdown, render_terminal
from canary.report.wording import unbroken
from tests.support.report_examples import POLICY, judgements, recording

WORSE = {Verdict.FAIL: 0.15, Verdict.PASS: 0.0, Verdict.INCONCLUSIVE: 0.03}


@pytest.fixture(params=list(Verdict))
def verdict(request: pytest.FixtureRequest) -> Verdict:
    chosen: Verdict = request.param
    return chosen


def page(verdict: Verdict) -> str:
    worse = WORSE[verdict]
    return render_html(POLICY, recording(worse), judgements(worse, verdict))


class Reader(HTMLParser):
    """Collects text, links and unclosed elements of a page."""

    void = frozenset({"meta", "path", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_headline_is_the_verdict_with_its_reason(verdict: Verdict) -> None:
    html = page(verdict)
    headline = re.search(r"<h1>(.*?)</h1>", html)
    assert headline
    assert headline[1] == unbroken(judgements(WORSE[verdict], verdict)[-1].reason)
    assert f"<title>{verdict}: v1.5.0 in local</title>" in html


def test_only_the_first_sentence_of_a_long_reason_is_the_headline() -> None:
    reason = "Nothing is shown after 9.8 minutes. Latency is 6.2 % slower"
    judged = (Judgement(recording().looks[0], Verdict.INCONCLUSIVE, reason, ()),)
    html = render_html(POLICY, recording(), judged)
    assert "<h1>Nothing is shown after 9.8 minutes</h1>" in html
    assert unbroken("Latency is 6.2 % slower") in html


def test_page_loads_nothing(verdict: Verdict) -> None:
    reader = read(page(verdict))
    assert reader.open == []
    assert all(link.startswith(("#", "data:")) for link in reader.links), reader.links
    assert "url(" not in page(verdict)
    assert "@import" not in page(verdict)


def test_every_sentence_of_the_last_judgement_is_on_the_page(verdict: Verdict) -> None:
    text = " ".join(read(page(verdict)).text)
    last = judgements(WORSE[verdict], verdict)[-1]
    for sentence in (*(f.sentence for f in last.findings), *last.quality, last.advice):
        assert unbroken(sentence) in text


def test_same_evidence_gives_the_same_bytes(verdict: Verdict) -> None:
    assert page(verdict) == page(verdict)


def test_text_from_outside_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script>"
    judged = (Judgement(recording().looks[0], Verdict.FAIL, evil, ()),)
    html = render_html(POLICY, recording(), judged)
    assert evil not in html
    assert "&lt;script&gt;alert(1)" in html


def test_nothing_judged_is_inconclusive_everywhere() -> None:
    assert "<title>INCONCLUSIVE" in render_html(POLICY, recording(), ())
    assert "INCONCLUSIVE" in render_markdown(POLICY, recording(), ())
    assert '"verdict": "INCONCLUSIVE"' in render_json(POLICY, recording(), ())


def test_terminal_shows_verdict_reason_and_metrics(verdict: Verdict) -> None:
    console = Console(width=80)
    worse = WORSE[verdict]
    with console.capture() as capture:
        console.print(render_terminal(POLICY, recording(worse), judgements(worse, verdict)))
    for word in (verdict, "latency p99", "errors", "memory (muted)"):
        assert word in capture.get()
    assert "…" not in capture.get()  # nothing is cut off in 80 columns


def test_markdown_has_one_row_a_metric(verdict: Verdict) -> None:
    worse = WORSE[verdict]
    text = render_markdown(POLICY, recording(worse), judgements(worse, verdict))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(POLICY.metrics)
    assert text.startswith("## ")
    assert judgements(worse, verdict)[-1].reason in text.splitlines()[0]
