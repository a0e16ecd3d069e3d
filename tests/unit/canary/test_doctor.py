"""``canary doctor``: each planted fault is found, with a sentence and a command."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from click.testing import CliRunner
from moto import mock_aws

from canary.cli import cli
from canary.doctor import cost
from canary.doctor.cloud import Cloud
from canary.doctor.examine import CHECKS, examine
from canary.doctor.finding import Finding, Level
from canary.doctor.needs import Needs, Size, load_needs
from canary.doctor.reach import expiry
from canary.doctor.rights import PROVISIONING
from canary.doctor.service import environment_of, metrics
from canary.errors import PolicyError
from canary.model import Arm, Release, Series
from canary.policy import load_policy
from canary.sources.base import Query, Window

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's default account
TAGS = {"Project": "shop", "Environment": "aws"}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-aws-events"
MAIL = "ops@example.org"
ME = "203.0.113.7"
IMAGE_OWNER = "099720109477"  # Ubuntu, which moto has


SIZE = Size(
    volume_gb=112,
    nat_gateways=1,
    addresses=3,
    metrics=40,
    publishers=4,
    period=10,
    alarms=14,
    dashboards=4,
)


class Pages:
    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = pages

    def paginate(self, **_: object) -> tuple[dict[str, Any], ...]:
        return self._pages


class Iam:
    """moto simulates no policies."""

    def __init__(self) -> None:
        self.denied: set[str] = set()

    def get_paginator(self, name: str) -> Pages:
        assert name == "simulate_principal_policy"
        results = [
            {"EvalActionName": each, "EvalDecision": self.decision(each)} for each in PROVISIONING
        ]
        half = len(results) // 2
        return Pages({"EvaluationResults": results[:half]}, {"EvaluationResults": results[half:]})

    def decision(self, action: str) -> str:
        return "implicitDeny" if action in self.denied else "allowed"


class Silent:
    """A service that refuses every question."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: object, **__: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

        return refuse


class Quotas:
    """moto knows no quota of EC2."""

    value = 32.0

    def get_service_quota(self, **_: object) -> dict[str, Any]:
        return {"Quota": {"Value": self.value}}


class Sns:
    """moto confirms every subscription at once."""

    subscription = f"{TOPIC}:1"
    addresses: tuple[str, ...] = (MAIL,)

    def get_paginator(self, name: str) -> Pages:
        if name == "list_topics":
            return Pages({"Topics": [{"TopicArn": TOPIC}]})
        found = [
            {"Endpoint": each, "SubscriptionArn": self.subscription} for each in self.addresses
        ]
        return Pages({"Subscriptions": found})


class World(Cloud):
    """An account in order, in which each test plants one fault."""

    def __init__(self, needs: Needs) -> None:
        super().__init__(needs)
        self.skew = 0.0
        self.seen_as = ME
        self.stubs: dict[str, Any] = {"iam": Iam(), "service-quotas": Quotas(), "sns": Sns()}
        real = self.client
        self.client = lambda service: self.stubs.get(service) or real(service)  # type: ignore[assignment]

    def now(self) -> float:
        return datetime.now(UTC).timestamp() + self.skew

    def address(self) -> str:
        return self.seen_as


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unchecked-by-moto")
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        yield


@pytest.fixture
def needs(tmp_path: Path) -> Needs:
    return Needs(
        account=ACCOUNT,
        region=REGION,
        instances={"t3.small": 7},
        size=SIZE,
        image={"owner": IMAGE_OWNER, "name": "ubuntu/images/*"},  # type: ignore[arg-type]
        tags=TAGS,
        administrators=[f"{ME}/32"],
        door="shop-aws-proxy",
        topic=TOPIC,
        emails=[MAIL],
        certificates=[str(certificate(tmp_path, days=90))],
        policy=str(tmp_path / "canary.yml"),
        site="ansible-playbook -i inventory/aws site.yml",
    )


