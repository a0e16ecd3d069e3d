"""Tests of the Molecule runner, and of the mutations: each still applies."""

from __future__ import annotations

import pytest

from tests.molecule import scenarios
from tests.molecule.mutations import MUTATIONS, Mutation, failed_task
from tests.molecule.scenarios import Outcome, Scenario
from tests.support.paths import ROOT

HOST_ROLES = {
    "app",
    "backup",
    "base",
    "cache",
    "database",
    "loadgen",
    "logs",
    "patch",
    "proxy",
    "service",
    "session",
}


def test_every_role_that_configures_hosts_has_a_scenario() -> None:
    assert {each.role for each in scenarios.scenarios()} >= HOST_ROLES


def test_every_scenario_asks_something() -> None:
    for each in scenarios.scenarios():
        place = ROOT / "roles" / each.role / "molecule" / each.name
        assert (place / "verify.yml").is_file(), each


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_has_something_to_break(mutation: Mutation) -> None:
    assert mutation.before in (ROOT / mutation.file).read_text(encoding="utf-8")
    assert mutation.scenario in scenarios.scenarios()


def test_the_task_that_failed_is_found_in_what_molecule_shows() -> None:
    log = (
        "  \x1b[2m│\x1b[0m TASK [Ask it]\n  \x1b[2m\x1b[32m│\x1b[0m ok: [molecule-host]\n"
        "  \x1b[2m│\x1b[0m TASK [Check it]\n"
    )
    failure = "  \x1b[2m\x1b[31m│\x1b[0m \x1b[31mfatal: [molecule-host]: FAILED! =>\n"
    later = "  \x1b[2m│\x1b[0m TASK [Stop it]\n"
    assert failed_task(log + failure + later) == "Check it"
    assert failed_task(log + later) is None


def test_a_failure_shows_the_hosts_journal() -> None:
    logs = ROOT / ".run" / "molecule" / "logs"
    scenario = Scenario("no-such-role", "default")
    logs.mkdir(parents=True, exist_ok=True)
    try:
        scenario.log.write_text("fatal: it failed\n", encoding="utf-8")
        scenario.journal.write_text("haproxy: cannot bind\n", encoding="utf-8")
        words = Outcome(scenario, passed=False, seconds=1).log_end()
    finally:
        scenario.log.unlink(missing_ok=True)
        scenario.journal.unlink(missing_ok=True)
    assert "it failed" in words
    assert "cannot bind" in words
