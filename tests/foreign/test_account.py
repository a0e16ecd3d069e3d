"""An account is provisioned and emptied against plain moto, independent of our own emulator.

Hosts are left out, because no machine answers at the addresses that moto invents.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from canary.doctor.rights import PROVISIONING
from tests.foreign import gaps
from tests.foreign.account import ACCOUNT, HOSTLESS, Account, writes
from tests.foreign.actions import action
from tests.foreign.asked import refused
from tests.support.aws_resources import OURS, instances, left_over
from tests.unit.roles.inventories import Environment

pytestmark = [pytest.mark.timeout(1800)]
REGION = "eu-central-1"
MAIL = "ops@example.org"
SITE, PROVISION, DESTROY = "site.yml", "playbooks/provision.yml", "playbooks/destroy.yml"
OF_MOTO = set(gaps.RETAGGED)


def clients(account: Account, region: str = REGION) -> Callable[[str], Any]:
    return lambda service: account.client(service, region)


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The policies of the roles of workflows, as bootstrap.yml sets them."""
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("policies")
        patch.setenv("CART_CANARY_RUN", str(directory / "run"))
        patch.setenv("CART_CANARY_AWS_ACCOUNT", ACCOUNT)
        found: dict[str, list[dict[str, Any]]] = Environment("aws", directory).value(
            "localhost", "bootstrap_statements"
        )
        return found


@pytest.fixture(scope="module")
def certificate(account: Account) -> Path:
    for name in ("shop.pem", "shop.key"):
        (account.home / name).write_text(name)
    return account.home / "shop.pem"


def test_a_plan_for_an_empty_account_is_whole_and_writes_nothing(
    account: Account, statements: dict[str, list[dict[str, Any]]]
) -> None:
    plan, calls = account.play(SITE, "--check", "--diff")
    assert not plan.failed, plan.output
    for part in (
        *("VPC", "subnets", "NAT gateway", "route tables", "each kind of host", "bucket", "topic"),
        *("tables", "IAM role", "instance profiles", "instances", "dashboards", "alarms"),
    ):
        assert any(part in name for name in plan.changed), part
    assert calls
    assert writes(calls) == []
    assert refused(calls, statements["plan"], ACCOUNT) == set()
    assert left_over(clients(account)) == {}
    assert [path for path in (account.home / "run").rglob("*") if path.is_file()] == []


def test_a_plan_for_an_account_that_is_half_made_writes_nothing(account: Account) -> None:
    ec2 = account.client("ec2", REGION)
    tags = [{"Key": "Name", "Value": "shop-aws"}, {"Key": "Project", "Value": "shop"}]
    vpc = ec2.create_vpc(
        CidrBlock="10.76.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}]
    )["Vpc"]["VpcId"]
    plan, calls = account.play(PROVISION, "--check", "--tags", "network")
    ec2.delete_vpc(VpcId=vpc)
    assert not plan.failed, plan.output
    assert writes(calls) == []


def test_one_run_makes_everything(
    account: Account, certificate: Path, statements: dict[str, list[dict[str, Any]]]
) -> None:
    account.shell |= {
        "CART_CANARY_ALARM_EMAILS": MAIL,
        "CART_CANARY_TLS_CERTIFICATE": str(certificate),
        "CART_CANARY_TLS_KEY": str(certificate.with_suffix(".key")),
        "CART_CANARY_TLS_NAME": "shop.example.org",
    }
    made, calls = account.play(SITE, *HOSTLESS)
    assert not made.failed, made.output
    assert len(instances(clients(account))) == 7
    assert {call.region for call in calls if call.writes and call.service != "iam"} == {REGION}
    assert {action(call) for call in calls if call.writes} <= set(PROVISIONING)
    assert refused(calls, statements["apply"], ACCOUNT) == set()
    assert "ec2:RunInstances" in {
        each.partition(" ")[0] for each in refused(calls, statements["plan"], ACCOUNT)
    }
    assert open_ports(account) == {80, 443}
    assert networks_that_reach(account, "shop-aws-monitor") == set()
    assert subscribers(account) == {MAIL}


def test_a_second_run_from_a_shell_without_the_optional_variables_changes_nothing(
    account: Account,
) -> None:
    account.shell.clear()
    again, calls = account.play(SITE, *HOSTLESS)
    assert not again.failed, again.output
    assert set(again.changed) <= OF_MOTO
    assert writes(calls) in ([], ["ec2:CreateTags"])
    assert open_ports(account) == {80, 443}
    assert subscribers(account) == {MAIL}


def networks_that_reach(account: Account, name: str) -> set[str]:
    """Return the networks that a security group admits, without the groups that it admits."""
    named = [{"Name": "group-name", "Values": [name]}]
    (group,) = account.client("ec2", REGION).describe_security_groups(Filters=named)[
        "SecurityGroups"
    ]
    assert group["IpPermissions"]
    return {each["CidrIp"] for rule in group["IpPermissions"] for each in rule["IpRanges"]}


