"""The environment section: every invalid value gets a sentence, every valid one is kept."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from canary.environment import (
    CloudWatchSource,
    DirectoryArtifact,
    NoArtifact,
    other_colour,
    parse_environment,
)
from canary.errors import PolicyError

GOOD: dict[str, Any] = {
    "name": "local",
    "region": "eu-central-1",
    "endpoint_url": "http://10.77.0.1:4566",
    "source": {"kind": "cloudwatch", "namespace": "Shop"},
    "traffic": {
        "kind": "haproxy",
        "host": "10.77.0.10",
        "key": ".run/local/ssh/canary",
        "known_hosts": ".run/local/ssh/known_hosts",
    },
    "hooks": {"deploy": {"command": ["ansible-playbook", "-e", "colour={colour}"]}},
    "state": {
        "kind": "aws",
        "live_parameter": "/shop/local/live",
        "lock_table": "shop-local-lock",
        "history_table": "shop-local-history",
        "bucket": "shop-local-releases-123456789012",
    },
}


def broken(path: str, value: Any) -> dict[str, Any]:
    """Return the good section with one value replaced, or removed where ``value`` is ..."""
    document = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    inner = document
    for key in parents:
        inner = inner.setdefault(key, {})
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return document


def test_a_short_section_is_enough() -> None:
    environment = parse_environment(GOOD)
    assert isinstance(environment.source, CloudWatchSource)
    assert environment.source.dimensions["Instance"] == "{instance}"
    assert environment.traffic is not None
    assert environment.traffic.user == "canary"
    assert other_colour(environment.colours, "blue") == "green"
    assert other_colour(environment.colours, "green") == "blue"


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("name", "Local", "environment: name is 'Local'"),
        ("name", ..., "environment: name is missing"),
        ("nmae", "x", "environment: nmae is not a key"),
        ("endpoint_url", "10.77.0.1", "environment: endpoint_url is '10.77.0.1'"),
        ("source.kind", "datadog", "environment: source: kind is 'datadog'; allowed: 'cloudwatch'"),
        ("source.kind", ..., "environment: source: kind is missing"),
        ("source.namespace", "", "environment: source: namespace is ''"),
        ("source.dimensions", {"Host": "{host}"}, "'{host}' names {host}, which does not exist"),
        ("source.instances", {"blue": ["w1"]}, "must name those of blue and green, such as {blue:"),
        ("source.instances", {"blue": ["w1"], "green": []}, "must name those of blue and green"),
        ("source.instances", {"blue": ["w1"], "gren": ["w2"]}, "must name those of blue and green"),
        ("source.instances", {"blue": ["w1"], "green": ["w1"]}, "w1 is named twice"),
        ("source.settle", -1, "environment: source: settle is -1"),
        ("traffic.port", 0, "environment: traffic: port is 0"),
        ("traffic.key", ..., "environment: traffic: key is missing"),
        ("traffic.kind", "alb", "environment: traffic: kind is 'alb'"),
        ("artifact", "zip", "environment: artifact: kind is 'zip'; allowed: 'none', 'directory'"),
        ("artifact", {}, "artifact: kind is missing; allowed: 'none', 'directory', 'command'"),
        ("artifact", "directory", "environment: artifact: path is missing"),
        ("artifact", {"kind": "directory", "path": "/srv"}, "'/srv' is not a path inside the repo"),
        ("artifact", {"kind": "directory", "path": "../x"}, "'../x' is not a path inside the repo"),
        ("artifact", {"kind": "directory", "path": ".", "ignored": True}, "the keys in .run"),
        ("artifact", {"kind": "directory", "pth": "x"}, "artifact: pth is not a key"),
        ("artifact", {"kind": "command", "command": []}, "artifact: command is []"),
        ("artifact", {"kind": "command", "command": ["{ref}"]}, "use any of {commit}"),
        ("artifact", {"kind": "command", "command": ["m"], "timeout": 0}, "artifact: timeout is 0"),
        ("artifact", {"kind": "python", "lock": "../l"}, "'../l' is not a path inside the repo"),
        ("hooks.deploy.command", ["x", "{artifact}"], "names {artifact}, but artifact is none"),
        ("hooks.deploy", ..., "environment: hooks: deploy is missing"),
        ("hooks.deploy.command", [], "environment: hooks: deploy: command is []"),
        ("hooks.deploy.command", ["x", "{sha}"], "deploy: command: item 2: '{sha}' names {sha}"),
        ("hooks.deploy.command", ["{"], "unbalanced braces"),
        ("hooks.deploy.timeout", 0, "environment: hooks: deploy: timeout is 0"),
        ("hooks.deploy.on_failure", "ignore", "environment: hooks: deploy: on_failure is 'ignore'"),
        ("state.live_parameter", "live", "environment: state: live_parameter is 'live'"),
        ("state.topic", "shop", "environment: state: topic is 'shop'"),
        ("state.kind", "sqlite", "environment: state: kind is 'sqlite'; allowed: 'aws', 'file'"),
        ("state.kind", ..., "environment: state: kind is missing; allowed: 'aws', 'file'"),
        ("state", {"kind": "file", "bucket": "b"}, "environment: state: bucket is not a key"),
        ("state", {"kind": "file", "path": ""}, "environment: state: path is ''"),
        ("bake", {"duration": 60}, "alarms is empty: nothing would be checked"),
        ("colours", ["blue", "blue"], "colours are both 'blue'"),
        ("approve", "always", "environment: approve is 'always'"),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_environment(broken(path, value))
    assert sentence in str(refused.value)


def test_all_faults_are_named_at_once() -> None:
    document = broken("name", "Local") | {"approve": "always"}
    with pytest.raises(PolicyError, match=r"(?s)name is 'Local'.*approve is 'always'"):
        parse_environment(document)


def test_prometheus_queries_must_count_over_a_period() -> None:
    source = {
        "kind": "prometheus",
        "url": "http://127.0.0.1:9090",
        "queries": {"requests": {"value": "rate(requests[1m])"}},
    }
    with pytest.raises(PolicyError, match=r"must count over one period: write \[\{period\}\]"):
        parse_environment(GOOD | {"source": source})


def test_without_a_section_the_user_learns_what_still_works() -> None:
    with pytest.raises(PolicyError, match="canary analyze --help"):
        parse_environment(None)


def test_without_an_artifact_section_nothing_is_built() -> None:
    assert parse_environment(GOOD).artifact == NoArtifact()
    assert parse_environment({**GOOD, "artifact": "none"}).artifact == NoArtifact()


def test_a_hook_may_name_an_artifact_that_is_built() -> None:
    document = broken("hooks.deploy.command", ["x", "{artifact}", "{sha256}"])
    document["artifact"] = {"kind": "directory", "path": "dist/"}
    assert parse_environment(document).artifact == DirectoryArtifact(kind="directory", path="dist")
