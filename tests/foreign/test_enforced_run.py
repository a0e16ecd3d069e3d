"""A whole account with rights enforced: each call uses the role that makes it on AWS."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from alarm_recorder.recorder import Recorder
from alarm_recorder.recorder import Settings as RecorderSettings
from botocore.exceptions import ClientError
from log_shipper import api
from prober.publish import Outbox, client

from app.metrics.sink import cloudwatch as sink
from app.settings import Settings
from tests.foreign.account import ACCOUNT, HOSTLESS, Account, emulated, statements_of, writes
from tests.foreign.asked import refused
from tests.foreign.enforced import REGION, enforce, permit, session
from tests.foreign.gaps import REFUSED
from tests.foreign.tap import Call
from tests.support.aws_resources import instances
from tests.support.backup_program import load
from tests.support.canary_calls import use_everything
from tests.unit.roles.inventories import Environment, use_account

pytestmark = [pytest.mark.timeout(1800)]
SITE, BOOTSTRAP = "site.yml", "playbooks/bootstrap.yml"
WORKFLOWS = {kind: f"shop-aws-github-{kind}" for kind in ("plan", "apply", "release")}
PLENTY = {"L-1216C47A": 32.0, "L-0263D0A3": 5.0}


def own(account: Account, role: str) -> list[dict[str, Any]]:
    """Return the inline policy that a playbook gave a role."""
    found = statements_of(account, f"arn:aws:iam::{ACCOUNT}:role/{role}")
    assert found
    return found


def denied(calls: list[Call]) -> set[str]:
    """Return the calls that moto refused because of their caller."""
    return {f"{call} {call.parameters}" for call in calls if call.status in REFUSED}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in which an administrator ran bootstrap.yml, and nothing else."""
    with emulated(tmp_path_factory.mktemp("enforced-run")) as made:
        done, _ = made.play(BOOTSTRAP, repository="example/shop", stage="beta")
        assert not done.failed, done.output
        enforce(made)
        for role in WORKFLOWS.values():
            permit(made, role, own(made, role))
        made.gaps.quotas = PLENTY
        yield made


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The variables of the inventory."""
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("values")
        use_account(patch, directory)
        yield Environment("aws", directory).values("localhost")


def test_a_plan_works_with_the_rights_of_plan(account: Account) -> None:
    account.shell = session(account, WORKFLOWS["plan"])
    plan, calls = account.play(SITE, "--check", "--diff", *HOSTLESS)
    assert not plan.failed, plan.output
    assert denied(calls) == set()
    assert writes(calls) == []
    assert refused(calls, own(account, WORKFLOWS["plan"]), ACCOUNT) == set()


def test_provisioning_works_with_the_rights_of_apply(account: Account) -> None:
    account.shell = session(account, WORKFLOWS["apply"])
    account.shell["CART_CANARY_ALARM_EMAILS"] = "ops@example.org"
    made, calls = account.play(SITE, *HOSTLESS)
    assert not made.failed, made.output
    assert denied(calls) == set()
    assert refused(calls, own(account, WORKFLOWS["apply"]), ACCOUNT) == set()
    assert len(instances(lambda service: account.client(service, REGION))) == 7


@pytest.fixture
def acting(account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """Give this process the credentials of a role, and return them."""

    def become(role: str) -> dict[str, str]:
        permit(account, role, own(account, role))
        keys = session(account, role)
        where = {"AWS_ENDPOINT_URL": account.tap.url, "AWS_DEFAULT_REGION": REGION}
        for name, value in {**where, **keys}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        return keys

    return become


def test_canary_works_with_the_rights_of_release(
    account: Account, acting: Callable[[str], dict[str, str]], values: Any
) -> None:
    acting(WORKFLOWS["release"])
    with account.tap.recording() as calls:
        use_everything(values)
    assert len(calls) > 20
    assert denied(calls) == set()
    assert refused(calls, own(account, WORKFLOWS["release"]), ACCOUNT) == set()


def app(values: Any, _: Path) -> None:
    """Publish metrics, as the shop does."""
    settings = Settings(metrics_namespace=values("metric_namespace"))
    assert sink(settings)._send(([{"MetricName": "requests", "Value": 1.0}], None))


def monitor(values: Any, _: Path) -> None:
    """Record a change of an alarm, publish the prober's results, and read the last backup."""
    name = values("event_queue_arn").rpartition(":")[2]
    queue = boto3.resource("sqs").get_queue_by_name(QueueName=name)
    tables = {"alarms": values("alarm_table"), "history": values("history_table")}
    rows = {kind: boto3.resource("dynamodb").Table(each) for kind, each in tables.items()}
    recorder = Recorder(RecorderSettings("aws", name, tables), queue, rows)  # type: ignore[arg-type]
    assert recorder.take() >= 1  # the canary announced its verdict there too
    publisher = Outbox(client("cloudwatch"), values("metric_namespace"), "aws", 10)
    assert publisher._send([{"MetricName": "backup_age", "Value": 1.0}])
    boto3.client("s3").get_object(Bucket=values("release_bucket"), Key="backups/latest")


