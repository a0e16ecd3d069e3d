"""The reference of a policy lists every key, placeholder and counter, and nothing else.

Every YAML block of the pages about policies is read by the program for which it is.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from canary import environment as env
from canary.environment import artifact, freezes, parse_environment, schema
from canary.environment.sources import Sigv4
from canary.model import Verdict
from canary.policy import COUNTERS, LATENCY, Metric, Policy, load_policy, parse_policy
from canary.policy import schema as policy_schema
from canary.simulation import World
from canary.sources import csv_header
from tests.support.paths import ROOT
from tests.unit.canary.cli_shell import Shell, shell
from tests.unit.canary.test_environment import GOOD
from tests.unit.canary.test_try import Silent

canary = pytest.fixture(shell, name="canary")

REFERENCE, OWN_APP = ROOT / "docs/reference.md", ROOT / "docs/own-app.md"
KEY = re.compile(r"`([^`]+)`")
SECTIONS: dict[str, type[BaseModel]] = {
    "Policy": Policy,
    "metrics": Metric,
    "slos": policy_schema.Slo,
    "missing": policy_schema.Missing,
    "traffic_rule": policy_schema.TrafficRule,
    "environment": env.Environment,
    "source: prometheus": env.PrometheusSource,
    "source: cloudwatch": env.CloudWatchSource,
    "source: csv": env.CsvSource,
    "traffic": env.HaproxyTraffic,
    "bake": env.Bake,
    "freezes": freezes.Freeze,
    "dashboard": env.Dashboard,
}
LEAST: dict[str, dict[str, Any]] = {
    "Policy": {"version": 1, "metrics": [{"name": "latency", "kind": "latency"}]},
    "metrics": {"name": "errors", "kind": "count"},
    "missing": {},
    "traffic_rule": {},
    "environment": {"name": "prod", "source": "proxy"},
    "source: prometheus": {"kind": "prometheus", "url": "http://p", "queries": {}},
    "source: cloudwatch": {"kind": "cloudwatch", "namespace": "App"},
    "source: csv": {"kind": "csv", "path": "x"},
    "traffic": {"kind": "haproxy", "host": "h", "key": "k", "known_hosts": "n"},
    "bake": {},
    "freezes": {"why": "x", "days": ["sat"]},
}
LEAST["source: prometheus"]["queries"] = {"x": {"value": "x[{period}]"}}
KINDS: dict[str, dict[str, type[BaseModel]]] = {
    "artifact": {
        "none": env.NoArtifact,
        "directory": env.DirectoryArtifact,
        "command": env.CommandArtifact,
        "python": env.PythonArtifact,
    },
    "state": {"file": env.FileStateSettings, "aws": env.AwsStateSettings},
}


def section(title: str) -> str:
    """Return the text below a heading of the reference."""
    text = REFERENCE.read_text(encoding="utf-8")
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def tables(title: str) -> list[dict[str, str]]:
    """Return the rows of each table below a heading: first cell to the rest."""
    found: list[dict[str, str]] = []
    for block in re.findall(r"(?:^\|.*\n)+", section(title), re.MULTILINE):
        rows = [line.strip("| \n").partition(" | ") for line in block.splitlines()[2:]]
        found.append({first: rest for first, _, rest in rows})
    return found


def names(cells: dict[str, str]) -> set[str]:
    return {name for first in cells for name in KEY.findall(first)}


@pytest.mark.parametrize(("title", "model"), SECTIONS.items())
def test_a_section_lists_its_keys(title: str, model: type[BaseModel]) -> None:
    assert names(tables(title)[0]) == set(model.model_fields)


@pytest.mark.parametrize("title", KINDS)
def test_every_kind_names_its_keys(title: str) -> None:
    (rows,) = tables(title)
    assert names(rows) == set(KINDS[title])
    for kind, model in KINDS[title].items():
        said = set(KEY.findall(rows[f"`{kind}`"]))
        assert set(model.model_fields) - {"kind"} <= said, kind


@pytest.mark.parametrize("title", LEAST)
def test_a_default_that_is_told_is_the_one_in_force(title: str) -> None:
    model, least, told = SECTIONS[title], LEAST[title], 0
    plain = model.model_validate(least)
    for first, rest in tables(title)[0].items():
        default = KEY.match(rest)
        for name in KEY.findall(first):
            assert rest.startswith("required") == model.model_fields[name].is_required(), name
            if default and name not in ("dimensions", "statistic"):
                value = yaml.safe_load(default[1])
                assert model.model_validate({**least, name: value}) == plain, name
                told += 1
    assert told > 0


def test_hooks_their_keys_and_placeholders_are_listed() -> None:
    hooks, keys, placeholders = tables("hooks")
    assert names(hooks) == set(schema.Hooks.model_fields)
    assert names(keys) == set(schema.Hook.model_fields)
    assert names(placeholders) == {f"{{{name}}}" for name in env.HOOK_PLACEHOLDERS}
    for name in artifact.BUILD_PLACEHOLDERS:
        assert f"{{{name}}}" in section("artifact")


def test_the_proxys_counters_are_listed() -> None:
    assert names(tables("source: proxy")[0]) == {f"proxy.{name}" for name in (*COUNTERS, LATENCY)}


def test_columns_of_a_csv_file_and_keys_of_a_signature_are_listed() -> None:
    for column in (*csv_header.REQUIRED, *csv_header.OPTIONAL):
        assert f"`{column}`" in section("source: csv")
    for key in Sigv4.model_fields:
        assert f"`{key}`" in section("source: prometheus")
    for default in env.CloudWatchSource.model_fields["dimensions"].get_default():
        assert f"`{default}`" in section("source: cloudwatch")


def blocks() -> list[str]:
    pages = (OWN_APP, REFERENCE, ROOT / "README.md", ROOT / "docs/operations.md")
    found = [
        block
        for page in pages
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)
    ]
    assert len(found) >= 6
    return found


@pytest.mark.parametrize("block", blocks())
def test_every_yaml_block_is_read(block: str) -> None:
    """A block is a whole policy, its metrics, an environment section, or a play of a role."""
    document: Any = yaml.safe_load(block)
    if isinstance(document, list):
        for play in document:
            for role in play["roles"]:
                check_role(role)
        return
    if set(document) == {"metrics"}:
        block = f"version: 1\nperiod: 60s\n{block}"
    if "environment" not in document or "version" in document:
        policy = parse_policy(block)
        if policy.environment is not None:
            parse_environment(policy.environment)
        return
    rest = {key: GOOD[key] for key in ("name", "source")}
    parse_environment({**rest, **document.pop("environment")})
    assert document == {}


def check_role(role: dict[str, Any]) -> None:
    name = role["role"].rpartition(".")[2]
    path = ROOT / "roles" / name / "meta/argument_specs.yml"
    options = yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"]["options"]
    assert set(role["vars"]) <= set(options)
    required = {key for key, option in options.items() if option.get("required")}
    assert required <= set(role["vars"])
    for key, value in role["vars"].items():
        if isinstance(value, dict):
            assert set(value) <= set(options[key]["options"])


def test_the_first_policy_of_the_page_is_the_one_that_init_writes(canary: Shell) -> None:
    """Its policy distinguishes a good and a bad release by the proxy's counters alone."""
    text = OWN_APP.read_text(encoding="utf-8")
    first = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[0]
    command = re.findall(r"^    canary (init prod .*)$", text, re.MULTILINE)[0]
    assert canary(*shlex.split(command))[0] == 0
    policy = load_policy(Path(".run/prod/canary.yml"))
    assert parse_policy(first) == policy
    world = World(policy=policy)
    verdicts = [world.run(ref, ref, Path(), Silent()).verdict for ref in ("v1.1", "v1.2")]
    assert verdicts == [Verdict.PASS, Verdict.FAIL]


def test_every_command_that_init_is_shown_with_works(canary: Shell) -> None:
    text = OWN_APP.read_text(encoding="utf-8")
    commands = re.findall(r"^    canary (init .*)$", text, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        status, out, err = canary(*shlex.split(command), "--output", "policy.yml", "--force")
        assert status == 0, err
        assert ("run" in out.splitlines()[1].split(", ")) == ("--proxy" in command)
