"""Runs CloudWatch in the daemon, and saves it to disk.

Changes of alarms and dashboards are saved at once. Metrics arrive continuously and are saved every
SAVE_EVERY seconds, so a kill -9 loses at most those. A clean stop loses none.
"""

import importlib
import importlib.util
import logging
import threading
from pathlib import Path
from typing import Any

from local_cloud.emulator.gate import Gate, Keeper

LOG = logging.getLogger(__name__)
CLOUDWATCH = "local_cloud.cloudwatch"
SAVE_EVERY = 10.0


class Metrics:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.cloudwatch: Any = importlib.import_module(CLOUDWATCH).install()
        self.keeper = Keeper(Gate(), self.save)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.cloudwatch.snapshot(self.path)

    def restore(self) -> None:
        """Load the snapshot. An unreadable file is moved aside and logged."""
        if not self.path.exists():
            return
        try:
            self.cloudwatch.restore(self.path)
        except Exception:
            aside = self.path.with_name(self.path.name + ".unreadable")
            self.path.rename(aside)
            LOG.exception("the metrics in %s cannot be read: they are now %s", self.path, aside)

    def start(self) -> None:
        """Start evaluating alarms and saving."""
        self.restore()
        self.keeper.start()
        self.cloudwatch.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.cloudwatch.stop()
        self.keeper.stop()

    def _run(self) -> None:
        while not self._stopping.wait(SAVE_EVERY):
            self.keeper.note()
