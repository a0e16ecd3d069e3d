"""The age of the newest backup of the database, read from the bucket.

It does not depend on the host that makes backups, because that host or its timer may have stopped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LOG = logging.getLogger("prober")
LATEST = "backups/latest"
"""shop-backup writes it when a whole backup is stored."""
ABSENT = {403, 404}  # without s3:ListBucket, S3 answers 403 for an object that does not exist


def age(client: Any, bucket: str, since: float) -> float:
    """Return the seconds since the newest backup, or since ``since`` if there is none."""
    try:
        stored: float = client.head_object(Bucket=bucket, Key=LATEST)["LastModified"].timestamp()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in ABSENT:
            raise
        stored = since
    return max(0.0, time.time() - stored)


class BackupWatcher(threading.Thread):
    """Reads the age once per period."""

    def __init__(self, client: Any, bucket: str, period: int, tell: Callable[[float], None]):
        super().__init__(name="backups", daemon=True)
        self._client = client
        self._bucket = bucket
        self._period = period
        self._tell = tell
        self._since = time.time()

    def run(self) -> None:
        while True:
            try:
                self._tell(age(self._client, self._bucket, self._since))
            except (ClientError, BotoCoreError) as error:
                LOG.warning("The age of the newest backup is unknown: %s", error)
            time.sleep(self._period - time.time() % self._period)
