"""A report always stays below 5 MB: it draws the important parts and says what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from canary.judge import judge
from canary.model import Arm, Finding, Judgement, Recording, Series, Verdict
from canary.policy import Policy, parse_policy
from canary.report import render_html
from canary.report.geometry import Frame, line
from tests.unit.canary.windows import window_of

MOST = 5_000_000
START = 1_200_000


def policy_of(metrics: int, periods: int) -> Policy:
    kinds = ("latency", "count", "gauge")
    named = "".join(f"- {{name: m{at}, kind: {kinds[at % 3]}}}\n" for at in range(metrics))
    text = f"version: 1\nwarmup: 0s\nminimum: 10m\nmaximum: {max(periods, 10)}m\nmetrics:\n{named}"
    return parse_policy(text)


def recording_of(metrics: int, hosts: int, periods: int) -> Recording:
    """Return noise of ``hosts`` hosts per arm; the candidate's last host is ten times as high."""
    random, times = np.random.default_rng(1), tuple(range(START, START + 60 * periods, 60))
    found = []
    for arm in Arm:
        for host in (f"{arm}-{at:04}" for at in range(hosts)):
            high = 10.0 if host == f"candidate-{hosts - 1:04}" else 1.0
            for at in range(metrics):
                values = tuple((high * random.poisson(100, periods)).tolist())
                found.append(Series(f"m{at}", arm, host, times, values, (1000.0,) * periods))
    return window_of(found, START, periods)


def looks_of(policy: Policy, recording: Recording) -> list[Judgement]:
    """Return the last judgement for every look: as large as real ones, but without computation."""
    last = judge(policy, recording)
    return [replace(last, at=look) for look in recording.looks]


@pytest.mark.parametrize(
    ("metrics", "hosts", "periods"),
    [(20, 60, 60), (12, 2, 2880), (400, 1, 20), (60, 8, 400)],
    ids=["hosts", "periods", "metrics", "all"],
)
def test_a_report_is_smaller_than_5_mb(metrics: int, hosts: int, periods: int) -> None:
    policy, recording = policy_of(metrics, periods), recording_of(metrics, hosts, periods)
    page = render_html(policy, recording, looks_of(policy, recording))
    assert len(page.encode()) < MOST


def test_the_hosts_that_differ_most_are_drawn_and_the_page_says_so() -> None:
    policy, recording = policy_of(3, 60), recording_of(3, 100, 60)
    page = render_html(policy, recording, looks_of(policy, recording)[-1:])
    assert page.count("<title>candidate-0099</title>") == 3
    assert page.count("<title>candidate-") == 3 * 12
    assert "At most 12 instances of each release are drawn" in page
    assert "candidate-0049, and 50 more instances" in page


def test_a_recording_that_is_too_large_is_told_where_to_find() -> None:
    policy, small, large = policy_of(3, 60), recording_of(3, 2, 60), recording_of(3, 100, 60)
    pages = [render_html(policy, one, looks_of(policy, one)[-1:]) for one in (small, large)]
    assert ["datapoints.csv" in page for page in pages] == [True, False]
    assert "with 36,000 datapoints, is too large for this page" in pages[1]


def test_metrics_that_decide_are_plotted_first() -> None:
    policy, recording = policy_of(50, 20), recording_of(50, 1, 20)
    last = judge(policy, recording)
    verdicts = {"m49": Verdict.FAIL}
    found = (
        Finding(f"m{at}", verdicts.get(f"m{at}", Verdict.PASS), "", critical=True, towards_pass=1.0)
        for at in range(50)
    )
    said = replace(last, findings=tuple(found))
    page = render_html(policy, recording, [said])
    assert '<article class="metric" id="m1">\n    <h3>m49' in page
    assert "40 of 50 metrics are plotted" in page


def test_many_sentences_about_the_data_are_told_in_short() -> None:
    policy, recording = policy_of(1, 20), recording_of(1, 1, 20)
    quality = tuple(f"host {at} reported nothing" for at in range(500))
    page = render_html(policy, recording, [replace(judge(policy, recording), quality=quality)])
    assert "and 460 more sentences" in page
    assert "host 40 reported" not in page


def test_a_long_line_keeps_its_extremes_and_its_gaps() -> None:
    points = [(float(at), None if 500 <= at < 600 else 1.0) for at in range(4000)]
    points[1234] = (1234.0, 9.0)
    path = line(Frame(0, 4000, 0.0, 10.0), points)
    assert path.count("L") <= 402
    assert "40.0" in path, "the one high value: a tenth from the top of 400"
    assert path.count("M") == 2, "the gap breaks the line"
