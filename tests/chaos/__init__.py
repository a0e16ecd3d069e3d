"""Faults on the real hosts of a local cloud, under constant load."""

import sys
from pathlib import Path

# The proxy's program, which is not installed on this machine.
sys.path.append(str(Path(__file__).parents[2] / "roles/proxy/files"))
