"""The service: ``python3 -m alarm_recorder``. RECORDER_* variables configure it."""

from __future__ import annotations

import logging
import os

from alarm_recorder.recorder import Settings, connect


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    connect(Settings.load(os.environ)).run()


if __name__ == "__main__":
    main()
