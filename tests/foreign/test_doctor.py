"""``canary doctor`` as typed by a person, against plain moto, with faults planted in the account.

moto answers neither SimulatePrincipalPolicy nor the quotas of EC2, so a missing right and a quota
are planted in ``tests/unit/canary/doctor``; here they are unknown, and never in order.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from canary.doctor.needs import Needs
from tests.foreign import gaps
from tests.foreign.account import ACCOUNT, KEYS, Account, emulated
from tests.support.ansible_runs import BIN
from tests.unit.canary.doctor.world import SIZE, TAGS, certificate, write_policy

pytestmark = [pytest.mark.timeout(900)]
REGION, ME, MAIL = "eu-central-1", "127.0.0.1", "ops@example.org"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-aws-events"
SITE = "ansible-playbook -i inventory/aws site.yml"
UNKNOWN = {"rights", "quota"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in order: a proxy, its security group, and a subscriber of the alarms."""
    with emulated(tmp_path_factory.mktemp("doctor")) as made:
        ec2, sns = made.client("ec2", REGION), made.client("sns", REGION)
        group = ec2.create_security_group(GroupName="shop-aws-proxy", Description="proxy")
        ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"],
            IpProtocol="tcp",
            FromPort=22,
            ToPort=22,
            CidrIp=f"{ME}/32",
        )
        sns.create_topic(Name="shop-aws-events")
        sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint=MAIL)
        for kind in ({"role": "proxy"}, {"role": "app", "colour": "blue"}):
            tags = [{"Key": key, "Value": value} for key, value in {**TAGS, **kind}.items()]
            ec2.run_instances(
                ImageId=gaps.IMAGES[0]["ami_id"],
                MinCount=1,
                MaxCount=1,
                InstanceType="t3.small",
                TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            )
        yield made


def host(account: Account, role: str) -> dict[str, Any]:
    wanted = [{"Name": "tag:role", "Values": [role]}]
    found = account.client("ec2", REGION).describe_instances(Filters=wanted)["Reservations"]
    instance: dict[str, Any] = found[0]["Instances"][0]
    return instance


def publish(account: Account, age: float) -> None:
    """Publish a metric of the app host, as it was ``age`` seconds ago."""
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


@pytest.fixture
def needs(account: Account, tmp_path: Path) -> Needs:
    found = Needs.model_validate(
        {
            "account": ACCOUNT,
            "region": REGION,
            "instances": {"t3.small": 7},
            "zones": [f"{REGION}a"],
            "size": SIZE.model_dump(),
            "image": {"owner": gaps.DEBIAN, "name": "debian-12-amd64-*"},
            "tags": TAGS,
            "administrators": [f"{ME}/32"],
            "door": "shop-aws-proxy",
            "topic": TOPIC,
            "emails": [MAIL],
            "certificates": [str(certificate(tmp_path, days=90))],
            "policy": str(tmp_path / "canary.yml"),
            "site": SITE,
        }
    )
    write_policy(found, host(account, "proxy")["PublicIpAddress"])
    return found


def examined(account: Account, needs: Needs, place: Path) -> dict[str, dict[str, Any]]:
    """Type the command; return its findings by check."""
    file = place / "needs.json"
    file.write_text(needs.model_dump_json(), encoding="utf-8")
    done = subprocess.run(
        [str(BIN / "canary"), "doctor", "--needs", str(file), "--json"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "AWS_ENDPOINT_URL": account.tap.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            **KEYS,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    findings = {each["check"]: each for each in json.loads(done.stdout)}
    problems = [name for name, each in findings.items() if each["level"] == "problem"]
    assert (done.returncode == 1) == bool(problems), problems
    return findings


def test_an_account_in_order_has_no_problem(account: Account, needs: Needs, tmp_path: Path) -> None:
    findings = examined(account, needs, tmp_path)
    levels = {name: each["level"] for name, each in findings.items()}
    assert {name for name, level in levels.items() if level == "unknown"} <= UNKNOWN | {"metrics"}
    assert "problem" not in levels.values()


def stale_policy(needs: Needs, _: Path) -> Needs:
    write_policy(needs, "192.0.2.1")
    return needs


def expired(needs: Needs, place: Path) -> Needs:
    certificate(place, days=3)
    return needs


def changed(**values: object) -> Callable[[Needs, Path], Needs]:
    return lambda needs, _: needs.model_copy(update=values)


FAULTS = [
    (changed(account="210987654321"), "credentials", "belongs to account", "export AWS_PROFILE="),
    (changed(zones=[f"{REGION}x"]), "zones", "There is no zone eu-central-1x", "network_subnets"),
    (changed(administrators=["203.0.113.7/32"]), "address", f"Your address is {ME}", SITE),
    (changed(emails=["you@example.org"]), "mail", "you@example.org is not subscribed", SITE),
    (stale_policy, "policy", "is out of date: it names proxy 192.0.2.1", "--tags analyzer"),
    (expired, "certificate", "expires in 2 days", SITE),
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