def data(values: Any, place: Path) -> None:
    """Store a backup and read it, as the program does. curl signs the requests."""
    where = {"endpoint": os.environ["AWS_ENDPOINT_URL"], "region": REGION}
    where["bucket"] = values("release_bucket")
    text = load().curl_words(where, metadata(), "latest")
    (place / "dump").write_text("a dump", encoding="utf-8")
    for words in (["--upload-file", str(place / "dump")], ["--output", str(place / "found")]):
        subprocess.run(["curl", "--config", "-", *words], input=text, text=True, check=True)
    assert (place / "found").read_text(encoding="utf-8") == "a dump"


def proxy(_: Any, __: Path) -> None:
    """Ship logs only."""


def metadata() -> dict[str, str]:
    """Return the credentials of this process as instance metadata does."""
    names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY"}
    names["Token"] = "SESSION_TOKEN"
    return {key: os.environ[f"AWS_{name}"] for key, name in names.items()}


@pytest.mark.parametrize("use", [data, app, monitor, proxy])
def test_each_kind_of_host_works_with_its_own_rights(
    account: Account,
    acting: Callable[[str], dict[str, str]],
    values: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[Any, Path], None],
) -> None:
    kind = use.__name__
    if kind == "monitor":
        alarm(account, values)
    acting(f"shop-aws-{kind}")
    monkeypatch.setattr(api, "credentials", metadata)
    logs = api.Api(REGION, account.tap.url)
    stream = {"logGroupName": f"{values('log_prefix')}{kind}", "logStreamName": f"aws-{kind}-1"}
    events = [{"timestamp": int(time.time() * 1000), "message": "started"}]
    with account.tap.recording() as calls:
        logs.call("CreateLogStream", **stream)
        logs.call("PutLogEvents", **stream, logEvents=events)
        use(values, tmp_path)
    assert denied(calls) == set()
    assert {call.service for call in calls} >= {"logs"}
    assert refused(calls, own(account, f"shop-aws-{kind}"), ACCOUNT) == set()


def alarm(account: Account, values: Any) -> None:
    """Change the state of an alarm, which sends a message to the recorder's queue."""
    change = {"AlarmName": "a", "NewStateValue": "ALARM", "OldStateValue": "OK"}
    change |= {"NewStateReason": "why", "StateChangeTime": "2026-11-26T11:00:20.000+0000"}
    topic = values("event_topic_arn")
    account.client("sns", REGION).publish(TopicArn=topic, Message=json.dumps(change))


BEYOND: list[tuple[str, str, str, dict[str, Any]]] = [
    (WORKFLOWS["plan"], "ec2", "create_vpc", {"CidrBlock": "10.78.0.0/16"}),
    (WORKFLOWS["plan"], "ssm", "put_parameter", {"Name": "/x", "Value": "y", "Type": "String"}),
    (WORKFLOWS["apply"], "iam", "create_user", {"UserName": "another"}),
    (WORKFLOWS["apply"], "dynamodb", "delete_table", {"TableName": "shop-aws-lock"}),
    (WORKFLOWS["release"], "ec2", "create_vpc", {"CidrBlock": "10.78.0.0/16"}),
    ("shop-aws-app", "ssm", "get_parameter", {"Name": "/shop/aws/live"}),
    ("shop-aws-monitor", "dynamodb", "delete_table", {"TableName": "shop-aws-lock"}),
    ("shop-aws-data", "s3", "delete_object", {"Key": "backups/latest"}),
    ("shop-aws-data", "s3", "get_object", {"Key": "releases/1a2b3c4d5e6f.tar.gz"}),
    ("shop-aws-proxy", "cloudwatch", "put_metric_data", {"Namespace": "Shop", "MetricData": []}),
]


@pytest.mark.parametrize(("role", "service", "call", "given"), BEYOND)
def test_a_call_beyond_a_role_is_refused(
    acting: Callable[[str], dict[str, str]],
    values: Any,
    role: str,
    service: str,
    call: str,
    given: dict[str, Any],
) -> None:
    acting(role)
    if service == "s3":
        given = {**given, "Bucket": values("release_bucket")}
    with pytest.raises(ClientError) as error:
        getattr(boto3.client(service), call)(**given)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in REFUSED
