"""``canary drill`` on the command line: its refusals, and its plan before the start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from canary.cli.common import Place
from canary.offline.plan import Workload, foreseen, time_to_refuse
from canary.policy import Policy
from canary.rollout.context import Context, Request
from canary.rollout.ports import Observer
from canary.simulation import World as Simulation
from canary.simulation import world as simulation
from canary.simulation.service import Release
from canary.traffic.base import Drill
from tests.unit.canary.cli_shell import POLICY, Shell, replaced, shell
from tests.unit.canary.rollout_world import World
from tests.unit.canary.test_cli_deploy import ALWAYS

FAILED = {"name": "failed", "kind": "count", "source": "proxy.errors", "negligible": "0.5%"}
canary = pytest.fixture(shell, name="canary")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, canary: Shell) -> World:
    """The simulated world, with a policy that also counts the proxy's errors."""
    made = replaced(monkeypatch)
    write(canary, metrics=[*POLICY["metrics"], FAILED])

    def context(
        place: Place, request: Request, drill: Drill, observer: Observer, _: object
    ) -> Context:
        made.policy, made.request, made.observer = place.policy, request, observer
        made.proxy.drill = drill
        return made.context()

    monkeypatch.setattr("canary.cli.drill.drilling_context", context)
    monkeypatch.setattr("canary.cli.drill.traffic_of", lambda _: made.proxy)
    made.proxy.fallback = ("green-1",)
    return made


def write(canary: Shell, **changed: object) -> None:
    canary.policy.write_text(yaml.safe_dump({**POLICY, **changed}))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Say what the proxy should add: --errors 3%, or --delay 200ms"),
        (("--errors", "3%", "--detach"), "A drill cannot be detached"),
        (("--delay", "200"), "'200' is not a delay; write 200ms or 1.5s"),
        (("--delay", "11s"), "11000 ms is longer than 10000 ms"),
        (("--delay", "1s", "--writes"), "--writes needs errors"),
        (("--errors", "3%", "--share", "0%"), "--share must be above 0%"),
        (("--errors", "3%", "--seen-by", "speed"), "--seen-by names speed; the judged metrics are"),
    ],
)
def test_what_makes_no_sense_is_refused(
    canary: Shell, world: World, words: tuple[str, ...], sentence: str
) -> None:
    status, _, err = canary("drill", *words, "--env", "test")
    assert status == 2
    assert sentence in " ".join(err.split())
    assert world.proxy.history == []
    assert not (Path(".run") / "test" / "canaries").exists()


def test_a_policy_that_cannot_see_the_drill_is_told_what_could(canary: Shell, world: World) -> None:
    write(canary)
    status, _, err = canary("drill", "--errors", "3%", "--env", "test")
    assert status == 2
    assert "nothing was started" in err
    assert "- {name: proxy_errors, kind: count, source: proxy.errors" in err
    status, _, err = canary("drill", "--delay", "1.5s", "--env", "test")
    assert status == 2
    assert "- {name: proxy_latency, kind: latency, source: proxy.latency" in err
    assert "--seen-by METRIC" in err
    assert world.proxy.history == []


def test_in_a_freeze_window_no_drill_starts(canary: Shell, world: World) -> None:
    write(
        canary,
        metrics=[*POLICY["metrics"], FAILED],
        environment={**POLICY["environment"], "freezes": [ALWAYS]},
    )
    status, _, err = canary("drill", "--errors", "3%", "--env", "test")
    assert status == 2
    assert "No release may start on test now: holidays" in err
    assert world.proxy.history == []


def test_what_is_not_noticed_ends_with_status_1(canary: Shell, world: World) -> None:
    status, out, err = canary("drill", "--errors", "3%", "--env", "test", "--json")
    assert status == 1, err
    assert "Metrics that see the drill: failed. Metrics that do not: latency." in err
    outcome = json.loads(out)
    assert outcome["result"] == "not noticed"
    assert outcome["sentence"].startswith("Your policy did not notice the drill: PASS after ")
    assert outcome["drill"] == {"errors": 0.03, "delay": 0, "writes": False}
    assert outcome["plan"].startswith("With 50 requests per second, failed should refuse")
    assert (outcome["left"], outcome["live"], world.proxy.live) == ("", "blue", "blue")
    assert [share for _, share in world.proxy.history] == [0.2, 0.5]


