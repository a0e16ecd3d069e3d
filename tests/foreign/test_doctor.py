"""``canary doctor``: each fault planted in an account gets a sentence and a command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from canary.doctor.needs import Needs
from tests.foreign.account import Account
from tests.foreign.doctor_account import (
    ADDRESSES,
    EVERYTHING,
    ME,
    NETWORKS,
    REGION,
    ROLE,
    SITE,
    VCPUS,
    allow,
    examined,
    host,
    in_order,
    needs_of,
)
from tests.foreign.enforced import client
from tests.foreign.gaps import REFUSED
from tests.unit.canary.doctor.world import certificate, write_policy

pytestmark = [pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with in_order(tmp_path_factory.mktemp("doctor")) as made:
        yield made


@pytest.fixture
def needs(account: Account, tmp_path: Path) -> Needs:
    return needs_of(account, tmp_path)


def publish(account: Account, age: float) -> None:
    """Publish a metric of the app host with a time ``age`` seconds ago."""
    dimensions = {"Environment": "aws", "Colour": "blue"}
    dimensions["Instance"] = host(account, "app")["InstanceId"]
    datum = {
        "MetricName": "requests",
        "Timestamp": time.time() - age,
        "Value": 5.0,
        "StorageResolution": 1,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    account.client("cloudwatch", REGION).put_metric_data(Namespace="Shop", MetricData=[datum])


def test_an_account_in_order_has_no_problem(account: Account, needs: Needs, tmp_path: Path) -> None:
    findings = examined(account, needs, tmp_path)
    levels = {name: each["level"] for name, each in findings.items()}
    assert {name for name, level in levels.items() if level == "unknown"} <= {"metrics"}
    assert "problem" not in levels.values()


def stale_policy(needs: Needs, _: Path) -> Needs:
    write_policy(needs, "192.0.2.1")
    return needs


def valid_for(days: int) -> Callable[[Needs, Path], Needs]:
    def plant(needs: Needs, place: Path) -> Needs:
        certificate(place, days)
        return needs

    return plant


def changed(**values: object) -> Callable[[Needs, Path], Needs]:
    return lambda needs, _: needs.model_copy(update=values)


FAULTS = [
    (changed(account="210987654321"), "credentials", "belongs to account", "export AWS_PROFILE="),
    (changed(zones=[f"{REGION}x"]), "zones", "There is no zone eu-central-1x", "network_subnets"),
    (changed(administrators=["203.0.113.7/32"]), "address", f"Your address is {ME}", SITE),
    (changed(emails=["you@example.org"]), "mail", "you@example.org is not subscribed", SITE),
    (stale_policy, "policy", "is out of date: it names proxy 192.0.2.1", "--tags analyzer"),
    (valid_for(3), "certificate", "expires in 2 days", SITE),
    (valid_for(-3), "certificate", "shop.pem expired on 20", SITE),
]


@pytest.mark.parametrize(("plant", "check", "sentence", "command"), FAULTS)
def test_a_planted_fault_is_found_with_a_sentence_and_a_command(
    account: Account,
    needs: Needs,
    tmp_path: Path,
    plant: Callable[[Needs, Path], Needs],
    check: str,
    sentence: str,
    command: str,
) -> None:
    findings = examined(account, plant(needs, tmp_path), tmp_path)
    problems = [name for name, each in findings.items() if each["level"] == "problem"]
    assert problems == [check]
    assert sentence in findings[check]["sentence"]
    assert command in findings[check]["command"]


def test_a_missing_right_is_found_before_the_account_refuses_the_call(
    account: Account, needs: Needs, tmp_path: Path
) -> None:
    denied = {"Effect": "Deny", "Action": "ec2:AllocateAddress", "Resource": "*"}
    allow(account, EVERYTHING, denied)
    try:
        findings = examined(account, needs, tmp_path)
        with pytest.raises(ClientError) as error:
            client(account, ROLE, "ec2").allocate_address(Domain="vpc")
    finally:
        allow(account, EVERYTHING)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in REFUSED
    assert [name for name, each in findings.items() if each["level"] == "problem"] == ["rights"]
    assert f"role/{ROLE} may not: ec2:AllocateAddress" in findings["rights"]["sentence"]
    assert "Add them to the role's policy" in findings["rights"]["command"]


@contextmanager
def new_account(account: Account) -> Iterator[None]:
    """AWS starts many accounts with five vCPUs."""
    account.gaps.quotas[VCPUS] = 5.0
    yield
    account.gaps.quotas[VCPUS] = 14.0


@contextmanager
def networks_of_others(account: Account) -> Iterator[None]:
    """Create four networks beside the default one, up to moto's quota."""
    ec2 = account.client("ec2", REGION)
    made = [ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in range(4)]
    yield
    for each in made:
        ec2.delete_vpc(VpcId=each)


@contextmanager
def addresses_of_others(account: Account) -> Iterator[None]:
    ec2 = account.client("ec2", REGION)
    made = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(4)]
    yield
    for each in made:
        ec2.release_address(AllocationId=each)


@pytest.mark.parametrize(
    ("planted", "sentence", "quota"),
    [
        (new_account, "14 vCPUs are needed, 5 allowed", f"ec2 --quota-code {VCPUS}"),
        (networks_of_others, "5 are in use by others, 5 allowed", f"vpc --quota-code {NETWORKS}"),
        (addresses_of_others, "2 Elastic IPs are needed, 4 are", f"ec2 --quota-code {ADDRESSES}"),
    ],
)
def test_a_quota_that_is_too_small_is_found(
    account: Account,
    needs: Needs,
    tmp_path: Path,
    planted: Callable[[Account], AbstractContextManager[None]],
    sentence: str,
    quota: str,
) -> None:
    with planted(account):
        findings = examined(account, needs, tmp_path)
    assert [name for name, each in findings.items() if each["level"] == "problem"] == ["quota"]
    assert sentence in findings["quota"]["sentence"]
    assert f"request-service-quota-increase --service-code {quota}" in findings["quota"]["command"]


def test_a_clock_that_is_wrong_is_found(account: Account, needs: Needs, tmp_path: Path) -> None:
    account.tap.ahead = 90.0
    try:
        found = examined(account, needs, tmp_path)["clock"]
    finally:
        account.tap.ahead = 0.0
    assert found["level"] == "problem"
    assert "s behind of AWS" in found["sentence"]
    assert "timedatectl" in found["command"]


def test_late_metrics_are_measured(account: Account, needs: Needs, tmp_path: Path) -> None:
    publish(account, age=600)
    found = examined(account, needs, tmp_path)["metrics"]
    assert found["level"] == "problem"
    assert "so a canary would read periods before they are complete" in found["sentence"]
    assert "canary_settle: " in found["command"]
