"""The text of a first policy, by source of metrics: what ``canary init`` writes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent

from canary.errors import PolicyError

DEPLOY = "./deploy.sh {release} {colour}"
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?")
_BY = "sum by (instance) (increase(%s[{period}]))"

HEAD = """\
# The first policy of {name}, by canary init. docs/reference.md explains every key.
# To check it after a change: canary check {path}
---
version: 1
period: {period:<13} # judge once a period, with all data so far
warmup: {warmup:<13} # the candidate's first requests are not judged
minimum: {minimum:<12} # no PASS before that
maximum: {maximum:<12} # INCONCLUSIVE after that
steps: [5%, 20%, 50%] # the candidate's share of the users
metrics:
{metrics}
environment:
  name: {name}
  source:{source}
"""
CONTROL = """\
  state: file # .run/{name}/state, and the lock on the proxy; or kind: aws
  traffic: # an HAProxy that the role cart.canary.proxy has set up
    kind: haproxy
    host: {proxy}
    key: .run/{name}/canary_ed25519
    known_hosts: .run/{name}/known_hosts
  hooks:
    deploy: # must exit with 0 once the release responds to requests
      command: {deploy}
"""
NEXT = """Next (docs/own-app.md explains each step):
  1. Set up {proxy} with the role cart.canary.proxy; proxy_canary_key: .run/{name}/canary_ed25519
  2. ssh-keyscan {proxy} > .run/{name}/known_hosts    # compare the fingerprint with the host's
  3. canary deploy RELEASE --env {name} --everywhere
  4. canary plan --env {name} --rate 50    # your requests per second: how long a verdict takes
  5. canary run --env {name} --candidate NEXT_RELEASE"""
PROXY_METRICS = """\
# HAProxy measures these for every server; the app needs no instrumentation.
- {name: errors, kind: count, source: proxy.errors, margin: x1.5, negligible: 0.5%}
- {name: retries, kind: count, source: proxy.retries, margin: x1.5, negligible: 0.5%}
- {name: broken, kind: count, source: proxy.response_errors, margin: x1.5, negligible: 0.5%}
- {name: latency, kind: latency, source: proxy.latency, margin: 20%}
"""
PROMETHEUS_METRICS = """\
- {name: latency, kind: latency, margin: 10%UNIT}
- {name: errors, kind: count, margin: x1.5, negligible: 0.5%, absent: zero}
- {name: retries, kind: count, source: proxy.retries, margin: x1.5, negligible: 0.5%}
"""
CLOUDWATCH_METRICS = """\
# Every instance publishes latency, errors and requests, with the dimensions below.
# In seconds; if you publish milliseconds, write unit: ms.
- {name: latency, kind: latency, margin: 10%, unit: s}
- {name: latency_p99, kind: quantile, statistic: p99, source: latency, margin: 25%, unit: s}
- {name: errors, kind: count, margin: x1.5, negligible: 0.5%} # of requests
- {name: retries, kind: count, source: proxy.retries, margin: x1.5, negligible: 0.5%}
"""
CSV_METRICS = """\
# The names in the column metric of the file. Add the latency's unit, unit: ms or unit: s: then
# a difference of up to 6 ms is accepted.
- {name: latency, kind: latency, margin: 10%}
- {name: errors, kind: count, margin: x1.5, negligible: 0.5%} # samples: the requests
"""
UNITS = {"seconds": "s", "milliseconds": "ms", "ms": "ms", "microseconds": "us"}
"""By the last word of a latency's name in Prometheus."""
TIMES = {
    "proxy": ("10s", "1m", "5m", "30m"),
    "prometheus": ("30s", "2m", "10m", "1h"),
    "cloudwatch": ("1m", "3m", "15m", "2h"),
    "csv": ("1m", "3m", "15m", "2h"),
}
"""Period, warm-up, minimum and maximum. Prometheus needs two scrapes in a period."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A user's answers about an environment.

    Attributes:
        proxy: address of the HAProxy host; empty to judge only.
        deploy: the deploy command, as typed in a shell.
        requests, errors, latency: names in Prometheus, with labels if need be.
    """

    name: str
    kind: str
    proxy: str = ""
    deploy: str = DEPLOY
    url: str = "http://127.0.0.1:9090"
    requests: str = "http_requests_total"
    errors: str = 'http_requests_total{status=~"5.."}'
    latency: str = "http_request_duration_seconds"
    namespace: str = "App"
    region: str = ""
    file: str = "datapoints.csv"


