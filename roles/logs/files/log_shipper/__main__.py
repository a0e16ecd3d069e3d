"""The service: ``python3 -m log_shipper``. LOGS_* variables configure it."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from log_shipper.api import Api
from log_shipper.journal import Journal
from log_shipper.shipper import Shipper

PAUSE = 10
"""Seconds between two reads of the journal, and between two attempts while AWS does not respond."""


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    api = Api(os.environ["AWS_DEFAULT_REGION"], os.environ.get("AWS_ENDPOINT_URL", ""))
    journal = Journal(Path(os.environ["STATE_DIRECTORY"]) / "position")
    shipper = Shipper(api, journal, os.environ["LOGS_GROUP"], os.environ["LOGS_STREAM"])
    while True:
        time.sleep(1 if shipper.ship() else PAUSE)


if __name__ == "__main__":
    main()
