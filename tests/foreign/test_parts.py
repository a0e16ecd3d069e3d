"""The bucket for analyses, the registry of images and the name of the service, against plain moto.

Each is made once, found again by a second run, and removed.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.foreign.account import ACCOUNT, Account, writes
from tests.support.ansible_runs import Run

pytestmark = [pytest.mark.timeout(1800)]
REGION = "eu-central-1"
PROVISION, DESTROY = "playbooks/provision.yml", "playbooks/destroy.yml"
BUCKET = f"shop-aws-analytics-{ACCOUNT}"
ZONE, NAME, ADDRESS = "example.org", "shop.example.org", "198.51.100.80"
PRIVATE = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


@pytest.fixture(scope="module")
def owner(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """A user of the same account, with its own files."""
    return Account(account.tap, account.gaps, tmp_path_factory.mktemp("owner"))


def play(owner: Account, tags: str, *options: str, **variables: Any) -> tuple[Run, list[str]]:
    """Run these roles; return the result and the calls that write."""
    run, calls = owner.play(
        PROVISION, "--limit", "localhost", "--tags", tags, *options, **variables
    )
    return run, writes(calls)


def test_a_plan_shows_the_buckets_and_the_registry_and_makes_neither(owner: Account) -> None:
    plan, written = play(owner, "storage,registry", "--check")
    assert not plan.failed, plan.output
    assert any("registry" in name for name in plan.changed)
    assert any("buckets that would be created" in name for name in plan.changed)
    assert written == []


def test_the_bucket_for_analyses_is_private_encrypted_and_ages(owner: Account) -> None:
    made, _ = play(owner, "storage,registry")
    assert not made.failed, made.output
    s3 = owner.client("s3", REGION)
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"] == PRIVATE
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 400)
    assert rule["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_the_registry_keeps_tags_scans_images_and_ages_them_out(owner: Account) -> None:
    ecr = owner.client("ecr", REGION)
    (found,) = ecr.describe_repositories()["repositories"]
    assert found["repositoryName"] == "shop-aws"
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    text = ecr.get_lifecycle_policy(repositoryName="shop-aws")["lifecyclePolicyText"]
    kept = {each["selection"]["tagStatus"]: each["selection"] for each in json.loads(text)["rules"]}
    assert kept["untagged"]["countNumber"] == 7
    assert kept["any"] == {
        "tagStatus": "any",
        "countType": "imageCountMoreThan",
        "countNumber": 30,
    }


def test_a_second_run_finds_them_again_with_what_is_in_them(owner: Account) -> None:
    s3, ecr = owner.client("s3", REGION), owner.client("ecr", REGION)
    s3.put_object(Bucket=BUCKET, Key="orders.csv", Body=b"1")
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": docker,
        "config": {"digest": "sha256:" + "0" * 64},
        "layers": [],
    }
    ecr.put_image(repositoryName="shop-aws", imageManifest=json.dumps(manifest), imageTag="1a2b3c")
    again, written = play(owner, "storage,registry")
    assert not again.failed, again.output
    assert (again.changed, written) == ((), [])
    assert s3.get_object(Bucket=BUCKET, Key="orders.csv")["Body"].read() == b"1"


@pytest.fixture
def named(owner: Account) -> Account:
    names = {"CART_CANARY_DNS_ZONE": ZONE, "CART_CANARY_TLS_NAME": NAME}
    return Account(owner.tap, owner.gaps, owner.home, shell=names)


def records(account: Account) -> dict[str, str]:
    """Return the address of each name of the zone."""
    dns = account.client("route53", REGION)
    (zone,) = dns.list_hosted_zones()["HostedZones"]
    found = dns.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return {
        each["Name"]: each["ResourceRecords"][0]["Value"] for each in found if each["Type"] == "A"
    }


def checks(account: Account) -> list[tuple[str, str]]:
    found = account.client("route53", REGION).list_health_checks()["HealthChecks"]
    configured = [each["HealthCheckConfig"] for each in found]
    return [(each["Type"], each["FullyQualifiedDomainName"]) for each in configured]


def test_a_zone_that_does_not_exist_is_a_sentence_and_a_command(named: Account) -> None:
    refused, written = play(named, "dns", dns_address=ADDRESS)
    assert refused.failed
    assert f"no zone {ZONE} in Route 53" in refused.messages[0]
    assert f"aws route53 create-hosted-zone --name {ZONE}" in refused.messages[0]
    assert written == []


def test_a_name_outside_the_zone_is_refused(named: Account) -> None:
    named.client("route53", REGION).create_hosted_zone(Name=ZONE, CallerReference="1")
    refused, written = play(named, "dns", dns_address=ADDRESS, tls_name="shop.example.com")
    assert refused.failed
    assert 'is "shop.example.com", which is not in the zone example.org' in refused.messages[0]
    assert written == []


def test_the_name_gets_the_address_of_the_proxy_and_a_health_check(named: Account) -> None:
    planned, written = play(named, "dns", "--check")
    assert not planned.failed, planned.output
    assert (len(planned.changed), written) == (2, [])
    made, _ = play(named, "dns", dns_address=ADDRESS)
    assert not made.failed, made.output
    assert records(named) == {f"{NAME}.": ADDRESS}
    assert checks(named) == [("HTTP", NAME)]
    again, written = play(named, "dns", dns_address=ADDRESS)
    assert (again.changed, written) == ((), [])


def test_another_address_changes_the_record_alone(named: Account) -> None:
    moved, written = play(named, "dns", dns_address="198.51.100.81")
    assert not moved.failed, moved.output
    assert written == ["route53:ChangeResourceRecordSets"]
    assert records(named) == {f"{NAME}.": "198.51.100.81"}


def test_a_service_that_gets_https_is_checked_over_https(named: Account) -> None:
    secured, _ = play(named, "dns", dns_address="198.51.100.81", dns_secure=True)
    assert not secured.failed, secured.output
    assert checks(named) == [("HTTPS", NAME)]


def test_all_of_it_is_removed_but_the_zone(named: Account) -> None:
    removed, _ = named.play(DESTROY, "--tags", "storage,registry,dns", confirm="yes")
    assert not removed.failed, removed.output
    assert records(named) == {}
    assert named.client("ecr", REGION).describe_repositories()["repositories"] == []
    buckets = named.client("s3", REGION).list_buckets()["Buckets"]
    assert [each["Name"] for each in buckets if each["Name"].startswith("shop-")] == []
    named.client("route53", REGION).delete_hosted_zone(
        Id=named.client("route53", REGION).list_hosted_zones()["HostedZones"][0]["Id"]
    )
