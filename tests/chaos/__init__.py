"""Faults on the real hosts of a local cloud, under constant load."""

import sys
from pathlib import Path

# The program of the proxy, which is installed only there.
sys.path.append(str(Path(__file__).parents[2] / "roles/proxy/files"))
