"""Commands that a policy names, run within limits of time and of output."""

from canary.processes.command import SIGNALS, run
from canary.processes.output import SILENT, LastLine, ending, plain

__all__ = ["SIGNALS", "SILENT", "LastLine", "ending", "plain", "run"]
