"""IMDSv2 as in the EC2 User Guide ("Use the Instance Metadata Service")."""

import json
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest

from local_cloud.emulator.lifecycle import Instance
from local_cloud.emulator.roles import Credentials
from local_cloud.imds import Service, Tokens
from local_cloud.metadata import CredentialCache, Metadata
from tests.unit.local_cloud.examples import instance

NEIGHBOUR = instance(id="i-neighbour", ip="10.77.1.5")
NOW = datetime(2026, 1, 1)  # noqa: DTZ001 - moto's times are naive UTC


class Assumed:
    """A role provider that counts its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []

    def __call__(self, role: str, instance_id: str, region: str, now: datetime) -> Credentials:
        self.calls.append((role, instance_id, region))
        number = str(len(self.calls))
        return Credentials(number, "secret", "token", now, now + timedelta(hours=6))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def service(*known: Instance, clock: Clock | None = None) -> Service:
    by_address = {each.ip: each for each in known}
    return Service(
        find=by_address.get,
        credentials=CredentialCache(Assumed()),
        tokens=Tokens(clock or Clock()),
    )


def read(path: str, **changes: object) -> str | None:
    return Metadata(instance(**changes), CredentialCache(Assumed())).answer(path)


def test_without_a_token_nothing_is_told() -> None:
    answer = service(instance()).get("10.77.1.4", "/latest/meta-data/instance-id", None)
    assert (answer.status, answer.text) == (HTTPStatus.UNAUTHORIZED, "")


def test_with_a_token_the_instance_is_told_what_it_is() -> None:
    running = service(instance())
    token = running.put("10.77.1.4", "/latest/api/token", "60").text
    answer = running.get("10.77.1.4", "/latest/meta-data/instance-id", token)
    assert (answer.status, answer.text) == (HTTPStatus.OK, "i-0123456789abcdef0")


def test_a_neighbours_token_is_refused() -> None:
    running = service(instance(), NEIGHBOUR)
    token = running.put("10.77.1.5", "/latest/api/token", "60").text
    assert running.get("10.77.1.4", "/latest/meta-data/", token).status == HTTPStatus.UNAUTHORIZED


def test_a_token_ends_when_it_said() -> None:
    clock = Clock()
    running = service(instance(), clock=clock)
    token = running.put("10.77.1.4", "/latest/api/token", "60").text
    clock.now += 59
    assert running.get("10.77.1.4", "/latest/", token).status == HTTPStatus.OK
    clock.now += 1
    assert running.get("10.77.1.4", "/latest/", token).status == HTTPStatus.UNAUTHORIZED


# The User Guide: "minimum 1 second, maximum six hours (21,600 seconds)".
@pytest.mark.parametrize("seconds", [None, "", "0", "21601", "-5", "ten"])
def test_a_token_needs_a_duration_of_one_second_to_six_hours(seconds: str | None) -> None:
    answer = service(instance()).put("10.77.1.4", "/latest/api/token", seconds)
    assert answer.status == HTTPStatus.BAD_REQUEST


def test_strangers_and_instances_with_metadata_off_get_nothing() -> None:
    running = service(instance(metadata=False))
    assert running.get("10.77.9.9", "/latest/", "x").status == HTTPStatus.NOT_FOUND
    assert running.get("10.77.1.4", "/latest/", "x").status == HTTPStatus.FORBIDDEN
    assert running.put("10.77.1.4", "/latest/api/token", "60").status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "latest"),
        ("/latest/", "dynamic/\nmeta-data/"),
        ("/latest/meta-data/local-ipv4", "10.77.1.4"),
        ("/latest/meta-data/local-hostname", "ip-10-77-1-4.eu-central-1.compute.internal"),
        ("/latest/meta-data/placement/region", "eu-central-1"),
        ("/latest/meta-data/placement/availability-zone", "eu-central-1a"),
        ("/latest/meta-data/public-keys/", "0=deployer"),
        ("/latest/meta-data/public-keys/0/", "openssh-key"),
        ("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA test"),
        ("/latest/meta-data/tags/instance/", "Name\nrole"),
        ("/latest/meta-data/tags/instance/Name", "local-app-blue-1"),
        ("/latest/meta-data/security-groups", "app\nbase"),
        ("/latest/meta-data/iam/security-credentials/", "app"),
        ("/latest/user-data", None),
        ("/latest/meta-data/nothing", None),
        ("/elsewhere/meta-data", None),
    ],
)
def test_paths(path: str, text: str | None) -> None:
    assert read(path) == text


def test_tags_are_told_only_if_asked_for() -> None:
    assert read("/latest/meta-data/tags/instance/Name", metadata_tags=False) is None


def test_user_data_is_told_as_given() -> None:
    assert read("/latest/user-data", user_data="#!/bin/sh\n") == "#!/bin/sh\n"


def test_identity_document_names_the_instance() -> None:
    document = json.loads(read("/latest/dynamic/instance-identity/document") or "")
    assert document["instanceId"] == "i-0123456789abcdef0"
    assert document["region"] == "eu-central-1"
    assert document["privateIp"] == "10.77.1.4"


def test_credentials_are_kept_until_shortly_before_they_end() -> None:
    assumed = Assumed()
    cache = CredentialCache(assumed)
    first = json.loads(cache.document(instance(), NOW))
    assert assumed.calls == [("app", "i-0123456789abcdef0", "eu-central-1")]
    assert first["Expiration"] == "2026-01-01T06:00:00Z"
    later = json.loads(cache.document(instance(), NOW + timedelta(hours=5)))
    renewed = json.loads(cache.document(instance(), NOW + timedelta(hours=5, minutes=45)))
    assert (later["AccessKeyId"], renewed["AccessKeyId"]) == ("1", "2")


def test_without_a_role_there_are_no_credentials() -> None:
    assert read("/latest/meta-data/iam/security-credentials/app", profile="", role="") is None
