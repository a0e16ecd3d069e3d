"""``canary watch`` in a real browser, while ``canary run`` moves the traffic of a real HAProxy."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support import browser as browsers
from tests.support.bare_world import BAD, DEPLOY, POLICY, Bare, bare_world, shorten
from tests.support.browser import PHONE
from tests.support.marks import needs_haproxy

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), needs_haproxy, browsers.needed]
SOON = 2.0
"""Time limit in seconds between the decision and the page that shows it."""


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bare]:
    with bare_world(monkeypatch) as made:
        words = ("--source", "proxy", "--proxy", "proxy.example", "--deploy", DEPLOY)
        made.started("init", "test", *words)
        shorten(made.repository / POLICY)
        made.started("deploy", "1.0", "--everywhere")
        yield made


@contextmanager
def watched(bare: Bare, page: Page) -> Iterator[str]:
    """Open the page of ``canary watch`` at the address that the command prints."""
    watch = bare.canary("watch", "--port", "0")
    assert watch.stdout is not None
    line = watch.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, line
    page.goto(found[0])
    yield found[0]
    watch.terminate()
    watch.communicate()


def decided(bare: Bare) -> float:
    """Return when the last judgement of the canary was written."""
    (directory,) = (bare.repository / ".run/test/canaries").iterdir()
    judgements: Path = directory / "live/judgements.jsonl"
    assert '"FAIL"' in judgements.read_text(encoding="utf-8").splitlines()[-1]
    return judgements.stat().st_mtime


def test_the_page_shows_the_verdict_of_a_real_canary_at_once(bare: Bare) -> None:
    asked: list[str] = []
    with browsers.launched() as browser:
        page = browser.new_context(viewport={"width": PHONE, "height": 800}).new_page()
        page.on("request", lambda request: asked.append(request.url))
        with watched(bare, page) as address:
            run = bare.canary("run", "--candidate", BAD)
            page.locator(".verdict", has_text="WATCHING").first.wait_for(timeout=240_000)
            assert bare.green_weight() > 0
            page.locator(".verdict", has_text="FAIL").first.wait_for(timeout=240_000)
            shown = time.time()
            page.locator(".over", has_text="blue carries all traffic").first.wait_for()
            assert bare.green_weight() == 0
            assert run.wait(120) == 1
    assert shown - decided(bare) < SOON
    assert {url.removeprefix(address) for url in asked} <= {"", "state"}, "no other host"
