"""CSV files of other programs: read as intended, or refused with a sentence about the change."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from canary.errors import SourceError
from canary.sources.csv import Csv
from tests.unit.canary.test_sources_csv import HEAD, PLAIN, read


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Time, Arm,INSTANCE,metric ,value,samples", ""),
        ("timestamp,group,host,name,value,count", "rename timestamp to time, group to arm, host"),
        (",time,arm,instance,metric,value,samples", "to_csv"),
        ("time|arm|instance|metric|value|samples", "separated by vertical bars"),
        ("60,baseline,b,latency,20.5,100", "first line must name the columns, but it is '60,"),
        ("<!DOCTYPE html><html>Sign in", "first line must name the columns, but it is '<!DOCTYPE"),
        ("", "is empty"),
    ],
    ids=["case and spaces", "other names", "index", "bars", "no header", "a page", "empty"],
)
def test_a_header_is_read_or_told_what_to_change(tmp_path: Path, header: str, words: str) -> None:
    text = f"{header}\n60,baseline,b,latency,20.5,100\n"
    if not words:
        assert read(tmp_path, text) == read(tmp_path, HEAD + text.partition("\n")[2])
        return
    with pytest.raises(SourceError, match=words):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(PLAIN.encode()), "is compressed; unpack it first"),
        (PLAIN.encode("utf-16"), "is written in UTF-16; save it as UTF-8"),
        (PLAIN.replace(",b,", ",\u00e8,").encode("latin-1"), "is not written in UTF-8"),
        (b"PK\x03\x04\xff\xfe", "Excel workbook"),
    ],
    ids=["gzip", "utf-16", "latin-1", "xlsx"],
)
def test_a_file_of_another_kind_is_told(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=words):
        Csv(path, 60)


@pytest.mark.parametrize(
    "text", ['"20,5"', '"2,868"', "2\u202f868", "20.5 ms", "0.5%", "TRUE", "-"]
)
def test_what_is_no_plain_number_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    how = " \\(write digits and a point only" if any(mark.isdigit() for mark in text) else ";"
    with pytest.raises(SourceError, match=f"line 2: '.*' is not a number{how}"):
        read(tmp_path, PLAIN.replace("20.5", text))


def test_a_rounded_time_is_told_and_an_exact_one_is_read(tmp_path: Path) -> None:
    """A spreadsheet writes 1795168800 as 1.795169E+09, which is minutes away."""
    with pytest.raises(SourceError, match=r"line 2: time is '1.795169E\+09', which lacks digits"):
        read(tmp_path, f"{HEAD}1.795169E+09,baseline,b,latency,20.5,100\n")
    exact = read(tmp_path, f"{HEAD}1.7951688E9,baseline,b,latency,20.5,100\n")
    assert exact == read(tmp_path, f"{HEAD}1795168800,baseline,b,latency,20.5,100\n")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ((60, 61, 120, 122, 180), "Rows are up to 2 s after one; round their times down"),
        ((60, 70, 80, 90, 100, 110, 120), "The rows come every 10 s; set period: 10s"),
        ((90, 180, 270), "The rows come every 90 s; set period: 90s"),
        ((61, 100, 159), "is not the start of a period of 60 s$"),
    ],
)
def test_times_between_periods_are_told_what_they_are(
    tmp_path: Path, times: tuple[int, ...], words: str
) -> None:
    rows = "".join(f"{time},baseline,b,latency,20.5,100\n" for time in times)
    with pytest.raises(SourceError, match=words):
        read(tmp_path, HEAD + rows)


@pytest.mark.parametrize(("name", "row"), [("instance", ",latency"), ("metric", "b,")])
def test_a_row_without_a_name_is_told(tmp_path: Path, name: str, row: str) -> None:
    """Several hosts without a name must not be reported as different values for one time."""
    with pytest.raises(SourceError, match=f"line 2: {name} is empty"):
        read(tmp_path, f"{HEAD}60,baseline,{row},20.5,100\n")


def test_a_date_of_a_spreadsheet_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a date of a spreadsheet"):
        read(tmp_path, f"{HEAD}46346.416667,baseline,b,latency,20.5,100\n")


def test_a_table_with_a_column_for_each_series_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="turn columns into rows"):
        read(tmp_path, "Time,b1 latency,c1 latency\n60,100,101\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN.replace("baseline", "Baseline"), "Write baseline instead"),
        (PLAIN.replace("baseline", " baseline"), "Write baseline instead"),
        (PLAIN.replace("60,", "2026-11-20 10:00:00 UTC,"), "such as 2026-11-20T10:00:00Z"),
        (f"{PLAIN}{PLAIN.splitlines()[1].replace('20.5', '7')}", "several series, .* add them up"),
    ],
    ids=["capital", "space", "UTC", "several series"],
)
def test_a_row_that_is_almost_right_is_told_how_to_write_it(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        read(tmp_path, text)


def test_a_window_after_the_last_row_is_told_forwards(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(PLAIN)
    with pytest.raises(SourceError, match="no data from 1970-01-01 02:46 on; its rows are from"):
        Csv(path, 60).window(start=10_000)
