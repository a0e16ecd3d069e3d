"""Kills the playbook after one of the given tasks, and records each task."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: cut
type: aggregate
short_description: End a playbook as a killed process ends, once one of some tasks is done
description:
  - CUT_LOG is the file that names each host's every task that is done, one JSON list a line.
  - CUT_AFTER is a JSON list of such names; the playbook ends after whichever comes first.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc, unused-ignore]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "cut"

    def __init__(self) -> None:
        super().__init__()
        self._after = set(json.loads(os.environ["CUT_AFTER"]))
        self._log = Path(os.environ["CUT_LOG"])

    def v2_runner_on_ok(self, result: Any) -> None:
        name = f"{result.host.get_name()}: {result.task.get_name().strip()}"
        with self._log.open("a") as log:
            log.write(json.dumps([name, result.is_changed()]) + "\n")
        if name in self._after:
            os.kill(os.getpid(), signal.SIGKILL)
