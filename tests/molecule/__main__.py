"""``make molecule-all``, and ``make molecule ROLE=proxy``: scenarios in turn, and a table."""

from __future__ import annotations

import sys
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from tests.molecule.scenarios import Outcome, Scenario, run, scenarios
from tests.support import second_try

console = Console(highlight=False, soft_wrap=True)


def main(roles: list[str]) -> int:
    known = scenarios()
    chosen = [each for each in known if not roles or each.role in roles]
    strangers = sorted(set(roles) - {each.role for each in known})
    if strangers:
        names = ", ".join(sorted({each.role for each in known}))
        console.print(f"No scenario for role {strangers[0]}. Roles that have one: {names}.")
        return 2
    outcomes = [told(each) for each in chosen]
    console.print(table(outcomes))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def told(scenario: Scenario) -> Outcome:
    console.print(f"==> {scenario.role} ({scenario.name})")
    outcome = run(scenario)
    if not outcome.passed:
        console.print(outcome.log_end(), markup=False)
        if second_try.wanted():
            console.print(f"==> {scenario.role} ({scenario.name}), a second time")
            return replace(run(scenario), again=True)
    return outcome


def table(outcomes: list[Outcome]) -> Table:
    shown = Table("role", "scenario", "result", "seconds")
    for outcome in outcomes:
        word = "passed" if outcome.passed else "FAILED"
        word += ", second try" * outcome.again
        scenario = outcome.scenario
        shown.add_row(scenario.role, scenario.name, word, f"{outcome.seconds:.0f}")
    total = sum(outcome.seconds for outcome in outcomes)
    shown.add_section()
    failed = sum(not outcome.passed for outcome in outcomes)
    shown.add_row(
        "all", str(len(outcomes)), f"{failed} failed" if failed else "passed", f"{total:.0f}"
    )
    return shown


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
