"""SSH through Session Manager: an administrator gets in without any open port."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from ansible.template import Templar

from tests.support.iam_policy import Request, allowed
from tests.unit.roles.inventories import Environment, use_account

ACTIONS = {
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
JUMP, SESSION = "jump", "session"


def test_the_agent_may_call_what_it_needs_where_hosts_have_it(environment: Environment) -> None:
    values = environment.values("localhost")
    agent = values("session_agent")
    assert bool(agent) == (values("environment_name") == "aws")
    assert not agent or agent.startswith("https://s3.eu-central-1.amazonaws.com/")
    for kind, statements in values("rights_statements").items():
        for action in ACTIONS:
            here = Request(action, "*", {"aws:RequestedRegion": values("aws_region")})
            elsewhere = Request(action, "*", {"aws:RequestedRegion": "us-west-2"})
            assert allowed(statements, here) == bool(agent), (kind, action)
            assert not allowed(statements, elsewhere), (kind, action)


@pytest.fixture
def aws_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command ``aws`` that records its arguments."""
    program, calls = tmp_path / "bin/aws", tmp_path / "calls"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {calls}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    use_account(monkeypatch, tmp_path)
    return calls


def connect(directory: Path, host: str, through: str) -> str:
    """Connect to a host as Ansible does; return the error of ssh."""
    environment = Environment("aws", directory)
    variables = {**environment.raw(host), "ssh_through": through}
    templar = Templar(loader=environment.loader, variables=variables)
    words = shlex.split(templar.template(variables["ansible_ssh_common_args"]))
    limit = ["-o", "ConnectTimeout=1", "-o", "BatchMode=yes"]
    done = subprocess.run(
        ["ssh", "-F", "none", *limit, *words, "admin@127.0.0.1", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 255, done.stderr
    return done.stderr


@pytest.mark.parametrize(("host", "number"), [("aws-proxy-1", 4), ("aws-data-1", 10)])
def test_every_host_is_reached_through_session_manager_by_its_id(
    aws_calls: Path, tmp_path: Path, host: str, number: int
) -> None:
    connect(tmp_path, host, SESSION)
    assert aws_calls.read_text(encoding="utf-8").split("\n")[:-1] == [
        *("ssm", "start-session", "--region", "eu-central-1"),
        *("--target", f"i-{number:017x}", "--document-name", "AWS-StartSSHSession"),
        *("--parameters", "portNumber=22"),
    ]


def test_without_it_ssh_goes_through_the_proxy(aws_calls: Path, tmp_path: Path) -> None:
    connect(tmp_path, "aws-proxy-1", JUMP)
    assert not aws_calls.exists()
