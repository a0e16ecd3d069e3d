"""The demonstration's policy, written again with changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

DEMONSTRATION = ROOT / ".run/local/canary.yml"


def write_changed_policy(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Read the demonstration's policy, let ``change`` alter it, and write it to ``path``."""
    policy = yaml.safe_load(DEMONSTRATION.read_text(encoding="utf-8"))
    change(policy)
    path.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