def test_a_share_is_the_most_that_the_candidate_gets(canary: Shell, world: World) -> None:
    status, out, _ = canary("drill", "--errors", "3%", "--share", "20%", "--env", "test")
    assert status == 1
    assert "The proxy is as before the drill" in out
    assert [share for _, share in world.proxy.history] == [0.2]
    canary("drill", "--errors", "3%", "--share", "5%", "--env", "test")
    assert [share for _, share in world.proxy.history] == [0.2, 0.05]


@pytest.mark.usefixtures("world")
def test_a_policy_that_sees_nothing_can_still_show_its_rollback(canary: Shell) -> None:
    write(canary)
    status, out, err = canary(
        "drill", "--errors", "3%", "--judge-proxy-errors", "--env", "test", "--json"
    )
    assert status == 1, err
    assert json.loads(out)["seen_by"] == ["proxy_errors"]
    directory = Path(json.loads(out)["directory"])
    judged = yaml.safe_load((directory / "policy.yml").read_text())["metrics"]
    assert [metric["name"] for metric in judged] == ["latency", "proxy_errors"]
    assert yaml.safe_load(canary.policy.read_text())["metrics"] == POLICY["metrics"]


def test_status_tells_of_a_drill_that_runs(canary: Shell, world: World) -> None:
    world.proxy.drill = Drill(errors=0.03, delay=200)
    _, out, _ = canary("status", "--env", "test")
    assert "drill" not in out
    world.proxy.set("green", 0.2, 60)
    _, out, _ = canary("status", "--env", "test")
    assert (
        "A drill: 3 % of its GET, HEAD and OPTIONS requests get an error and each response comes "
        "200 ms later. canary rollback ends it" in out
    )


# ---- the plan

COUNTED = Policy.model_validate(
    {
        "version": 1,
        "period": 5,
        "warmup": 15,
        "minimum": 120,
        "maximum": 480,
        "steps": [0.1, 0.5],
        "metrics": [FAILED],
    }
)


def planned(errors: float, usual: float, rate: float = 300.0) -> int | None:
    workload = Workload(rate, {"failed": usual}, instances=(2, 2))
    return time_to_refuse(COUNTED, COUNTED.metrics, workload, {}, errors)


@pytest.mark.parametrize(("errors", "usual"), [(0.03, 0.0), (0.03, 0.002), (0.01, 0.002)])
def test_the_policy_refuses_within_the_planned_time(
    errors: float, usual: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases = {
        "v1.0": Release("v1.0", "1f0c9b7d2a64", errors=usual),
        "bad": Release("bad", "c73e5f1b8d20", errors=usual + errors),
    }
    monkeypatch.setattr(simulation, "RELEASES", releases)
    outcome = Simulation(policy=COUNTED).run("c1", "bad", tmp_path, World())
    assert outcome.verdict == "FAIL"
    assert outcome.recording is not None
    took = outcome.judgements[-1].at - outcome.recording.steps[0].start
    time = planned(errors, usual)
    assert time is not None
    assert 0.6 * time <= took <= 1.3 * time


def test_what_is_negligible_or_too_rare_is_never_planned_to_be_found() -> None:
    assert planned(0.004, 0.0) is None
    assert planned(0.01, 0.0, rate=0.2) is None
    sentence = foreseen(COUNTED, COUNTED.metrics, 0.2, None, 0.01)
    assert "failed will hardly show this drill, and the policy's maximum is 8 min" in sentence


def test_the_time_planned_is_true_only_if_all_requests_get_the_errors() -> None:
    """The proxy's counters do not separate reads from writes, so the plan names its assumption."""
    reads = foreseen(COUNTED, COUNTED.metrics, 50.0, 40, 0.1)
    assert "after about 40 s, if all requests are GET, HEAD or OPTIONS; " in reads
    everything = foreseen(COUNTED, COUNTED.metrics, 50.0, 40, 0.1, writes=True)
    assert "after about 40 s; the policy's maximum" in everything


def test_the_time_to_find_a_delay_is_that_of_twice_the_margin() -> None:
    latency = {"name": "latency", "kind": "latency", "margin": "60%"}
    policy = Policy.model_validate({**POLICY, "metrics": [latency]})
    time = time_to_refuse(policy, policy.metrics, Workload(300.0), {}, 0.0)
    assert time is not None
    sentence = foreseen(policy, policy.metrics, 300.0, time, 0.0)
    assert sentence.startswith("With 300 requests per second, latency should refuse")
    assert "if the delay is twice the margin" in sentence
