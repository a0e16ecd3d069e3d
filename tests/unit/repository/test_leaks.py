"""The search for leaked secrets finds planted secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.leaks import ProcessList, generated, printed, shown, written
from tests.support.waiting import wait_for

SECRETS = {"secrets/database": "planted5ecret", "secrets/cache": "another0ne"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The files of an environment, as Ansible, ssh-keygen and openssl write them."""
    for name in ("secrets", "ssh", "tls"):
        (tmp_path / name).mkdir()
    (tmp_path / "secrets/database").write_text("planted5ecret\n")
    (tmp_path / "tls/shop.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ssh/id")]
    subprocess.run(key, check=True)
    return tmp_path


def test_passwords_and_private_keys_are_secrets_and_nothing_else(run: Path) -> None:
    found = generated(run)
    assert set(found) == {"secrets/database", "ssh/id"}
    assert found["secrets/database"] == "planted5ecret"
    assert found["ssh/id"] in (run / "ssh/id").read_text()
    assert found["ssh/id"] not in (run / "ssh/id.pub").read_text()


def test_two_keys_share_no_secret(run: Path) -> None:
    key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(run / "ssh/other")]
    subprocess.run(key, check=True)
    found = generated(run)
    assert found["ssh/id"] != found["ssh/other"]


def test_a_planted_secret_is_found_in_a_text_and_in_a_file(tmp_path: Path) -> None:
    assert shown("url=redis://shop:another0ne@data", SECRETS) == {"secrets/cache"}
    assert shown("nothing here", SECRETS) == set()
    (tmp_path / "a.log").write_bytes(b"\xff binary planted5ecret")
    (tmp_path / "b.log").write_text("quiet")
    assert written(tmp_path.glob("*.log"), SECRETS) == {
        str(tmp_path / "a.log"): {"secrets/database"}
    }


def test_a_planted_secret_is_found_in_what_a_command_prints() -> None:
    assert printed(["echo", "password=planted5ecret;"], SECRETS) == {"secrets/database"}
    assert printed(["echo", "quiet"], SECRETS) == set()


def test_a_command_that_fails_is_no_silence() -> None:
    with pytest.raises(AssertionError):
        printed(["false"], SECRETS)


def test_a_planted_secret_is_found_in_the_process_list() -> None:
    wait = [sys.executable, "-c", "input()", "planted5ecret"]
    with ProcessList() as processes, subprocess.Popen(wait, stdin=subprocess.PIPE) as child:
        wait_for(lambda: shown(" ".join(processes.lines.copy()), SECRETS), "it is seen", 60)
        child.communicate(b"\n")
    assert processes.looks > 0
    assert shown("\n".join(processes.lines), SECRETS) == {"secrets/database"}
