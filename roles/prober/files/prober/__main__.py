"""The service: ``python3 -m prober``. PROBER_* variables configure it."""

from __future__ import annotations

import logging
import os
import threading

from prober.backup import BackupWatcher
from prober.page import Page
from prober.probe import Prober, Result
from prober.publish import Outbox, client
from prober.settings import Settings
from prober.watch import Watcher


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    settings = Settings.load(os.environ)
    outbox = Outbox(client("cloudwatch"), settings.namespace, settings.environment, settings.period)
    page = Page(settings.port)

    def tell(result: Result) -> None:
        outbox.put(result)
        page.put(result)

    def tell_backup(age: float) -> None:
        outbox.put_backup(age)
        page.put_backup(age)

    outbox.start()
    page.start()
    for target in settings.targets:
        Watcher(Prober(target, settings.limit), settings.period, tell).start()
    if settings.backups:
        BackupWatcher(client("s3"), settings.backups, settings.period, tell_backup).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
