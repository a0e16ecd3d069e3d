"""Policies for tests: a short one, and changed copies of the demonstration's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

SHORT: dict[str, Any] = {
    "version": 1,
    "period": 5,
    "warmup": 10,
    "minimum": 60,
    "maximum": 120,
    "steps": [0.2, 0.5],
    "metrics": [{"name": "latency", "kind": "latency"}],
}
DEMONSTRATION = ROOT / ".run/local/canary.yml"


def write_changed_policy(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Read the policy of the demonstration, apply ``change``, and write it to ``path``."""
    policy = yaml.safe_load(DEMONSTRATION.read_text(encoding="utf-8"))
    change(policy)
    path.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
