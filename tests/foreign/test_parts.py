"""The bucket for analyses, the registry of images and the name of the service, against plain moto.

Each is created once, found by a second run, and removed.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.foreign.account import ACCOUNT, Account, writes
from tests.support.ansible_runs import Run
from tests.support.aws_parts import (
    check_analytics,
    check_registry,
    check_tag_stays,
    health_checks,
    put_image,
    records,
)

pytestmark = [pytest.mark.timeout(1800)]
REGION = "eu-central-1"
PROVISION, DESTROY = "playbooks/provision.yml", "playbooks/destroy.yml"
BUCKET = f"shop-aws-analytics-{ACCOUNT}"
ZONE, NAME, ADDRESS = "example.org", "shop.example.org", "198.51.100.80"


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
    check_analytics(owner.client("s3", REGION), BUCKET)


def test_the_registry_keeps_tags_scans_images_and_ages_them_out(owner: Account) -> None:
    check_registry(owner.client("ecr", REGION), "shop-aws")


def test_a_second_run_finds_them_again_with_what_is_in_them(owner: Account) -> None:
    s3, ecr = owner.client("s3", REGION), owner.client("ecr", REGION)
    s3.put_object(Bucket=BUCKET, Key="orders.csv", Body=b"1")
    put_image(ecr, "shop-aws", "1a2b3c")
    check_tag_stays(ecr, "shop-aws", "1a2b3c")
    again, written = play(owner, "storage,registry")
    assert not again.failed, again.output
    assert (again.changed, written) == ((), [])
    assert s3.get_object(Bucket=BUCKET, Key="orders.csv")["Body"].read() == b"1"


@pytest.fixture
def named(owner: Account) -> Account:
    names = {"CART_CANARY_DNS_ZONE": ZONE, "CART_CANARY_TLS_NAME": NAME}
    return Account(owner.tap, owner.gaps, owner.home, shell=names)


def dns(account: Account) -> Any:
    return account.client("route53", REGION)


def test_a_zone_that_does_not_exist_is_a_sentence_and_a_command(named: Account) -> None:
    refused, written = play(named, "dns", dns_address=ADDRESS)
    assert refused.failed
    assert f"no zone {ZONE} in Route 53" in refused.messages[0]
    assert f"aws route53 create-hosted-zone --name {ZONE}" in refused.messages[0]
    assert written == []


def test_a_name_outside_the_zone_is_refused(named: Account) -> None:
    dns(named).create_hosted_zone(Name=ZONE, CallerReference="1")
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
    assert records(dns(named)) == {f"{NAME}.": ADDRESS}
    assert health_checks(dns(named)) == [("HTTP", NAME, "/status")]
    again, written = play(named, "dns", dns_address=ADDRESS)
    assert (again.changed, written) == ((), [])


def test_another_address_changes_the_record_alone(named: Account) -> None:
    moved, written = play(named, "dns", dns_address="198.51.100.81")
    assert not moved.failed, moved.output
    assert written == ["route53:ChangeResourceRecordSets"]
    assert records(dns(named)) == {f"{NAME}.": "198.51.100.81"}


def test_a_service_that_gets_https_is_checked_over_https(named: Account) -> None:
    secured, _ = play(named, "dns", dns_address="198.51.100.81", dns_secure=True)
    assert not secured.failed, secured.output
    assert health_checks(dns(named)) == [("HTTPS", NAME, "/status")]


def test_all_of_it_is_removed_but_the_zone(named: Account) -> None:
    removed, _ = named.play(DESTROY, "--tags", "storage,registry,dns", confirm="yes")
    assert not removed.failed, removed.output
    assert records(dns(named)) == {}
    assert named.client("ecr", REGION).describe_repositories()["repositories"] == []
    buckets = named.client("s3", REGION).list_buckets()["Buckets"]
    assert [each["Name"] for each in buckets if each["Name"].startswith("shop-")] == []
    dns(named).delete_hosted_zone(Id=dns(named).list_hosted_zones()["HostedZones"][0]["Id"])
