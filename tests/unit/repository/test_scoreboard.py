"""The page and the CSV of the scoreboard are generated from the measured cells."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.bench.verdict.__main__ import main
from tests.bench.verdict.cells import OURS, Cell, Count
from tests.bench.verdict.comparators import EVERY, MATCHED
from tests.bench.verdict.plan import judge_digest
from tests.support.paths import ROOT

NEVER = Count(0, 400)
EQUAL = Cell(
    "S1",
    60,
    "none",
    {OURS: Count(4, 400, 21.0), EVERY: Count(49, 100, 12.0)},
    {f"{OURS}|cpu": Count(3, 400, 21.0)},
    Count(300, 400, 37.0),
    NEVER,
    {EVERY: Count(5, 100, 12.0)},
)
HARMED = Cell(
    "S1",
    30,
    "5xx x2",
    {OURS: Count(388, 400, 16.0), MATCHED: Count(98, 100, 12.0)},
    {},
    Count(1, 400, 25.0),
    NEVER,
    {},
)


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the command writes for two measured cells."""
    docs, cells = tmp_path_factory.mktemp("docs"), tmp_path_factory.mktemp("cells")
    kept = cells / judge_digest()
    kept.mkdir()
    (kept / "equal-s1-60.json").write_text(json.dumps(asdict(EQUAL)))
    (kept / "harmed-s1-30-5xx.json").write_text(json.dumps(asdict(HARMED)))
    words = ["--render", "--cells", str(cells), "--docs", str(docs)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return docs


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_has_every_number_that_was_counted(docs: Path) -> None:
    written = rows(docs / "scoreboard.csv")
    said = {
        (row["section"], row["rule"], row["metric"], row["event"]): row["percent"]
        for row in written
    }
    assert said == {
        ("equal", OURS, "all", "alarm"): "1",
        ("equal", EVERY, "all", "alarm"): "49",
        ("equal", EVERY, "all but memory", "alarm"): "5",
        ("equal", OURS, "cpu", "alarm"): "0.75",
        ("equal", OURS, "all", "PASS"): "75",
        ("equal", OURS, "all", "INCONCLUSIVE"): "24",
        ("harmed", OURS, "all", "alarm"): "97",
        ("harmed", MATCHED, "all", "alarm"): "98",
        ("harmed", OURS, "all", "PASS"): "0.25",
    }
    first = written[0]
    assert (first["low"], first["high"], first["median_period"]) == ("0.273", "2.54", "21")


def test_the_page_is_a_digest_of_them(docs: Path) -> None:
    page = (docs / "scoreboard.md").read_text()
    assert "| S1 base | - | 1.0 % (0.27 % to 2.5 %) | 49 % | - | - | - | 75 % @37 |" in page
    assert "| 5xx x2 | **97 % @16** | 0.25 % | - | - | 98 % @12 | - | - | lost by time |" in page
    assert "| base: 5xx x2 found in at least 97 % within 30 | 97 % (95 % to 98 %)" in page
    assert judge_digest() in page


def test_the_published_page_is_short_and_has_its_cells_beside_it() -> None:
    assert len((ROOT / "docs/scoreboard.md").read_text().splitlines()) <= 115
    published = rows(ROOT / "docs/scoreboard.csv")
    cells = {(row["section"], row["scenario"], row["periods"], row["harm"]) for row in published}
    assert len(cells) == 18 + 192 + 80 + 256 + 72
