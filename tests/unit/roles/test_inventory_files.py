"""The files of the inventories: shared variables are defined once."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.paths import ROOT
from tests.unit.roles.inventories import ENVIRONMENTS


def test_hosts_are_searched_for_by_their_own_environment() -> None:
    for name in ENVIRONMENTS:
        text = (ROOT / "inventory" / name / "aws_ec2.yml").read_text(encoding="utf-8")
        assert yaml.safe_load(text)["filters"]["tag:Environment"] == name


def test_what_environments_share_stands_once() -> None:
    """One link leads to inventory/shared, one a group to inventory/groups, and nothing overlaps."""
    shared = {name for path in (ROOT / "inventory/shared").glob("*.yml") for name in names(path)}
    groups = sorted(path.name for path in (ROOT / "inventory/groups").glob("*.yml"))
    for environment in ENVIRONMENTS:
        place = ROOT / "inventory" / environment / "group_vars"
        assert (place / "all/shared").resolve() == ROOT / "inventory/shared"
        assert sorted(path.name for path in place.glob("*.yml")) == groups
        for name in groups:
            assert (place / name).resolve() == ROOT / "inventory/groups" / name
        own = {name for path in (place / "all").glob("*.yml") for name in names(path)}
        assert own & shared == set()


def names(path: Path) -> set[str]:
    """Return the names of the variables in a file."""
    return set(yaml.safe_load(path.read_text(encoding="utf-8")))
