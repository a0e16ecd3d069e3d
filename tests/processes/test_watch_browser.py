"""``canary watch`` in a real browser, while a canary runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from canary.live.server import LiveServer, serve
from canary.simulation import policy_text
from tests.support import browser as browsers
from tests.support.browser import DESKTOP, PHONE
from tests.support.waiting import wait_for

pytestmark = browsers.needed
SOON = 2.0
"""Time limit in seconds until the page shows a decision."""
RUN = """
import pathlib, sys, time
from canary.live.files import LiveFiles
from canary.simulation import World

directory = pathlib.Path(sys.argv[1])

class Files(LiveFiles):
    def look(self, recording, judgements):
        if judgements[-1].verdict == "FAIL":
            (directory / "decided").write_text(repr(time.time()))
        super().look(recording, judgements)

World(pace=0.04).run(directory.name, sys.argv[2], directory, Files(directory))
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.launched() as launched:
        yield launched


@pytest.fixture
def canaries(tmp_path: Path) -> Path:
    path = tmp_path / "test" / "canaries"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def server(canaries: Path) -> Iterator[LiveServer]:
    with serve(canaries, None, 0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.02,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def start(canaries: Path, name: str, ref: str) -> subprocess.Popen[bytes]:
    directory = canaries / name
    directory.mkdir()
    (directory / "policy.yml").write_text(policy_text(), encoding="utf-8")
    return subprocess.Popen([sys.executable, "-c", RUN, str(directory), ref])


@dataclass
class Visit:
    """An open page, with a record of its requests and errors."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.goto(self.address)

    def shows(self, selector: str, text: str) -> None:
        """Wait until an element holds a text."""
        self.page.locator(selector, has_text=text).first.wait_for(timeout=60_000)


def visit(browser: Browser, server: LiveServer, width: int) -> Visit:
    context = browser.new_context(viewport={"width": width, "height": 800})
    return Visit(context.new_page(), server.address)


def width_of(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found


def opened(page: Page) -> bool:
    """Open the last details. A click does nothing if the page is exchanged in the middle of it."""
    last = page.locator("details").last
    if last.get_attribute("open") is None:
        last.locator("summary").click()
    return last.get_attribute("open") is not None


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_canary_is_followed_from_before_its_start_to_its_verdict(
    browser: Browser, server: LiveServer, canaries: Path, width: int
) -> None:
    seen = visit(browser, server, width)
    seen.shows("h1", "No canary has run in test yet")
    running = start(canaries, "c1", "v1.2")
    try:
        seen.shows(".verdict", "WATCHING")
        seen.shows(".over", "10 % of traffic on green")
        seen.shows(".events", "deploy hook done")
        assert seen.page.locator(".metric svg").count() >= 10
        assert width_of(seen.page) <= width
        wait_for(lambda: opened(seen.page), "the last details are open", 20)
        seen.page.evaluate("window.scrollTo({top: 300, behavior: 'instant'})")
        seen.shows(".verdict", "FAIL")
        late = time.time() - float((canaries / "c1" / "decided").read_text())
        assert late < SOON
        assert seen.page.evaluate("window.scrollY") == 300, "the page stays where it is"
        assert seen.page.locator("details").last.get_attribute("open") is not None
        seen.shows(".over", "blue carries all traffic")
        assert seen.page.title().startswith("FAIL: v1.2")
    finally:
        running.wait(60)
    assert {url.removeprefix(server.address) for url in seen.requests} <= {"", "state"}
    assert seen.errors == []


def test_values_are_read_off_a_plot_that_was_exchanged(
    browser: Browser, server: LiveServer, canaries: Path
) -> None:
    seen = visit(browser, server, DESKTOP)
    running = start(canaries, "c1", "v1.2")
    seen.shows(".verdict", "FAIL")
    running.wait(60)
    seen.shows(".over", "blue carries all traffic")
    plot = seen.page.locator(".metric .plot").first
    plot.scroll_into_view_if_needed()
    plot.locator(".field").hover()
    assert "candidate" in plot.locator(".readout").inner_text()


def test_the_next_canary_takes_the_page_over(
    browser: Browser, server: LiveServer, canaries: Path
) -> None:
    (canaries / "c1").mkdir()
    seen = visit(browser, server, PHONE)
    seen.shows(".verdict", "NO DATA")
    (canaries / "c1" / "policy.yml").write_text(policy_text())
    seen.shows(".verdict", "STARTING")
    (canaries / "c1" / "outcome.json").write_text(
        '{"verdict": null, "reason": "No route", "traffic": "Traffic was not touched."}'
    )
    seen.shows(".verdict", "COULD NOT RUN")
    seen.shows("h1", "No route")
    running = start(canaries, "c2", "v1.2")
    seen.shows(".verdict", "WATCHING")
    running.wait(60)


def test_a_page_without_its_server_says_so(browser: Browser, canaries: Path) -> None:
    with serve(canaries, None, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        seen = visit(browser, server, PHONE)
        seen.shows("h1", "No canary has run")
        server.shutdown()
        thread.join()
    seen.shows("#connection", "canary watch does not respond")
