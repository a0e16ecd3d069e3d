"""Ends a playbook as a killed process ends, just before its n-th task; and counts tasks."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: cut
type: aggregate
short_description: End a playbook as a killed process ends, just before its n-th task
description: CUT_AT is that task's number, 0 for none; CUT_LOG the file that names every task.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc, unused-ignore]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "cut"

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0
        self._at = int(os.environ["CUT_AT"])
        self._log = Path(os.environ["CUT_LOG"])

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002, FBT001
        self._begun += 1
        with self._log.open("a") as log:
            log.write(f"{task.get_name().strip()}\n")
        if self._begun == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
