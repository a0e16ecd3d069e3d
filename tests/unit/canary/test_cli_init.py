"""``canary init``: the first policy of an environment is valid and never overwrites another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from canary.environment import PrometheusSource, parse_environment
from canary.model import Verdict
from canary.policy import load_policy
from canary.simulation import World
from tests.unit.canary.cli_shell import Shell, shell
from tests.unit.canary.test_try import Silent

canary = pytest.fixture(shell, name="canary")
FILE = Path(".run/prod/canary.yml")
WITH_PROXY = ("init", "prod", "--proxy", "192.0.2.10", "--source")


@pytest.mark.parametrize("kind", ["proxy", "prometheus", "cloudwatch"])
def test_what_it_writes_is_enough_to_run(canary: Shell, kind: str) -> None:
    status, out, err = canary(*WITH_PROXY, kind)
    assert status == 0, err
    assert out.startswith(f"Wrote {FILE}\n")
    checked, told, _ = canary("check", str(FILE), "--json")
    assert checked == 0
    assert json.loads(told)["missing"]["run"] == []


def test_it_says_what_to_type_next(canary: Shell) -> None:
    _, out, _ = canary(*WITH_PROXY, "proxy")
    assert "ssh-keyscan 192.0.2.10 > .run/prod/known_hosts" in out
    assert "canary deploy RELEASE --env prod --everywhere" in out
    _, out, _ = canary("init", "judge", "--source", "csv")
    assert out.endswith("Next: canary analyze --policy .run/judge/canary.yml\n")


@pytest.mark.parametrize("words", [("csv",), ("prometheus",), ("cloudwatch", "--region", "eu-1")])
def test_without_a_proxy_it_is_enough_to_judge(canary: Shell, words: tuple[str, ...]) -> None:
    assert canary("init", "prod", "--source", *words)[0] == 0
    status, told, _ = canary("check", str(FILE), "--json")
    assert status == 0
    missing = json.loads(told)["missing"]
    assert missing["analyze"] == []
    assert "environment: traffic" in missing["run"]
    assert all(metric.counter is None for metric in load_policy(FILE).metrics)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_proxys_counters_alone_tell_a_good_release_from_a_bad_one(
    canary: Shell, tmp_path: Path, seed: int
) -> None:
    canary(*WITH_PROXY, "proxy")
    world = World(policy=load_policy(FILE), seed=seed)
    found = [world.run(ref, ref, tmp_path, Silent()) for ref in ("v1.1", "v1.2")]
    assert [outcome.verdict for outcome in found] == [Verdict.PASS, Verdict.FAIL]
    assert found[1].reason.startswith(("Errors: ", "Latency: ")), "it has more of both"


def test_a_file_that_exists_is_replaced_only_when_asked(canary: Shell) -> None:
    FILE.parent.mkdir(parents=True)
    FILE.write_text("mine")
    status, _, err = canary(*WITH_PROXY, "proxy")
    assert status == 2
    assert f"{FILE} exists, and was not changed. To replace it: --force" in err
    assert FILE.read_text() == "mine"
    assert canary(*WITH_PROXY, "proxy", "--force")[0] == 0
    assert load_policy(FILE).metrics


def test_names_in_prometheus_become_queries_by_colour_and_period(canary: Shell) -> None:
    names = ("--requests", "hits", "--errors", "hits{code='500'}", "--latency", "took")
    assert canary(*WITH_PROXY, "prometheus", "--url", "http://p:9090", *names)[0] == 0
    source = parse_environment(load_policy(FILE).environment).source
    assert isinstance(source, PrometheusSource)
    errors, latency = source.queries["errors"], source.queries["latency"]
    assert errors.value == (
        "sum by (instance) (increase(hits{colour=\"{colour}\",code='500'}[{period}]))"
    )
    assert errors.samples == 'sum by (instance) (increase(hits{colour="{colour}"}[{period}]))'
    assert latency.samples == (
        'sum by (instance) (increase(took_count{colour="{colour}"}[{period}]))'
    )
    assert "took_sum" in latency.value


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        (("cloudwatch",), "s"),
        (("prometheus",), "s"),
        (("prometheus", "--latency", "took_milliseconds{job='a_b'}"), "ms"),
        (("prometheus", "--latency", "took"), None),
    ],
)
def test_a_latency_has_the_unit_of_its_name(
    canary: Shell, words: tuple[str, ...], unit: str | None
) -> None:
    """Without a unit, ruling out 10 % of a short latency takes 40 minutes."""
    assert canary("init", "prod", "--source", *words)[0] == 0
    latencies = [one for one in load_policy(FILE).metrics if one.kind in ("latency", "quantile")]
    assert {metric.unit for metric in latencies} == {unit}


def test_the_deploy_command_is_split_as_a_shell_does(canary: Shell) -> None:
    words = ("--deploy", "ansible-playbook 'my deploy.yml' -e colour={colour}")
    assert canary(*WITH_PROXY, "proxy", *words)[0] == 0
    hooks = parse_environment(load_policy(FILE).environment).hooks
    assert hooks is not None
    assert hooks.deploy.command == ["ansible-playbook", "my deploy.yml", "-e", "colour={colour}"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("prod",), "Name the source of metrics: --source proxy, prometheus, cloudwatch, csv"),
        (("prod", "--source", "proxy"), "name its host: --proxy 192.0.2.10"),
        (("Prod", "--source", "csv"), "'Prod' is not the name of an environment"),
        (("a\n  b: c", "--source", "csv"), "is not the name of an environment"),
        (("prod", "--source", "csv", "--url", "x"), "--url is of no use with --source csv"),
        (("prod", "--source", "prometheus", "--csv", "x"), "--csv is of no use with --source prom"),
        (("prod", "--source", "prometheus", "--url", "p:9090"), "url is 'p:9090'"),
        (("prod", "--source", "prometheus", "--requests", "sum(x)"), "'sum(x)' is not the name"),
        ((*WITH_PROXY[1:], "proxy", "--deploy", "'x"), "cannot be read: No closing quotation"),
        ((*WITH_PROXY[1:], "proxy", "--deploy", " "), "Name the command that deploys a release"),
        ((*WITH_PROXY[1:], "proxy", "--deploy", "x {ref}"), "{ref}, which does not exist"),
        ((*WITH_PROXY[1:], "proxy", "--deploy", "x {artifact}"), "but artifact is none"),
    ],
)
def test_a_wrong_answer_is_refused_and_nothing_is_written(
    canary: Shell, words: tuple[str, ...], sentence: str
) -> None:
    status, _, err = canary("init", *words)
    assert status == 2
    assert sentence in err
    assert "Traceback" not in err
    assert [path.name for path in Path(".run").iterdir()] == ["test"]


@pytest.mark.parametrize("command", ["status", "rollback", "doctor"])
@pytest.mark.parametrize("name", ["", "*", "tes?", "test/../test", "../.run/test", "t" * 300])
def test_a_path_or_a_wildcard_is_no_environment(canary: Shell, command: str, name: str) -> None:
    status, _, err = canary(command, "--env", name)
    assert status == 2
    assert f"{name[:40]!r} is not the name of an environment" in err


def test_in_a_terminal_it_asks(canary: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(["proxy", "192.0.2.10", "./ship.sh {release}"])
    asked: list[str] = []

    def prompt(question: str, **_: object) -> str:
        asked.append(question)
        return next(said)

    monkeypatch.setattr("canary.cli.init.click.prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert canary("init", "prod")[0] == 0
    assert asked[1:] == ["Address of the HAProxy host", "Command that deploys a release"]
    text = FILE.read_text()
    assert 'host: "192.0.2.10"' in text
    assert '["./ship.sh", "{release}"]' in text
