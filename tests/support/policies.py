"""Changed copies of the policy of the demonstration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

DEMONSTRATION = ROOT / ".run/local/canary.yml"


def write_changed_policy(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Read the policy of the demonstration, apply ``change``, and write it to ``path``."""
    policy = yaml.safe_load(DEMONSTRATION.read_text(encoding="utf-8"))
    change(policy)
    path.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
