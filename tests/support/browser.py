"""A real browser for tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PHONE, DESKTOP = 360, 1280

needed = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"No {CHROMIUM}: apt-get install chromium, then run again."
)


@contextmanager
def launched() -> Iterator[Browser]:
    """Yield a browser without a window."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()