def first_policy(answers: Answers, path: str) -> str:
    """Return the text of a policy."""
    metrics, source = {
        "proxy": _of_proxy,
        "prometheus": _of_prometheus,
        "cloudwatch": _of_cloudwatch,
        "csv": _of_csv,
    }[answers.kind](answers)
    if not answers.proxy:
        lines = metrics.splitlines(keepends=True)
        metrics = "".join(line for line in lines if "source: proxy." not in line)
    period, warmup, minimum, maximum = TIMES[answers.kind]
    head = HEAD.format(
        name=answers.name,
        path=path,
        period=period,
        warmup=warmup,
        minimum=minimum,
        maximum=maximum,
        metrics=indent(metrics.rstrip(), "  "),
        source=source,
    )
    if not answers.proxy:
        return head
    command = f"[{', '.join(json.dumps(word) for word in _words(answers.deploy))}]"
    proxy = json.dumps(answers.proxy)
    return head + CONTROL.format(name=answers.name, proxy=proxy, deploy=command)


def next_steps(answers: Answers, path: str) -> str:
    """Return what to type once the policy is written."""
    if answers.proxy:
        return NEXT.format(name=answers.name, proxy=answers.proxy)
    window = "" if answers.kind == "csv" else " --start -1h"
    return f"Next: canary analyze --policy {shlex.quote(path)}{window}"


def _of_proxy(answers: Answers) -> tuple[str, str]:
    if not answers.proxy:
        raise PolicyError(
            "The proxy is the source of metrics, so name its host: --proxy 192.0.2.10"
        )
    return PROXY_METRICS, " proxy"


def _of_prometheus(answers: Answers) -> tuple[str, str]:
    requests, errors = _selector(answers.requests), _selector(answers.errors)
    total, count = (_selector(answers.latency, part) for part in ("_sum", "_count"))
    lines = [
        "",
        "kind: prometheus",
        f"url: {json.dumps(answers.url)}",
        "instance_label: instance # one value for each server behind the proxy",
        "queries: # {colour} is blue or green, {period} is the period above",
        "  latency:",
        f"    value: {_quoted(f'{_BY % total} / {_BY % count}')}",
        f"    samples: {_quoted(_BY % count)}",
        "  errors:",
        f"    value: {_quoted(_BY % errors)}",
        f"    samples: {_quoted(_BY % requests)}",
    ]
    unit = UNITS.get(answers.latency.partition("{")[0].rpartition("_")[2])
    metrics = PROMETHEUS_METRICS.replace("UNIT", f", unit: {unit}" if unit else "")
    return metrics, "\n    ".join(lines)


def _of_cloudwatch(answers: Answers) -> tuple[str, str]:
    lines = [
        "",
        "  kind: cloudwatch",
        f"  namespace: {json.dumps(answers.namespace)}",
        '  dimensions: {Environment: "{environment}", Colour: "{colour}", Instance: "{instance}"}',
        f"  tags: {{role: app}} # of the EC2 instances, with Environment: {answers.name}",
        "  colour_tag: colour # blue or green",
        "  # Outside of EC2, in place of the tags: instances: {blue: [blue-1], green: [green-1]}",
    ]
    region = [f"region: {json.dumps(answers.region)}"] if answers.region else []
    return CLOUDWATCH_METRICS, "\n  ".join([*lines, *region])


def _of_csv(answers: Answers) -> tuple[str, str]:
    return CSV_METRICS, f" {{kind: csv, path: {json.dumps(answers.file)}}}"


def _selector(text: str, part: str = "") -> str:
    """Return a series selector with the label of the colour."""
    found = _SELECTOR.fullmatch(text.strip())
    if found is None:
        raise PolicyError(
            f"{text!r} is not the name of a metric; write http_requests_total, or "
            'http_requests_total{status=~"5.."}'
        )
    labels = ",".join(filter(None, ('colour="{colour}"', found[2])))
    return f"{found[1]}{part}{{{labels}}}"


def _quoted(text: str) -> str:
    """Return a YAML scalar in single quotes, in which PromQL needs no escapes."""
    return "'" + text.replace("'", "''") + "'"


def _words(command: str) -> Sequence[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise PolicyError(f"The deploy command {command!r} cannot be read: {error}") from error
    if not words:
        raise PolicyError(f"Name the command that deploys a release: --deploy {DEPLOY!r}")
    return words


def how_to_begin(environment: str) -> str:
    """Return both ways to an environment's policy, with the commands to type."""
    return (
        "Create hosts and policy with this project's playbooks:\n"
        f"    ansible-playbook -i inventory/{environment} site.yml\n"
        "Or, for hosts of your own, write a first policy, and edit it:\n"
        f"    canary init {environment} --source proxy --proxy 192.0.2.10"
    )
