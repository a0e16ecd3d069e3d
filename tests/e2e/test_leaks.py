"""Replace passwords while the shop runs: they work, and no secret leaks."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_cloud.settings import Settings
from tests.e2e.demo import address, answer
from tests.e2e.leaks import ProcessList, files, generated, journal, printed, shown, written
from tests.support.app_http import ask
from tests.support.paths import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
RUN = Path(os.environ.get("CART_CANARY_RUN", ROOT / ".run")) / "local"
PLANNED = {"database_password": "plannedForTheDatabase", "cache_password": "plannedForTheCache"}
MARK = "this line was planted by the search for secrets"


@dataclass(frozen=True)
class Seen:
    """The output of the replacement of two passwords, and the secrets."""

    secrets: dict[str, str]
    outputs: dict[str, str]
    processes: ProcessList


def play(*words: str) -> str:
    done = subprocess.run(
        ["ansible-playbook", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def seen(story: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Replace the passwords as docs/operations.md describes, and plan another replacement."""
    assert story
    former = {f"former {name}": value for name, value in generated(RUN).items()}
    for name in ("database", "cache"):
        (RUN / "secrets" / name).unlink()
    planned = tmp_path_factory.mktemp("planned") / "passwords.json"
    planned.write_text(json.dumps(PLANNED), encoding="utf-8")
    with ProcessList() as processes:
        outputs = {
            "configure.yml --diff": play("playbooks/configure.yml", "--diff"),
            "configure.yml --check --diff": play(
                "playbooks/configure.yml", "--check", "--diff", "--extra-vars", f"@{planned}"
            ),
        }
    return Seen(former | generated(RUN) | PLANNED, outputs, processes)


def hosts() -> dict[str, Path]:
    """Return the directory of the files of each host on this machine."""
    return {path.name: path / "upper/var/log" for path in sorted(Settings.load().hosts.iterdir())}


def test_the_new_passwords_are_in_force(seen: Seen) -> None:
    secrets = [name for name in seen.secrets if name.startswith("secrets/")]
    changed = [name for name in secrets if seen.secrets[f"former {name}"] != seen.secrets[name]]
    assert changed == ["secrets/cache", "secrets/database"]
    proxy = ask(f"http://{address('local-proxy-1')}/carts")
    assert proxy.status == 200
    found = answer("local-cloud", "status", "--json")["hosts"]
    shops = [host["ip"] for host in found if "-app-" in host["name"]]
    assert len(shops) == 4
    assert [ask(f"http://{ip}:8080/status").status for ip in shops] == [200] * 4


@pytest.mark.parametrize("which", ["configure.yml --diff", "configure.yml --check --diff"])
def test_no_output_shows_a_secret(seen: Seen, which: str) -> None:
    output = seen.outputs[which]
    changed = re.findall(r"^(\S+) .*changed=[1-9]", output, re.MULTILINE)
    assert "local-data-1" in changed, "there was something to show"
    assert len([name for name in changed if "-app-" in name]) == 4
    assert shown(output, seen.secrets) == set()


def test_no_process_list_shows_a_secret(seen: Seen) -> None:
    everything = "\n".join(seen.processes.lines)
    for program in ("ansible-playbook", "redis-server", "postgres", "haproxy", "app"):
        assert program in everything, f"{program} was not looked at"
    assert seen.processes.looks > 50
    assert shown(everything, seen.secrets) == set()


def test_no_journal_of_a_host_shows_a_secret(seen: Seen) -> None:
    """The search finds a planted line in each journal, and nothing else."""
    wanted = seen.secrets | {"mark": MARK}
    plant = ["ansible", "aws_ec2", "--become", "--module-name=command", f"--args=logger {MARK}"]
    subprocess.run(plant, cwd=ROOT, capture_output=True, check=True)
    found = {name: printed(journal(logs / "journal"), wanted) for name, logs in hosts().items()}
    assert len(found) >= 7
    assert found == {name: {"mark"} for name in found}


def test_no_log_shows_a_secret(seen: Seen) -> None:
    logs = [path for place in hosts().values() for path in files(place)]
    logs = [path for path in logs if path.suffix != ".journal"]  # another test reads these
    kinds = {".log", ".json", ".html", ".md", ".yml", ".eml", ".out"}
    ours = [path for path in RUN.glob("*") if path.suffix in kinds]
    ours += [*files(RUN / "canaries"), *files(Settings.load().mail)]
    ours += list(Settings.load().state.glob("*.log"))
    assert logs
    assert ours
    assert written(logs + ours, seen.secrets) == {}
