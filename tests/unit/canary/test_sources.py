"""The common behaviour of all sources, and the two sources that read files."""

from __future__ import annotations

from pathlib import Path

import pytest

from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.policy import Metric
from canary.sources.base import Query, joined, log_spread, periods, settled_end
from canary.sources.csv import Csv
from canary.sources.queries import source_queries

BASELINE = Release("v1", "a", "blue", ("i-1",))
CANDIDATE = Release("v2", "b", "green", ("i-2",))
ARMS = {Arm.BASELINE: BASELINE, Arm.CANDIDATE: CANDIDATE}
LATENCY = Query("latency", "latency", "Average")
GOOD = """time,arm,instance,metric,value,samples
60,baseline,i-1,latency,20.5,100
120,baseline,i-1,latency,,
60,candidate,i-2,latency,21.5,50
1970-01-01T00:02:00Z,candidate,i-2,latency,22.5,51
"""


def csv_source(tmp_path: Path, text: str) -> Csv:
    path = tmp_path / "points.csv"
    path.write_text(text)
    return Csv(path, 60)


@pytest.mark.parametrize(
    ("now", "settle", "end"),
    [(100.0, None, 95), (104.9, None, 95), (105.0, None, 100), (100.0, 0, 100), (99.9, 0, 95)],
)
def test_a_period_is_read_only_after_it_has_settled(
    now: float, settle: float | None, end: int
) -> None:
    assert settled_end(now, 5, settle) == end


def test_only_whole_periods_are_read() -> None:
    assert periods(61, 181, 60) == (120,)
    assert periods(60, 180, 60) == (60, 120)
    assert periods(60, 119, 60) == ()


# 100 * exp(0.5 * 1.2815516) = 189.79 (scipy 1.17, norm.ppf(0.9) = 1.2815516)
def test_spread_is_the_sigma_of_log_normal_observations() -> None:
    assert log_spread(100.0, 189.79) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(("p50", "p90"), [(None, 1.0), (1.0, None), (0.0, 1.0), (2.0, 1.0)])
def test_spread_is_unknown_rather_than_wrong(p50: float | None, p90: float | None) -> None:
    assert log_spread(p50, p90) is None


def test_windows_join_on_one_axis_with_gaps_as_none() -> None:
    first = Series("m", Arm.BASELINE, "i-1", (0, 5), (1.0, 2.0), (1.0, 1.0), (0.5, 0.5))
    second = Series("m", Arm.BASELINE, "i-1", (10,), (3.0,), (1.0,), (None,))
    late = Series("m", Arm.CANDIDATE, "i-2", (10,), (9.0,), (1.0,))
    one, two = joined([first, second, late])
    assert one.times == two.times == (0, 5, 10)
    assert one.values == (1.0, 2.0, 3.0)
    assert one.spread == (0.5, 0.5, None)
    assert two.values == (None, None, 9.0)
    assert two.spread == ()


def test_csv_keeps_missing_values_missing(tmp_path: Path) -> None:
    source = csv_source(tmp_path, GOOD)
    baseline, candidate = source.read([LATENCY], ARMS, *source.window())
    assert baseline.times == (60, 120)
    assert baseline.values == (20.5, None)
    assert candidate.values == (21.5, 22.5)
    assert candidate.samples == (50.0, 51.0)
    assert source.instances("candidate") == ("i-2",)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("60,green,i-1,latency,1,1", "line 6: arm is 'green'; allowed are baseline, candidate"),
        (
            "60,control,i-1,latency,1,1",
            "'control'; allowed are baseline, candidate. Write baseline",
        ),
        ("61,baseline,i-1,latency,1,1", "line 6: time 61 is not the start of a period of 60 s"),
        ("noon,baseline,i-1,latency,1,1", "line 6: time is 'noon'"),
        ("1970-01-01T00:03:00,baseline,i-1,latency,1,1", "names no time zone"),
        ("180,baseline,i-1,latency,fast,1", "line 6: 'fast' is not a number"),
        ("180,baseline,i-1,latency,nan,1", "line 6: 'nan' is not finite"),
        ("60,baseline,i-1,latency,7,100", "line 6: a second, different value"),
        ("180,baseline,i-1,latency", "line 6: the number of fields differs"),
    ],
)
def test_csv_names_the_line_that_is_wrong(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(SourceError) as refused:
        csv_source(tmp_path, GOOD + line + "\n")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("time,arm,instance,value", "missing columns ['metric']"),
        ("time,arm,instance,metric,value,colour", "unknown columns ['colour']"),
        ("", "is empty, or its first line is; it must name the columns"),
    ],
)
def test_csv_names_the_columns_that_are_wrong(tmp_path: Path, header: str, sentence: str) -> None:
    with pytest.raises(SourceError) as refused:
        csv_source(tmp_path, header + "\n")
    assert sentence in str(refused.value)


def test_a_csv_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="can't be read as CSV"):
        Csv(tmp_path / "none.csv", 60)


def test_metrics_become_queries_of_what_they_need() -> None:
    metrics = [
        Metric(name="latency", kind="latency"),
        Metric(name="tail", kind="quantile", statistic="p99", source="latency"),
        Metric(name="errors", kind="count"),
        Metric(name="restarts", kind="count", per="time"),
        Metric(name="requests", kind="throughput"),
        Metric(name="cpu", kind="gauge"),
        Metric(name="retries", kind="count", source="proxy.retries"),
    ]
    queries = {query.metric: query for query in source_queries(metrics)}
    assert queries == {
        "latency": Query("latency", "latency", "Average", spread=True),
        "tail": Query("tail", "latency", "p99", spread=True),
        "errors": Query("errors", "errors", "Sum", samples="requests"),
        "restarts": Query("restarts", "restarts", "Sum"),
        "requests": Query("requests", "requests", "Sum", samples="requests"),
        "cpu": Query("cpu", "cpu", "Average"),
    }
    assert [metric.name for metric in metrics if metric.counter] == ["retries"]


def test_the_mark_that_excel_writes_is_no_part_of_a_column(tmp_path: Path) -> None:
    assert csv_source(tmp_path, "\ufeff" + GOOD).window() == (60, 180)


@pytest.mark.parametrize("time", ["1795168800000", "-60", "0"])
def test_a_time_in_milliseconds_is_refused(tmp_path: Path, time: str) -> None:
    with pytest.raises(SourceError, match=f"line 6: time is '{time}'.*not milliseconds"):
        csv_source(tmp_path, f"{GOOD}{time},baseline,i-1,latency,20.5,100\n")


def test_rows_that_are_a_year_apart_are_refused_and_a_window_can_leave_them_out(
    tmp_path: Path,
) -> None:
    source = csv_source(tmp_path, f"{GOOD}31536060,baseline,i-1,latency,20.5,100\n")
    with pytest.raises(SourceError, match="span 365 days, from 1970-01-01 00:01 to 1971-01-01"):
        source.window()
    assert source.window(end=180) == (60, 180)
    assert source.window(start=120, end=180) == (120, 180)


def test_a_window_without_data_is_a_sentence(tmp_path: Path) -> None:
    words = (
        "no data from 1970-01-01 00:05 on; its rows are from 1970-01-01 00:01 to 1970-01-01 00:02"
    )
    with pytest.raises(SourceError, match=words):
        csv_source(tmp_path, GOOD).window(start=300)
