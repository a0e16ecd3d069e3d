"""The inventories of all environments: complete, consistent, and safe without a cloud."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from canary.doctor import cost
from canary.doctor.needs import Needs
from canary.environment import parse_environment
from canary.policy import load_policy
from tests.support.ansible_templates import render
from tests.support.paths import ROOT
from tests.support.plugin_filters import filter_of
from tests.unit.roles.inventories import ENVIRONMENTS, HOSTS, Environment, load, load_again

INTERNAL = ("ansible_", "ec2_", "group", "hostvars", "inventory_", "omit", "playbook_dir")


def test_every_variable_of_every_kind_of_host_resolves(environment: Environment) -> None:
    for group in ("controller", "proxy", "app", "data", "monitor"):
        host = environment.inventory.groups[group].hosts[0].name
        value = environment.values(host)
        for name in environment.raw(host):
            if not name.startswith(INTERNAL):
                value(name)


def test_a_new_proxy_serves_what_is_meant_to_be_live(environment: Environment) -> None:
    proxy = environment.inventory.groups["proxy"].hosts[0].name
    assert environment.value(proxy, "proxy_live") == "green"


def test_environments_differ_in_values_and_not_in_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All environments set the same variables."""
    seen = [set(load(name, tmp_path, monkeypatch).raw("localhost")) for name in ENVIRONMENTS]
    local, *others = ({n for n in names if "cloud_" not in n} for names in seen)
    # Defaults of roles differ in whether an environment sets them.
    optional = {"network_nat"}
    for other in others:
        assert local ^ other <= optional


def test_hosts_to_launch_are_the_groups_to_configure(environment: Environment) -> None:
    kinds = environment.value("localhost", "instances_hosts")
    wanted = {
        "-".join(filter(None, (kind["role"], kind.get("colour"), str(number))))
        for kind in kinds
        for number in range(1, kind["count"] + 1)
    }
    assert wanted == set(HOSTS)


def test_no_secret_is_the_same_on_two_machines(environment: Environment, tmp_path: Path) -> None:
    password = environment.value("localhost", "database_password")
    assert len(password) == 32
    assert list((tmp_path / "run").rglob("secrets/database"))


def test_without_its_bridge_the_local_cloud_is_not_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = load("local", tmp_path, monkeypatch)
    assert local.value("localhost", "environment_reachable") is False
    assert local.value("localhost", "aws_endpoint") == "http://127.0.0.1:4566"
    monkeypatch.setenv("LOCAL_CLOUD_BRIDGE", "lo")  # an interface of every machine
    assert local.value("localhost", "aws_endpoint") == "http://10.77.0.1:4566"


def test_the_account_of_aws_is_nobodys_until_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = load("aws", tmp_path, monkeypatch)
    monkeypatch.delenv("CART_CANARY_AWS_ACCOUNT")
    assert aws.value("localhost", "aws_account") == ""


def test_a_deployment_knows_its_account_in_a_shell_that_does_not(environment: Environment) -> None:
    command = environment.value("localhost", "canary_playbook")
    assert (command[0], command[3]) == ("env", "/venv/bin/ansible-playbook")
    assert "CART_CANARY_AWS_ACCOUNT=123456789012" in command[1:3]


@pytest.mark.parametrize(("given", "ports"), [("", [80]), ("chain.pem", [80, 443])])
def test_aws_opens_tls_with_a_certificate_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, ports: list[int]
) -> None:
    aws = load("aws", tmp_path, monkeypatch)
    certificate = str(tmp_path / given) if given else ""
    (tmp_path / "chain.pem").touch()
    monkeypatch.setenv("CART_CANARY_TLS_CERTIFICATE", certificate)
    assert aws.value("localhost", "network_client_ports") == ports
    opened = aws.value("aws-proxy-1", "base_ports")
    public = [each["port"] for each in opened if each["sources"] == ["0.0.0.0/0"]]
    assert public == ports
    assert aws.value("aws-proxy-1", "proxy_tls")["certificate"] == certificate


def test_ssh_offers_only_the_key_of_the_environment(environment: Environment) -> None:
    """A host refuses a client after three keys (MaxAuthTries), whatever an ssh-agent holds."""
    for host in environment.inventory.groups["aws_ec2"].get_hosts():
        if environment.raw(host.name).get("ansible_connection") == "local":
            assert host.name.startswith("processes-"), "only processes are reached without SSH"
            continue
        words = shlex.split(environment.value(host.name, "ansible_ssh_common_args"))
        jump = [word for word in words if word.startswith("ProxyCommand=")]
        for command in [["ssh", *words, "host"], *map(proxy_command, jump)]:
            asked = subprocess.run([*command[:1], "-G", *command[1:]], capture_output=True)
            assert b"identitiesonly yes" in asked.stdout, asked.stderr
        needs_jump = environment.inventory.groups["proxy"].get_hosts() != [host]
        assert bool(jump) == (needs_jump and host.name.startswith("aws-"))


