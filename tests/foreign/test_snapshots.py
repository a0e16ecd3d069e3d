"""``playbooks/snapshot.yml`` against plain moto: one snapshot per day, and old ones deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.account import ACCOUNT, Account, writes
from tests.foreign.asked import refused
from tests.foreign.tap import Call
from tests.support.ansible_runs import Run
from tests.support.aws_resources import OURS
from tests.unit.roles.inventories import Environment

pytestmark = [pytest.mark.timeout(900)]
REGION = "eu-central-1"
OWN = [{"Key": "Project", "Value": "shop"}, {"Key": "Environment", "Value": "aws"}]
OTHER = [{"Key": "Project", "Value": "other"}, {"Key": "Environment", "Value": "aws"}]
NAMED = [{"Key": "Name", "Value": "aws-data-1"}]
DAILY = [{"Key": "Snapshot", "Value": "daily"}]
PLAYBOOK = "playbooks/snapshot.yml"


@pytest.fixture(scope="module")
def owner(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(account.tap, account.gaps, tmp_path_factory.mktemp("snapshots"))


def launch(ec2: Any, tags: list[dict[str, str]]) -> tuple[str, str]:
    """Launch an instance with one volume; return the ids of both."""
    made = ec2.run_instances(
        ImageId="ami-00000001",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": tags + NAMED},
            {"ResourceType": "volume", "Tags": tags + NAMED},
        ],
    )["Instances"][0]["InstanceId"]
    found = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [made]}])
    (volume,) = found["Volumes"]
    return made, volume["VolumeId"]


def snapshots(account: Account) -> dict[str, str]:
    """Return the volume of each snapshot of this account."""
    answer = account.client("ec2", REGION).describe_snapshots(OwnerIds=[ACCOUNT])
    return {each["SnapshotId"]: each["VolumeId"] for each in answer["Snapshots"]}


@pytest.fixture(scope="module")
def before(owner: Account) -> set[str]:
    """The snapshots of this account before any test here; moto makes some with each image."""
    return set(snapshots(owner))


@pytest.fixture(scope="module")
def volume(owner: Account, before: set[str]) -> Any:
    """The volume of the data host, beside another project's host of the same name."""
    ec2 = owner.client("ec2", REGION)
    hosts = [launch(ec2, OWN), launch(ec2, OTHER)]
    yield hosts[0][1]
    ec2.terminate_instances(InstanceIds=[host for host, _ in hosts])
    for each in set(snapshots(owner)) - before:
        ec2.delete_snapshot(SnapshotId=each)


def play(owner: Account, *options: str, **variables: Any) -> tuple[Run, list[Call]]:
    return owner.play(PLAYBOOK, *options, **variables)


def test_without_the_host_nothing_is_deleted(owner: Account, before: set[str]) -> None:
    missing, calls = play(owner)
    assert missing.failed
    assert "There is no host aws-data-1" in missing.messages[0]
    assert "Run site.yml first" in missing.messages[0]
    assert writes(calls) == []
    assert set(snapshots(owner)) == before


@pytest.mark.usefixtures("volume")
def test_a_plan_takes_no_snapshot(owner: Account, before: set[str]) -> None:
    plan, calls = play(owner, "--check")
    assert not plan.failed, plan.output
    assert len(plan.changed) == 1
    assert writes(calls) == []
    assert set(snapshots(owner)) == before


def test_each_volume_gets_one_snapshot_a_day(
    owner: Account, volume: str, before: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, calls = play(owner)
    assert not taken.failed, taken.output
    (made,) = set(snapshots(owner)) - before
    found = owner.client("ec2", REGION).describe_snapshots(SnapshotIds=[made])["Snapshots"][0]
    assert found["VolumeId"] == volume
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == {
        "Name": "aws-data-1",
        "Project": "shop",
        "Environment": "aws",
        "Snapshot": "daily",
    }
    again, second = play(owner)
    assert not again.failed, again.output
    assert (again.changed, writes(second)) == ((), [])
    monkeypatch.setenv("CART_CANARY_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("CART_CANARY_AWS_ACCOUNT", ACCOUNT)
    policies = Environment("aws", tmp_path).value("localhost", "bootstrap_statements")
    assert refused(calls + second, policies["snapshots"], ACCOUNT) == set()
    assert refused(calls, policies["plan"], ACCOUNT)


def test_old_snapshots_are_deleted_but_the_newest_and_those_of_others(
    owner: Account, volume: str, before: set[str]
) -> None:
    """With a limit of 0 days, every snapshot is old."""
    ec2 = owner.client("ec2", REGION)

    def take(tags: list[dict[str, str]]) -> str:
        marked = [{"ResourceType": "snapshot", "Tags": tags}]
        made = ec2.create_snapshot(VolumeId=volume, TagSpecifications=marked)
        return str(made["SnapshotId"])

    (first,) = set(snapshots(owner)) - before
    by_hand, others = take(OWN), take(OTHER + DAILY)
    newest = take(OWN + DAILY)
    plan, planned = play(owner, "--check", snapshots_days=0)
    assert not plan.failed, plan.output
    assert (len(plan.changed), writes(planned)) == (1, [])
    pruned, calls = play(owner, snapshots_days=0)
    assert not pruned.failed, pruned.output
    assert writes(calls) == ["ec2:DeleteSnapshot"]
    assert set(snapshots(owner)) - before == {by_hand, others, newest}
    assert first not in snapshots(owner)


def test_the_environment_takes_its_snapshots_with_it(
    owner: Account, volume: str, before: set[str]
) -> None:
    gone, _ = owner.play("playbooks/destroy.yml", "--tags", "snapshots", confirm="yes")
    assert not gone.failed, gone.output
    left = owner.client("ec2", REGION).describe_snapshots(Filters=OURS)["Snapshots"]
    assert left == []
    (others,) = set(snapshots(owner)) - before
    assert snapshots(owner)[others] == volume
