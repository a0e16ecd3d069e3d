"""The bucket for analyses, the registry of images and the name of the service, in any account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

PRIVATE = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


def check_analytics(s3: Any, bucket: str) -> None:
    """Assert that the bucket for analyses is private and encrypted, and that objects expire."""
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == PRIVATE
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 400)
    assert rule["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def check_registry(ecr: Any, name: str) -> None:
    """Assert that the registry never moves a tag, scans images, and deletes old ones."""
    (found,) = ecr.describe_repositories()["repositories"]
    assert found["repositoryName"] == name
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    text = ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    kept = {each["selection"]["tagStatus"]: each["selection"] for each in json.loads(text)["rules"]}
    assert kept["untagged"]["countNumber"] == 7
    assert kept["any"] == {
        "tagStatus": "any",
        "countType": "imageCountMoreThan",
        "countNumber": 30,
    }


def put_image(ecr: Any, name: str, tag: str, digit: str = "0") -> None:
    """Add the manifest of an image, as a push does after its layers."""
    digest = f"sha256:{digit * 64}"
    manifest = {"schemaVersion": 2, "mediaType": DOCKER, "config": {"digest": digest}, "layers": []}
    ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag=tag)


def check_tag_stays(ecr: Any, name: str, tag: str) -> None:
    """Assert that an existing tag cannot be given to another image."""
    with pytest.raises(ClientError, match="AlreadyExists"):
        put_image(ecr, name, tag, digit="1")


def records(dns: Any) -> dict[str, str]:
    """Return the address of each name of the only zone."""
    (zone,) = dns.list_hosted_zones()["HostedZones"]
    found = dns.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return {
        each["Name"]: each["ResourceRecords"][0]["Value"] for each in found if each["Type"] == "A"
    }


def health_checks(dns: Any) -> list[tuple[str, str, str]]:
    """Return the type, the name and the path of each health check."""
    found = dns.list_health_checks()["HealthChecks"]
    configured = [each["HealthCheckConfig"] for each in found]
    return [
        (each["Type"], each["FullyQualifiedDomainName"], each["ResourcePath"])
        for each in configured
    ]
