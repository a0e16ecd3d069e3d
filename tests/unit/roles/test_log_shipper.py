"""Each entry of the journal reaches CloudWatch, in order, despite failures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from log_shipper import api
from log_shipper.api import RefusedError, sign
from log_shipper.journal import (
    LONGEST,
    LONGEST_SPAN,
    MOST_BYTES,
    MOST_EVENTS,
    Entry,
    Journal,
    batch,
    parse,
)
from log_shipper.shipper import Shipper

KEYS = {"AccessKeyId": "AKID", "SecretAccessKey": "secret", "Token": "token"}


def entry(number: int, timestamp: int | None = None, text: str = "text") -> Entry:
    return Entry(f"at-{number}", number if timestamp is None else timestamp, text)


@dataclass
class Aws:
    """CloudWatch, which refuses a given number of calls, each with a reason."""

    refusals: list[Exception] = field(default_factory=list)
    streams: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def call(self, action: str, **parameters: object) -> None:
        self.calls.append(action)
        if self.refusals:
            raise self.refusals.pop(0)
        name = str(parameters["logStreamName"])
        if action == "CreateLogStream":
            self.streams[name] = []
            return
        if name not in self.streams:
            raise RefusedError("ResourceNotFoundException", "The log stream does not exist.")
        events = parameters["logEvents"]
        assert isinstance(events, list)
        assert events == sorted(events, key=lambda event: event["timestamp"])
        self.streams[name] += [event["message"] for event in events]


@dataclass
class Entries:
    """A journal in memory, read in batches of two."""

    waiting: list[Entry]

    def read(self) -> list[Entry]:
        return self.waiting[:2]

    def move(self, position: str) -> None:
        at = [each.position for each in self.waiting].index(position)
        del self.waiting[: at + 1]


def shipper(aws: Aws, journal: Entries) -> Shipper:
    return Shipper(aws, journal, "/shop/aws/app", "aws-app-blue-1")


def test_every_entry_arrives_once_and_the_stream_is_created() -> None:
    aws, journal = Aws(), Entries([entry(number, text=str(number)) for number in range(5)])
    sender = shipper(aws, journal)
    assert [sender.ship() for _ in range(4)] == [True, True, True, False]
    assert aws.streams == {"aws-app-blue-1": ["0", "1", "2", "3", "4"]}
    assert aws.calls.count("CreateLogStream") == 1


@pytest.mark.parametrize(
    "away", [OSError("no route"), RefusedError("ThrottlingException", ""), TimeoutError()]
)
def test_entries_wait_while_aws_is_away_and_one_line_says_so(
    away: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    aws = Aws([away] * 5, {"aws-app-blue-1": []})
    journal = Entries([entry(number, text=str(number)) for number in range(4)])
    sender = shipper(aws, journal)
    assert [sender.ship() for _ in range(5)] == [False] * 5
    assert len(journal.waiting) == 4
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert [sender.ship(), sender.ship()] == [True, True]
    assert aws.streams["aws-app-blue-1"] == ["0", "1", "2", "3"]


def test_entries_that_aws_never_takes_do_not_block_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = RefusedError("InvalidParameterException", "too old")
    aws = Aws([refused], {"aws-app-blue-1": []})
    journal = Entries([entry(number, text=str(number)) for number in range(3)])
    sender = shipper(aws, journal)
    assert [sender.ship(), sender.ship()] == [True, True]
    assert aws.streams["aws-app-blue-1"] == ["2"]
    assert "2 entries are lost: InvalidParameterException: too old" in caplog.text


def test_a_clock_that_was_set_back_changes_the_order_of_a_batch() -> None:
    aws = Aws([], {"aws-app-blue-1": []})
    journal = Entries([entry(0, 20, "first"), entry(1, 10, "second")])
    assert shipper(aws, journal).ship()
    assert aws.streams["aws-app-blue-1"] == ["second", "first"]


def test_a_batch_is_no_larger_than_one_call_takes() -> None:
    assert len(list(batch(entry(number) for number in range(5_000)))) == MOST_EVENTS
    long = [entry(number, 0, text="x" * LONGEST) for number in range(30)]
    assert 0 < len(list(batch(long))) * LONGEST <= MOST_BYTES
    days = [entry(number, number * LONGEST_SPAN // 2) for number in range(9)]
    assert len(list(batch(days))) == 3
    assert len(list(batch([entry(0, text="x" * MOST_BYTES)]))) == 1, "or it would block for ever"


def line(**fields: object) -> bytes:
    return json.dumps(
        {"__CURSOR": "c", "__REALTIME_TIMESTAMP": "1795690800123456", **fields}
    ).encode()


@pytest.mark.parametrize(
    ("message", "text"),
    [("ready", "ready"), (None, ""), ([104, 105, 255], "hi�"), ("x" * 90_000, "x" * LONGEST)],
)
def test_an_entry_has_its_time_unit_and_message(message: object, text: str) -> None:
    found = parse(line(MESSAGE=message, _SYSTEMD_UNIT="shop.service", PRIORITY="6", _PID="7"))
    assert (found.position, found.timestamp) == ("c", 1_795_690_800_123)
    assert json.loads(found.text) == {"unit": "shop.service", "priority": "6", "message": text}


def test_the_journal_is_read_from_where_it_was_left(tmp_path: Path) -> None:
    program = tmp_path / "journalctl"
    program.write_text(f"#!/bin/sh\necho \"$@\" >> {tmp_path}/asked\necho '{line().decode()}'\n")
    program.chmod(0o755)
    journal = Journal(tmp_path / "position", str(program))
    (found,) = journal.read()
    journal.move(found.position)
    journal.read()
    first, second = (tmp_path / "asked").read_text().splitlines()
    assert first.endswith("--no-pager")
    assert second.endswith("--after-cursor=c")


def test_a_position_that_the_journal_does_not_know_is_forgotten(tmp_path: Path) -> None:
    program = tmp_path / "journalctl"
    answer = f"case $* in *--no-pager) echo '{line().decode()}';; *) exit 1; esac"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    journal = Journal(tmp_path / "position", str(program))
    journal.move("damaged")
    assert journal.read() == []
    assert len(journal.read()) == 1


def test_a_request_is_signed_like_botocore_signs_it() -> None:
    url, body = "https://logs.eu-central-1.amazonaws.com/", b'{"logEvents": []}'
    headers = {
        "content-type": api.TYPE,
        "x-amz-date": "20261128T120000Z",
        "x-amz-target": "Logs_20140328.PutLogEvents",
    }
    signed = sign(url, headers, body, KEYS, "eu-central-1")
    request = AWSRequest("POST", url, {**headers, "x-amz-security-token": "token"}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKID", "secret", "token"), "logs", "eu-central-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert signed["Authorization"].endswith(f"Signature={signature}")