@pytest.fixture
def world(needs: Needs) -> World:
    ec2 = boto3.client("ec2", REGION)
    group = ec2.create_security_group(GroupName=needs.door, Description="proxy")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=f"{ME}/32"
    )
    host = launch(role="proxy")
    write_policy(needs, host)
    for colour in ("blue", "green"):
        launch(role="app", colour=colour)
    return World(needs)


def certificate(place: Path, days: int) -> Path:
    path = place / "shop.pem"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {place}/key -out {path} -subj /CN=x"
    subprocess.run([*words.split(), "-days", str(days)], check=True, capture_output=True)
    return path


def launch(**tags: str) -> str:
    """Launch an instance, and return its public address."""
    ec2 = boto3.client("ec2", REGION)
    image = ec2.describe_images(Owners=[IMAGE_OWNER])["Images"][0]["ImageId"]
    named = [{"Key": key, "Value": value} for key, value in {**TAGS, **tags}.items()]
    made = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.small",
        TagSpecifications=[{"ResourceType": "instance", "Tags": named}],
    )["Instances"][0]["InstanceId"]
    found = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"][0]
    return str(found["PublicIpAddress"])


def write_policy(needs: Needs, host: str, region: str = REGION) -> None:
    environment = {
        "name": "aws",
        "region": region,
        "source": {"kind": "cloudwatch", "namespace": "Shop", "settle": 20},
        "traffic": {"kind": "haproxy", "host": host, "key": "k", "known_hosts": "h"},
    }
    metric = {"name": "latency", "kind": "latency", "harm": "increase", "margin": "10%"}
    policy = {"version": 1, "period": "10s", "metrics": [metric], "environment": environment}
    Path(needs.policy).write_text(yaml.safe_dump(policy), encoding="utf-8")


def found(world: World, needs: Needs) -> dict[str, Finding]:
    return {each.check: each for each in examine(world, needs)}


def level_of_others(world: World, needs: Needs, check: str) -> set[Level]:
    """Return the levels of all other checks; moto's CloudWatch has no data for ``metrics``."""
    return {f.level for name, f in found(world, needs).items() if name not in {check, "metrics"}}


def test_an_account_in_order_has_no_problem(world: World, needs: Needs) -> None:
    assert level_of_others(world, needs, "") == {Level.OK}
    assert list(found(world, needs)) == [name for name, _ in CHECKS]


