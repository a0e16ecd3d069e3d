"""Four shops: each serves the release that the deploy hook has named for its colour."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.app_servers import Shop

PAUSE = 0.2


@dataclass
class Shops:
    """Restarts the shops of a colour when the file of the colour names another release."""

    directory: Path
    colours: dict[str, list[Shop]]
    _running: dict[str, str] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Tell the deploy hook where the shops are, and begin to watch for releases."""
        (self.directory / "releases").mkdir()
        urls = {colour: [shop.url for shop in shops] for colour, shops in self.colours.items()}
        (self.directory / "shops.json").write_text(json.dumps(urls))
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        for colour in self.colours:
            self._stop(colour)

    def _watch(self) -> None:
        while not self._stopping.wait(PAUSE):
            for colour in self.colours:
                with suppress(OSError):
                    self._follow(colour, (self.directory / colour).read_text())

    def _follow(self, colour: str, release: str) -> None:
        if self._running.get(colour) == release:
            return
        self._stop(colour)
        self._running[colour] = release
        for shop in self.colours[colour]:
            shop.release = self.directory / "releases" / release
            shop.environment = {**shop.environment, "SHOP_RELEASE": release}
            try:
                shop.start("/live")
            except (AssertionError, RuntimeError) as error:
                # The deploy hook reports the error.
                (self.directory / f"{colour}.failed").write_text(str(error))

    def _stop(self, colour: str) -> None:
        for shop in self.colours[colour]:
            if shop.process:
                shop.process.terminate()
        for shop in self.colours[colour]:
            try:
                shop.stop()
            except subprocess.TimeoutExpired:
                assert shop.process is not None
                shop.process.kill()
