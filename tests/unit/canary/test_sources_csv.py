"""CSV files: each valid notation gives the same points, and each fault gets a sentence."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.sources.base import Query
from canary.sources.csv import Csv
from canary.sources.csv_fast import UnusualError, fields_of

ARMS = {
    Arm.BASELINE: Release("v1", "a", "blue", ("b",)),
    Arm.CANDIDATE: Release("v2", "b", "green", ("c",)),
}
LATENCY = Query("latency", "latency", "Average")
HEAD = "time,arm,instance,metric,value,samples\n"
PLAIN = f"{HEAD}60,baseline,b,latency,20.5,100\n120,candidate,c,latency,1e-3,\n"


def read(tmp_path: Path, text: str, period: int = 60) -> tuple[Series, ...]:
    path = tmp_path / "points.csv"
    path.write_text(text, newline="")
    source = Csv(path, period)
    return source.read([LATENCY], ARMS, *source.window())


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n120", "\n\n\n120"),
        PLAIN.replace("20.5", '"20.5"').replace("latency", '"latency"'),
        "\ufeff" + PLAIN,
        PLAIN.replace("60,", "1970-01-01T00:01:00Z,").replace("120,", "1970-01-01T01:02+01:00,"),
        PLAIN.replace("20.5", " 20.5").replace("1e-3", "0.0010"),
        PLAIN + "60,baseline,b,latency,20.5,100\n",
        PLAIN + "60,baseline,b,other,7,100\n60,baseline,other,latency,7,100\n",
    ],
    ids=[
        "plain",
        "crlf",
        "unended",
        "blank",
        "quoted",
        "mark",
        "iso",
        "spaces",
        "repeated",
        "others",
    ],
)
def test_a_file_means_the_same_however_it_is_written(tmp_path: Path, text: str) -> None:
    baseline, candidate = read(tmp_path, text)
    assert (baseline.times, baseline.values, baseline.samples) == (
        (60, 120),
        (20.5, None),
        (100.0, None),
    )
    assert (candidate.values, candidate.samples) == ((None, 0.001), (None, None))


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    text = "value,metric,time,instance,arm\n20.5,latency,60,b,baseline\n"
    baseline, _ = read(tmp_path, text)
    assert baseline.values == (20.5,)


def test_an_infinite_value_is_missing_and_noted(tmp_path: Path) -> None:
    baseline, _ = read(tmp_path, f"{HEAD}60,baseline,b,latency,inf,9\n120,baseline,b,latency,2,9\n")
    assert (baseline.values, baseline.infinite) == ((None, 2.0), (60,))


number = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.integers(-(10**18), 10**18).map(str),
    st.sampled_from(["0", "-0", "007", "1.", ".5", "-.5", "", "+3", "1_0", "0.1", "1e400"]),
)


@given(st.lists(number, min_size=1, max_size=20))
def test_numbers_read_in_blocks_are_those_that_python_reads(texts: list[str]) -> None:
    """They are equal bit for bit, so a recording does not depend on the reader."""
    (field,) = blocks(texts)
    assert [repr(one) for one in field] == [
        repr(float(text) if text else math.nan) for text in texts
    ]


def blocks(texts: list[str]) -> list[list[float]]:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("value,end\n" + "".join(f"{text},x\n" for text in texts))
        file.flush()
        return [fields[0].numbers().tolist() for fields in fields_of(Path(file.name), 2)]


@pytest.mark.parametrize("text", ["fast", "nan", "1.2.3", "-", "--1", "1-", "0x10"])
def test_what_is_no_number_is_not_read_in_blocks(text: str) -> None:
    with pytest.raises(UnusualError):
        blocks(["1", text])


def test_many_blocks_are_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{60 * n},baseline,b,latency,{n}.25,{n}" for n in range(1, 200)]
    whole = read(tmp_path, HEAD + "\n".join(rows))
    monkeypatch.setattr("canary.sources.csv_fast.BLOCK", 64)
    assert read(tmp_path, HEAD + "\n".join(rows)) == whole
    assert whole[0].values[:2] == (1.25, 2.25)


@pytest.mark.parametrize(
    ("time", "meant"),
    [
        ("1795168800000", "as milliseconds it is 2026-11-20 10:00"),
        ("1795168800000000", "as microseconds it is 2026-11-20 10:00"),
        ("1795168800000000000", "as nanoseconds it is 2026-11-20 10:00"),
    ],
)
def test_a_time_in_another_unit_is_told_with_its_unit(
    tmp_path: Path, time: str, meant: str
) -> None:
    with pytest.raises(SourceError, match=meant):
        read(tmp_path, f"{PLAIN}{time},baseline,b,latency,1,1\n")


def test_rows_of_a_shorter_period_name_it(tmp_path: Path) -> None:
    rows = "".join(f"{10 * n},baseline,b,latency,1,1\n" for n in range(1, 9))
    with pytest.raises(SourceError, match="The rows come every 10 s; set period: 10s"):
        read(tmp_path, HEAD + rows)


def test_rows_that_are_all_late_are_told_by_how_much(tmp_path: Path) -> None:
    rows = "".join(f"{60 * n + 30},baseline,b,latency,1,1\n" for n in range(1, 9))
    with pytest.raises(SourceError, match="All rows are 30 s after one; round their times down"):
        read(tmp_path, HEAD + rows)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_another_separator_is_told(tmp_path: Path, mark: str) -> None:
    with pytest.raises(SourceError, match="Separate the columns with commas"):
        read(tmp_path, PLAIN.replace(",", mark))


@pytest.mark.parametrize("column", ["samples", "spread"])
def test_only_a_value_can_be_infinite(tmp_path: Path, column: str) -> None:
    text = f"time,arm,instance,metric,value,{column}\n60,baseline,b,latency,1,inf\n"
    with pytest.raises(SourceError, match="line 2: inf is not finite"):
        read(tmp_path, text)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"twice \['value'\]"):
        read(tmp_path, "time,arm,instance,metric,value,value\n60,baseline,b,latency,1,2\n")


def test_instances_are_those_of_the_window(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"{PLAIN}600,candidate,late,latency,1,1\n")
    assert Csv(path, 60).instances("candidate", (60, 180)) == ("c",)
    assert Csv(path, 60).instances("candidate") == ("c", "late")
