"""The reports in docs: one of each kind, small, and complete without a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGES = sorted((ROOT / "docs" / "reports").glob("*.html"))
TITLES = {
    "bad-host": "FAIL: v1.6.0-rc3",
    "fail": "FAIL: v1.6.0-rc1",
    "inconclusive": "INCONCLUSIVE: v1.5.1",
    "outage": "FAIL: v1.6.0-rc2",
    "pass": "PASS: v1.5.0",
}


def test_there_are_five_and_the_page_links_each() -> None:
    assert [page.stem for page in PAGES] == sorted(TITLES)
    text = (ROOT / "docs" / "reports.md").read_text()
    assert all(f"(reports/{page.name})" in text for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_report_is_small_and_loads_nothing(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert f"<title>{TITLES[page.stem]} in local</title>" in html
    assert page.stat().st_size < 300_000
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:)", html)
    assert "url(" not in html
    assert not re.findall("[\u2018\u2019\u201c\u201d]", html), "ansible-test sanity refuses them"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_report_says_its_point_at_its_top(page: Path) -> None:
    head = page.read_text(encoding="utf-8").partition("</header>")[0]
    for label in ("What happened", "How sure is it?", "What to do"):
        assert f"<dt>{label}</dt>" in head
    assert "local-app-green-3" in head or page.stem != "bad-host"
    assert "FAIL at once" in head or page.stem != "outage"