def open_ports(account: Account) -> set[int]:
    """Return the ports that are open to everybody."""
    groups = account.client("ec2", REGION).describe_security_groups()["SecurityGroups"]
    return {
        rule["FromPort"]
        for group in groups
        for rule in group["IpPermissions"]
        for addresses in rule["IpRanges"]
        if addresses["CidrIp"] == "0.0.0.0/0"
    }


def subscribers(account: Account) -> set[str]:
    found = account.client("sns", REGION).list_subscriptions()["Subscriptions"]
    return {each["Endpoint"] for each in found if each["Protocol"] == "email"}


def test_a_replaced_proxy_keeps_its_address(account: Account) -> None:
    ec2, before = account.client("ec2", REGION), instances(clients(account))["aws-proxy-1"]
    kept = ec2.describe_addresses(Filters=OURS)["Addresses"]
    assert [each["PublicIp"] for each in kept] == [before["PublicIpAddress"]]
    ec2.terminate_instances(InstanceIds=[before["InstanceId"]])
    for each in ec2.describe_addresses(Filters=OURS)["Addresses"]:
        if "AssociationId" in each:  # AWS does this when it terminates an instance
            ec2.disassociate_address(AssociationId=each["AssociationId"])
    replaced, _ = account.play(PROVISION, *HOSTLESS, "--tags", "instances")
    assert not replaced.failed, replaced.output
    after = instances(clients(account))["aws-proxy-1"]
    assert after["InstanceId"] != before["InstanceId"]
    assert after["PublicIpAddress"] == before["PublicIpAddress"]
    assert len(ec2.describe_addresses(Filters=OURS)["Addresses"]) == 1


def test_nobody_terminates_the_data_host_by_mistake(account: Account) -> None:
    ec2, data = account.client("ec2", REGION), instances(clients(account))["aws-data-1"]
    with pytest.raises(ClientError, match="disableApiTermination"):
        ec2.terminate_instances(InstanceIds=[data["InstanceId"]])
    (volume,) = data["BlockDeviceMappings"]
    assert not volume["Ebs"]["DeleteOnTermination"]


def test_another_address_changes_the_security_groups_alone(account: Account) -> None:
    """All of site.yml runs: the doctor, its first play, finds that site.yml will fix this."""
    account.shell["CART_CANARY_ADMIN_CIDR"] = "198.51.100.9/32 127.0.0.1/32"
    moved, calls = account.play(SITE, *HOSTLESS)
    assert not moved.failed, moved.output
    assert set(moved.changed) - OF_MOTO == {
        "cart.canary.doctor : Write the list of the environment's needs",
        "cart.canary.network : security_groups | Create a group for each kind of host",
    }
    assert set(writes(calls)) - {"ec2:CreateTags"} == {
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupIngress",
    }


def test_a_problem_of_the_account_stops_site_yml_before_anything_changes(
    account: Account,
) -> None:
    account.shell["CART_CANARY_ADMIN_CIDR"] = "198.51.100.9/32"
    stopped, calls = account.play(SITE, *HOSTLESS)
    assert stopped.failed
    assert "--skip-tags doctor" in stopped.messages[0]
    assert "export CART_CANARY_ADMIN_CIDR=127.0.0.1/32" in stopped.output
    assert writes(calls) == []


def test_a_controller_without_the_key_is_refused_before_anything_changes(
    account: Account, tmp_path: Path
) -> None:
    other = Account(account.tap, account.gaps, tmp_path)
    refused, calls = other.play(PROVISION)
    assert refused.failed
    assert "Another controller made this environment" in refused.messages[0]
    assert writes(calls) == []


def test_a_second_region_is_refused_with_the_place_to_change(account: Account) -> None:
    refused, calls = account.play(PROVISION, aws_region="us-east-1")
    assert refused.failed
    assert "aws_ec2.yml looks for hosts in eu-central-1" in refused.messages[0]
    assert writes(calls) == []


def test_what_was_made_is_removed(account: Account) -> None:
    removed, _ = account.play(DESTROY, confirm="yes")
    assert not removed.failed, removed.output
    assert left_over(clients(account)) == {}


def test_another_region_is_one_change(account: Account) -> None:
    moved = account.in_region("us-east-1")
    made, calls = moved.play(PROVISION, "--limit", "localhost")
    assert not made.failed, made.output
    regions = {call.region for call in calls if call.service != "iam"}
    assert regions == {"us-east-1"}
    assert len(instances(clients(account, "us-east-1"))) == 7
    subnets = account.client("ec2", "us-east-1").describe_subnets()["Subnets"]
    ours = [subnet for subnet in subnets if subnet["CidrBlock"].startswith("10.76.")]
    assert {subnet["AvailabilityZone"][:-1] for subnet in ours} == {"us-east-1"}
    removed, _ = moved.play(DESTROY, confirm="yes")
    assert not removed.failed, removed.output
    assert left_over(clients(account, "us-east-1")) == {}
