"""A correct emulated account, and ``canary doctor`` in it as a person types it.

moto checks the caller (``enforced.py``), and the doctor has the keys of a role. ``gaps.py`` adds
the simulation of rights and the quotas of EC2, which moto lacks.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from canary.doctor.needs import Needs
from tests.foreign import gaps
from tests.foreign.account import ACCOUNT, Account, emulated
from tests.foreign.enforced import document, enforce, session
from tests.support.ansible_runs import BIN
from tests.unit.canary.doctor.world import SIZE, TAGS, certificate, write_policy

REGION, ME, MAIL = "eu-central-1", "127.0.0.1", "ops@example.org"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-aws-events"
SITE = "ansible-playbook -i inventory/aws site.yml"
ROLE = "deployer"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
VCPUS, NETWORKS, ADDRESSES = "L-1216C47A", "L-F678F1CE", "L-0263D0A3"


@contextmanager
def in_order(place: Path) -> Iterator[Account]:
    """A correct account: a proxy, its security group, and a subscriber of the alarms."""
    with emulated(place) as made:
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
        made.client("iam", REGION).create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
        allow(made, EVERYTHING)
        made.gaps.quotas = {VCPUS: 14.0, ADDRESSES: 5.0}
        enforce(made)
        made.shell = session(made, ROLE)
        yield made


def allow(account: Account, *statements: dict[str, str]) -> None:
    """Let the caller do what these statements allow."""
    account.client("iam", REGION).put_role_policy(
        RoleName=ROLE, PolicyName="p", PolicyDocument=document(statements)
    )


def host(account: Account, role: str) -> dict[str, Any]:
    wanted = [{"Name": "tag:role", "Values": [role]}]
    found = account.client("ec2", REGION).describe_instances(Filters=wanted)["Reservations"]
    instance: dict[str, Any] = found[0]["Instances"][0]
    return instance


def needs_of(account: Account, place: Path) -> Needs:
    """Return needs of an environment that this account meets."""
    found = Needs.model_validate(
        {
            "account": ACCOUNT,
            "region": REGION,
            "instances": {"t3.small": 7},
            "elastic_addresses": 2,
            "zones": [f"{REGION}a"],
            "size": SIZE.model_dump(),
            "image": {"owner": gaps.DEBIAN, "name": "debian-12-amd64-*"},
            "tags": TAGS,
            "administrators": [f"{ME}/32"],
            "door": "shop-aws-proxy",
            "topic": TOPIC,
            "emails": [MAIL],
            "certificates": [str(certificate(place, days=90))],
            "policy": str(place / "canary.yml"),
            "site": SITE,
        }
    )
    write_policy(found, host(account, "proxy")["PublicIpAddress"])
    return found


def examined(account: Account, needs: Needs, place: Path) -> dict[str, dict[str, Any]]:
    """Run the command, and return its findings by check."""
    file = place / "needs.json"
    file.write_text(needs.model_dump_json(), encoding="utf-8")
    done = subprocess.run(
        [str(BIN / "canary"), "doctor", "--needs", str(file), "--json"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "AWS_ENDPOINT_URL": account.tap.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            **account.shell,
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