def proxy_command(option: str) -> list[str]:
    return shlex.split(option.removeprefix("ProxyCommand=").replace("-W %h:%p", ""))


def test_the_proxy_admits_ssh_from_an_address_that_only_the_security_group_names(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator whose address changed updates the group, and then reaches the host."""
    monkeypatch.setenv("CART_CANARY_ADMIN_CIDR", "203.0.113.7/32")
    sources = {
        host.name: environment.value(host.name, "base_ssh_sources")
        for host in environment.inventory.groups["aws_ec2"].get_hosts()
    }
    for name, admitted in sources.items():
        assert (admitted == ["0.0.0.0/0"]) == ("proxy" in name), name
    assert environment.value("localhost", "network_admin_cidrs")


def test_the_region_of_aws_is_that_in_which_hosts_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = load_again("aws", tmp_path, monkeypatch)
    place = tmp_path / "inventory/aws/aws_ec2.yml"
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace("[eu-central-1]", "[us-east-1]"), encoding="utf-8")
    assert aws.value("localhost", "aws_region") == "us-east-1"
    assert aws.value("localhost", "event_topic_arn").startswith("arn:aws:sns:us-east-1:")
    assert "eu-central" not in json.dumps(aws.value("localhost", "analyzer_policy"))


def test_the_readme_says_what_a_month_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = load("aws", tmp_path, monkeypatch)
    needs = Needs.model_validate_json(json.dumps(aws.value("localhost", "doctor_needs")))
    bill = cost.bill(needs)
    assert "\n".join(cost.lines(bill)) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert cost.dated().endswith("(2026-11-01)")
    assert all(item.dollars for item in bill)


def test_an_alarm_and_a_metric_are_counted_as_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bill counts the same alarms that the alarms' role creates."""
    aws = load("aws", tmp_path, monkeypatch)
    made = filter_of("alarms", "alarms_expand")(
        aws.value("localhost", "alarms_catalogue"),
        prefix="shop-aws",
        environment="aws",
        urls=aws.value("localhost", "alarms_urls"),
        paces=aws.value("localhost", "alarms_paces"),
        certificates=aws.value("localhost", "alarms_certificates"),
    )
    assert aws.value("localhost", "needs_size")["alarms"] == len(made)


def rendered(environment: Environment, path: Path) -> Path:
    """Write the policy of an inventory, and return its path."""
    variables = {
        name: environment.value("localhost", name)
        for name in ("analyzer_policy", "analyzer_metrics", "analyzer_tuning")
    }
    path.write_text(render("analyzer", "canary.yml.j2", **variables), encoding="utf-8")
    return path


def test_the_policy_that_the_inventory_renders_is_valid(
    environment: Environment, tmp_path: Path
) -> None:
    policy = load_policy(rendered(environment, tmp_path / "canary.yml"))
    assert {metric.name for metric in policy.metrics} >= {"errors", "latency", "restarts"}
    assert parse_environment(policy.environment).name in ENVIRONMENTS


def test_the_readme_says_how_long_a_canary_on_aws_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README agrees with ``canary plan`` at 50, 20 and 5 requests per second."""
    policy = rendered(load("aws", tmp_path, monkeypatch), tmp_path / "canary.yml")

    def planned(rate: int) -> str:
        command = [sys.executable, "-m", "canary", "plan", "--policy", str(policy)]
        return subprocess.check_output([*command, "--rate", str(rate)], text=True, cwd=tmp_path)

    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for rate, words in ((50, "at 50 requests per second"), (20, "at 20.")):
        (minutes,) = re.findall(r"without harm passes after about (\d+) min", planned(rate))
        assert f"after about {minutes} minutes {words}" in readme
    assert "cannot pass within 1 h" in planned(5)
    assert "At 5 it does not pass within an hour" in readme


def test_tuning_names_only_comparisons_that_exist(environment: Environment) -> None:
    names = {metric["name"] for metric in environment.value("localhost", "analyzer_metrics")}
    assert set(environment.value("localhost", "analyzer_tuning")) <= names
