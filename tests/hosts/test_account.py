"""An account is provisioned on a local cloud: plan, apply, second run, repair, removal."""

from __future__ import annotations

import pytest

from tests.support.ansible_runs import Ansible
from tests.support.aws_parts import (
    check_analytics,
    check_registry,
    check_tag_stays,
    health_checks,
    put_image,
    records,
)
from tests.support.aws_resources import instances, left_over
from tests.support.local_cloud_machine import Cloud

pytestmark = [pytest.mark.timeout(900)]
HOSTS = [
    {"role": "proxy", "count": 1, "subnet": "public"},
    {"role": "app", "colour": "blue", "count": 2, "subnet": "app"},
]
FEWER = [HOSTS[0], {**HOSTS[1], "count": 1}]
PROVISION = "playbooks/provision.yml"
DESTROY = ("playbooks/destroy.yml", "--skip-tags", "local_cloud")
ACCOUNT = "123456789012"  # moto's default account
BUCKET = f"shop-local-releases-{ACCOUNT}"
ANALYTICS = f"shop-local-analytics-{ACCOUNT}"
REGISTRY = "shop-local"
ZONE, NAME = "example.org", "shop.example.org"


@pytest.fixture(scope="module")
def ansible(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """A user whose service has a name in an existing DNS zone of the account."""
    cloud.client("route53").create_hosted_zone(Name=ZONE, CallerReference="1")
    named = {"dns_zone": ZONE, "dns_name": NAME}
    run = tmp_path_factory.mktemp("run")
    return Ansible(run, cloud.settings, {"instances_hosts": HOSTS, **named})


def test_a_plan_for_an_empty_account_shows_everything_and_makes_nothing(
    ansible: Ansible, cloud: Cloud
) -> None:
    plan = ansible.play(PROVISION, "--check", "--diff")
    assert not plan.failed, plan.output
    for part in (
        "VPC",
        "subnets",
        "each kind of host",
        "bucket",
        "topic",
        "tables",
        "instances",
        "registry",
        "record",
    ):
        assert any(part in name for name in plan.changed), part
    assert left_over(cloud.client) == {}
    assert not list(ansible.run.rglob("id_ed25519"))


def test_another_account_is_refused_with_the_command_to_type(
    ansible: Ansible, cloud: Cloud
) -> None:
    refused = ansible.play(PROVISION, aws_account="210987654321")
    assert refused.failed
    assert f"These credentials belong to account {ACCOUNT}" in refused.messages[0]
    assert f"export CART_CANARY_AWS_ACCOUNT={ACCOUNT}" in refused.messages[0]
    assert left_over(cloud.client) == {}


def test_what_is_no_address_gets_no_mail(ansible: Ansible, cloud: Cloud) -> None:
    refused = ansible.play(PROVISION, "--tags", "storage", alarm_emails=["nobody"])
    assert refused.failed
    assert any("nobody is no e-mail address" in message for message in refused.messages)
    assert "topics" not in left_over(cloud.client)


def test_one_run_makes_hosts_that_can_be_reached(ansible: Ansible, cloud: Cloud) -> None:
    made = ansible.play(PROVISION)
    assert not made.failed, made.output
    hosts = instances(cloud.client)
    assert sorted(hosts) == ["local-app-blue-1", "local-app-blue-2", "local-proxy-1"]
    app = hosts["local-app-blue-1"]
    assert app["State"]["Name"] == "running"
    assert app["MetadataOptions"]["HttpTokens"] == "required"
    assert app["PrivateIpAddress"].startswith("10.88.1.")
    assert app["IamInstanceProfile"]["Arn"].endswith("/shop-local-app")
    assert {tag["Key"]: tag["Value"] for tag in app["Tags"]} == {
        "Name": "local-app-blue-1",
        "Project": "shop",
        "Environment": "local",
        "role": "app",
        "colour": "blue",
    }
    volumes = cloud.client("ec2").describe_volumes()["Volumes"]
    assert volumes
    assert all(volume["Encrypted"] for volume in volumes)


def test_releases_are_private_versioned_and_encrypted(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (old,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert (old["Status"], old["Filter"]["Prefix"]) == ("Enabled", "backups/")
    assert old["Expiration"]["Days"] == 35
    assert old["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


def test_the_bucket_for_analyses_and_the_registry_are_there(cloud: Cloud) -> None:
    check_analytics(cloud.client("s3"), ANALYTICS)
    check_registry(cloud.client("ecr"), REGISTRY)


def test_the_name_of_the_service_has_the_address_of_the_proxy(cloud: Cloud) -> None:
    dns = cloud.client("route53")
    proxy = instances(cloud.client)["local-proxy-1"]
    assert records(dns) == {f"{NAME}.": proxy["PrivateIpAddress"]}
    assert health_checks(dns) == [("HTTPS", NAME, "/status")]


def test_only_the_proxy_is_open_to_the_world(cloud: Cloud) -> None:
    groups = cloud.client("ec2").describe_security_groups(
        Filters=[{"Name": "tag:Project", "Values": ["shop"]}]
    )["SecurityGroups"]
    open_ports = {
        (group["GroupName"], rule["FromPort"])
        for group in groups
        for rule in group["IpPermissions"]
        for addresses in rule["IpRanges"]
        if addresses["CidrIp"] == "0.0.0.0/0"
    }
    assert open_ports == {("shop-local-proxy", 80), ("shop-local-proxy", 443)}
    data = next(group for group in groups if group["GroupName"] == "shop-local-data")
    sources = {
        (rule["FromPort"], pair["GroupId"])
        for rule in data["IpPermissions"]
        for pair in rule["UserIdGroupPairs"]
    }
    ids = {group["GroupName"]: group["GroupId"] for group in groups}
    app, proxy = ids["shop-local-app"], ids["shop-local-proxy"]
    assert sources == {(5432, app), (6379, app), (22, proxy)}


def test_a_second_run_and_a_plan_change_nothing(ansible: Ansible, cloud: Cloud) -> None:
    s3, ecr = cloud.client("s3"), cloud.client("ecr")
    s3.put_object(Bucket=ANALYTICS, Key="orders.csv", Body=b"1")
    put_image(ecr, REGISTRY, "1a2b3c")
    again = ansible.play(PROVISION)
    assert not again.failed, again.output
    assert again.changed == ()
    plan = ansible.play(PROVISION, "--check", "--diff")
    assert not plan.failed, plan.output
    assert plan.changed == ()
    assert s3.get_object(Bucket=ANALYTICS, Key="orders.csv")["Body"].read() == b"1"
    check_tag_stays(ecr, REGISTRY, "1a2b3c")


def test_a_run_mends_what_is_missing_and_keeps_who_is_live(ansible: Ansible, cloud: Cloud) -> None:
    """Green is live, the proxy is gone, and the inventory has one host of blue less."""
    cloud.client("ssm").put_parameter(Name="/shop/local/live", Value="green", Overwrite=True)
    dead = instances(cloud.client)["local-proxy-1"]["InstanceId"]
    cloud.client("ec2").terminate_instances(InstanceIds=[dead])
    cloud.await_state(dead, "terminated")
    mended = ansible.play(PROVISION, instances_hosts=FEWER)
    assert not mended.failed, mended.output
    hosts = instances(cloud.client)
    assert sorted(hosts) == ["local-app-blue-1", "local-proxy-1"]
    proxy = hosts["local-proxy-1"]
    assert proxy["InstanceId"] != dead
    assert records(cloud.client("route53")) == {f"{NAME}.": proxy["PrivateIpAddress"]}
    live = cloud.client("ssm").get_parameter(Name="/shop/local/live")["Parameter"]["Value"]
    assert live == "green"


def test_nothing_is_destroyed_without_a_yes_or_in_another_account(
    ansible: Ansible, cloud: Cloud
) -> None:
    refused = ansible.play(*DESTROY, confirm="no")
    assert refused.failed
    assert "playbooks/destroy.yml -e confirm=yes" in refused.messages[0]
    refused = ansible.play(*DESTROY, confirm="yes", aws_account="210987654321")
    assert refused.failed
    assert f"These credentials belong to account {ACCOUNT}" in refused.messages[0]
    assert sorted(instances(cloud.client)) == ["local-app-blue-1", "local-proxy-1"]


def test_destroying_leaves_nothing_in_the_account(ansible: Ansible, cloud: Cloud) -> None:
    cloud.client("s3").put_object(Bucket=BUCKET, Key="releases/x.tar.gz", Body=b"x")
    gone = ansible.play(*DESTROY, confirm="yes")
    assert not gone.failed, gone.output
    assert left_over(cloud.client) == {}
    assert not list(ansible.run.rglob("id_ed25519"))
