"""Commands that a policy names, run within limits of time and of output."""

from canary.processes.command import SIGNALS, run
from canary.processes.output import LastLine, ending, plain

__all__ = ["SIGNALS", "LastLine", "ending", "plain", "run"]
