"""The report in a real browser: phone width, no network, colour schemes, downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from canary.model import Verdict
from canary.recording import load_recording
from canary.report import render_html
from tests.support import browser as browsers
from tests.support.browser import DESKTOP, PHONE
from tests.support.report_examples import POLICY, judgements, recording

WORSE = {Verdict.FAIL: 0.15, Verdict.PASS: 0.0, Verdict.INCONCLUSIVE: 0.03}

pytestmark = browsers.needed

CONTRAST = """element => {
  const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = node => {
    const paint = getComputedStyle(node).backgroundColor;
    return paint === 'rgba(0, 0, 0, 0)' && node.parentElement ? ground(node.parentElement) : paint;
  };
  const [a, b] = [light(rgb(getComputedStyle(element).color)), light(rgb(ground(element)))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.launched() as launched:
        yield launched


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The three reports as files."""
    for verdict, worse in WORSE.items():
        html = render_html(POLICY, recording(worse), judgements(worse, verdict))
        (tmp_path / f"{verdict}.html").write_text(html, encoding="utf-8")
    return tmp_path


class Visit:
    """An open report, with a record of every request and every error."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page, self.requests, self.errors = page, list[str](), list[str]()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text))
        page.goto(file.as_uri())


def visit(
    browser: Browser, file: Path, width: int = DESKTOP, *, dark: bool = False, script: bool = True
) -> Visit:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        accept_downloads=True,
    )
    return Visit(context.new_page(), file)


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("width", [PHONE, 768, DESKTOP])
def test_page_fits_its_width_and_loads_nothing(
    browser: Browser, report: Path, verdict: Verdict, width: int
) -> None:
    seen = visit(browser, report / f"{verdict}.html", width)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.requests == [(report / f"{verdict}.html").as_uri()]
    assert seen.errors == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_verdict_and_reason_are_seen_without_scrolling_on_a_phone(
    browser: Browser, report: Path, verdict: Verdict
) -> None:
    page = visit(browser, report / f"{verdict}.html", PHONE).page
    for place in (".verdict", "h1"):
        box = page.locator(place).bounding_box()
        assert box
        assert box["y"] + box["height"] <= 640
    assert page.locator(".verdict").inner_text().strip() == verdict


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_text_stands_out_in_both_colour_schemes(
    browser: Browser,
    report: Path,
    verdict: Verdict,
    dark: bool,  # noqa: FBT001
) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    page = visit(browser, report / f"{verdict}.html", dark=dark).page
    places = ("h1", ".verdict", ".chip", ".small", ".across span", ".findings p", "code", "dd")
    for place in places:
        element = page.locator(place).first
        assert element.evaluate(CONTRAST) >= 4.5, place


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_text_is_never_tiny(browser: Browser, report: Path, width: int) -> None:
    page = visit(browser, report / "FAIL.html", width).page
    smallest = page.evaluate(
        """Math.min(...[...document.querySelectorAll('body *')]
        .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .filter(e => e.offsetParent !== null)
        .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
    )
    assert smallest >= 11


def test_axis_labels_do_not_stand_on_one_another_on_a_phone(browser: Browser, report: Path) -> None:
    page = visit(browser, report / "FAIL.html", PHONE).page
    overlaps = page.evaluate(
        """[...document.querySelectorAll('.across, .down')].flatMap(axis => {
          const boxes = [...axis.children].map(e => e.getBoundingClientRect())
            .filter(b => b.width);
          return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
            a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3));
        }).length"""
    )
    assert overlaps == 0


def test_pointer_reads_values_off_a_plot(browser: Browser, report: Path) -> None:
    page = visit(browser, report / "FAIL.html").page
    plot = page.locator(".metric .plot").first
    plot.scroll_into_view_if_needed()
    box = plot.locator(".field").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = plot.locator(".readout").inner_text()
    assert "after 1 min" in said
    assert "baseline" in said
    assert "candidate" in said
    page.mouse.move(5, 5)
    assert not plot.locator(".readout").is_visible()


def test_everything_is_readable_without_a_script(browser: Browser, report: Path) -> None:
    page = visit(browser, report / "FAIL.html", script=False).page
    for place in ("h1", ".findings", ".metric svg", "#sure", ".downloads"):
        assert page.locator(place).first.is_visible()


def test_downloaded_recording_is_the_recording(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    page = visit(browser, report / "FAIL.html").page
    with page.expect_download() as waiting:
        page.get_by_text("Recording (JSON)").click()
    waiting.value.save_as(tmp_path / "saved.json")
    assert waiting.value.suggested_filename == "recording.json"
    assert load_recording(tmp_path / "saved.json") == recording(WORSE[Verdict.FAIL])


def test_datapoints_are_downloaded_as_csv(browser: Browser, report: Path, tmp_path: Path) -> None:
    page = visit(browser, report / "PASS.html").page
    with page.expect_download() as waiting:
        page.get_by_text("Datapoints (CSV)").click()
    waiting.value.save_as(tmp_path / "saved.csv")
    lines = (tmp_path / "saved.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "metric,arm,instance,time,value,samples"
    assert len(lines) == 1 + sum(len(series.times) for series in recording().series)
