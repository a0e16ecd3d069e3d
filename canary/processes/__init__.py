"""Commands that a policy names, run within limits of time and of output."""

from canary.processes.command import run
from canary.processes.output import LastLine, ending, plain

__all__ = ["LastLine", "ending", "plain", "run"]