def wrong_account(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    return needs.model_copy(update={"account": "210987654321"})


def missing_right(world: World, needs: Needs) -> Needs:
    world.stubs["iam"].denied.add("iam:PassRole")
    return needs


def small_quota(world: World, needs: Needs) -> Needs:
    world.stubs["service-quotas"].value = 5.0  # that of a new account
    return needs


def no_zone(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    return needs.model_copy(update={"instances": {"t3.small": 6, "u-24tb1.metal": 1}})


def no_image(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    image = needs.image.model_copy(update={"name": "debian-99-*"})
    return needs.model_copy(update={"image": image})


def wrong_clock(world: World, needs: Needs) -> Needs:
    world.skew = -90
    return needs


def moved(world: World, needs: Needs) -> Needs:
    world.seen_as = "198.51.100.9"
    return needs


def moved_but_not_applied(world: World, needs: Needs) -> Needs:
    world.seen_as = "198.51.100.9"
    return needs.model_copy(update={"administrators": ["198.51.100.9/32"]})


def expired(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    certificate(Path(needs.certificates[0]).parent, days=3)
    return needs


def unconfirmed(world: World, needs: Needs) -> Needs:
    world.stubs["sns"].subscription = "PendingConfirmation"
    return needs


def unsubscribed(world: World, needs: Needs) -> Needs:
    world.stubs["sns"].addresses = ()
    return needs


def stale_policy(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    write_policy(needs, "192.0.2.1")
    return needs


def policy_of_another_region(world: World, needs: Needs) -> Needs:
    assert world.seen_as
    write_policy(needs, "192.0.2.1", region="us-east-1")
    return needs


SITE = "ansible-playbook -i inventory/aws site.yml"
FAULTS = [
    (wrong_account, "credentials", "belongs to account 210987654321", "export AWS_PROFILE="),
    (missing_right, "rights", "may not: iam:PassRole", "policy"),
    (small_quota, "quota", "14 vCPUs are needed", "request-service-quota-increase"),
    (no_zone, "zones", "offers t3.small and u-24tb1.metal", "instances_type"),
    (no_image, "image", "is called debian-99-*", "instances_image"),
    (wrong_clock, "clock", "s behind of AWS", "timedatectl"),
    (moved, "address", "Your address is 198.51.100.9", "CART_CANARY_ADMIN_CIDR=198.51.100.9/32"),
    (moved_but_not_applied, "address", "security group shop-aws-proxy admits 203.0.113.7/32", SITE),
    (expired, "certificate", "expires in 2 days", SITE),
    (unconfirmed, "mail", "has not confirmed", "aws sns subscribe"),
    (unsubscribed, "mail", "ops@example.org is not subscribed", SITE),
    (stale_policy, "policy", "is out of date: it names proxy 192.0.2.1", "--tags analyzer"),
    (policy_of_another_region, "policy", "is of region us-east-1", "--tags analyzer"),
]


@pytest.mark.parametrize(("plant", "check", "sentence", "command"), FAULTS)
def test_a_planted_fault_is_found_with_a_sentence_and_a_command(
    plant: Callable[[World, Needs], Needs],
    check: str,
    sentence: str,
    command: str,
    world: World,
    needs: Needs,
) -> None:
    changed = plant(world, needs)
    finding = found(world, changed)[check]
    assert finding.level is Level.PROBLEM
    assert sentence in finding.sentence
    assert command in finding.command
    if plant is not wrong_clock and plant is not no_zone:
        assert level_of_others(world, changed, check) == {Level.OK}


class Reported:
    """A source whose newest datapoint is of ``newest``."""

    def __init__(self, newest: int | None) -> None:
        self._newest = newest

    def instances(self, colour: str, window: Window | None = None) -> tuple[str, ...]:
        assert window is None
        return ("i-1",) if colour == "blue" else ()

    def read(
        self, queries: Sequence[Query], arms: Mapping[Arm, Release], start: int, end: int
    ) -> tuple[Series, ...]:
        assert queries
        (arm,) = arms
        times = tuple(range(start, end, 10))
        newest = self._newest
        values = tuple(1.0 if newest is not None and time <= newest else None for time in times)
        return (Series("requests", arm, "i-1", times, values, values),)

    def describe(self) -> str:
        return "a test"


@pytest.mark.parametrize(
    ("late", "level", "words"),
    [
        (20, Level.OK, "settle is 20 s"),
        (95, Level.PROBLEM, "The newest period ended 95 s ago"),
        (None, Level.UNKNOWN, "No instance reported"),
    ],
)
def test_late_metrics_propose_a_settle(
    needs: Needs, late: int | None, level: Level, words: str
) -> None:
    write_policy(needs, "192.0.2.1")
    rules, environment = load_policy(Path(needs.policy)), environment_of(needs)
    now = 1_800_000_000.0
    newest = None if late is None else int(now) - 10 * math.ceil(late / 10) - 10
    moment = now if newest is None or late is None else newest + 10.0 + late
    finding = metrics(Reported(newest), rules, environment, moment)
    assert finding.level is level
    assert words in finding.sentence
    assert ("canary_settle: 100" in finding.command) == (level is Level.PROBLEM)


def test_what_the_account_does_not_answer_is_unknown_and_no_traceback(
    world: World, needs: Needs
) -> None:
    silent = Silent()
    world.stubs |= {"iam": silent, "service-quotas": silent}
    levels = {name: finding.level for name, finding in found(world, needs).items()}
    assert levels["rights"] is levels["quota"] is Level.UNKNOWN


def test_an_answer_that_is_a_page_is_unknown_and_short(world: World, needs: Needs) -> None:
    class Page:
        def get_service_quota(self, **_: object) -> None:
            raise ResponseParserError("Unable to parse response: " + "<html>" * 500)

    world.stubs["service-quotas"] = Page()
    finding = found(world, needs)["quota"]
    assert finding.level is Level.UNKNOWN
    assert len(finding.sentence) < 300


def test_the_command_tells_problems_by_its_exit_status(
    world: World, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.doctor.cloud.Cloud", lambda _: world)
    Path(".run/aws").mkdir(parents=True)
    Path(".run/aws/needs.json").write_text(needs.model_dump_json(), encoding="utf-8")
    well = CliRunner().invoke(cli, ["doctor", "--env", "aws"])
    assert well.exit_code == 0, well.output
    assert "0 problems, 1 unknown, 10 in order" in well.output
    world.seen_as = "198.51.100.9"
    ill = CliRunner().invoke(cli, ["doctor", "--env", "aws"])
    assert ill.exit_code == 1
    assert "export CART_CANARY_ADMIN_CIDR=198.51.100.9/32 && ansible-playbook" in ill.output
    as_json = CliRunner().invoke(cli, ["doctor", "--env", "aws", "--json"])
    assert as_json.exit_code == 1
    (one,) = [each for each in json.loads(as_json.output) if each["level"] == "problem"]
    assert (one["check"], one["sentence"][:15]) == ("address", "Your address is")


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "playbooks/doctor.yml"), ("{}", "account: Field required"), ("[", "not valid")],
)
def test_needs_that_cannot_be_read_are_a_sentence(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "needs.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        load_needs(path)


def test_the_expiry_of_a_certificate_is_that_which_openssl_reads(tmp_path: Path) -> None:
    for days in (1, 30_000):  # beyond 2050 the date has another form
        path = certificate(tmp_path, days)
        words = ["openssl", "x509", "-enddate", "-noout", "-in", str(path)]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        text = told.strip().replace("GMT", "+0000")
        read = datetime.strptime(text, "notAfter=%b %d %H:%M:%S %Y %z")
        assert expiry(path.read_text()) == read


def test_the_bill_is_the_sum_of_its_items(needs: Needs) -> None:
    bill = {item.what: item.dollars for item in cost.bill(needs)}
    assert bill["7 x t3.small"] == pytest.approx(7 * 0.024 * 730)
    assert bill["1 NAT gateway"] == pytest.approx(0.052 * 730)
    assert bill["publishing them every 10 s"] == pytest.approx(4 * 262_800 / 1000 * 0.01)
    assert cost.total(cost.bill(needs)) == pytest.approx(
        sum(map(float, filter(None, bill.values())))
    )


def test_an_unknown_price_is_said_and_not_left_out(needs: Needs) -> None:
    other = needs.model_copy(update={"instances": {"m9.huge": 2}})
    assert cost.lines(cost.bill(other))[0].split()[-1] == "unknown"
    with pytest.raises(PolicyError, match="No prices are known for region mars-1, only for eu-"):
        cost.bill(needs.model_copy(update={"region": "mars-1"}))


def test_the_plan_shows_the_bill_before_there_is_a_policy(needs: Needs) -> None:
    told = CliRunner().invoke(cli, ["plan", "--env", "aws", "--cost"])
    assert isinstance(told.exception, PolicyError)
    assert "playbooks/doctor.yml" in str(told.exception)
    Path(".run/aws").mkdir(parents=True)
    Path(".run/aws/needs.json").write_text(needs.model_dump_json(), encoding="utf-8")
    shown = CliRunner().invoke(cli, ["plan", "--env", "aws", "--cost"])
    assert shown.exit_code == 0, shown.output
    assert "a month, in US dollars" in shown.output
    as_json = json.loads(
        CliRunner().invoke(cli, ["plan", "--env", "aws", "--cost", "--json"]).output
    )
    assert as_json["total"] == pytest.approx(sum(item["dollars"] for item in as_json["items"]))
