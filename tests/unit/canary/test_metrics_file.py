"""``environment: metrics_file``: a canary as metrics for Prometheus."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from canary.rollout.metrics_file import MetricsFile
from tests.unit.canary.rollout_world import FAIL, OPEN, PASS, World, after, go


def read(path: Path) -> dict[str, float]:
    """Return each metric by its name, and by its verdict if it has one."""
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        for sample in family.samples:
            assert sample.labels["environment"] == "test"
            verdict = sample.labels.get("verdict", "")
            found[f"{sample.name} {verdict}".strip()] = sample.value
    return found


def test_a_running_canary_has_weight_and_duration(tmp_path: Path) -> None:
    path, seen = tmp_path / "new" / "canary.prom", []
    world = World(after(0, PASS))
    file = MetricsFile(path, "test", lambda _: None)
    world.observer = file

    def passing() -> None:
        if path.is_file():
            seen.append(read(path))

    world.time.passing = passing
    go(world)
    running = [one for one in seen if one["canary_running"] == 1]
    assert {one["canary_weight_ratio"] for one in running} >= {0.2, 0.5}
    assert running[-1]["canary_duration_seconds"] > 50


def test_verdicts_are_counted_from_one_canary_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "canary.prom"
    for verdict in (PASS, FAIL, OPEN, FAIL):
        world = World(after(30, verdict))
        world.observer = MetricsFile(path, "test", lambda _: None)
        go(world)
    found = read(path)
    counted = {name: found[f"canary_finished_total {name}"] for name in ("PASS", "FAIL")}
    assert counted == {"PASS": 1, "FAIL": 2}
    assert found["canary_finished_total INCONCLUSIVE"] == 1
    assert (found["canary_verdict FAIL"], found["canary_verdict PASS"]) == (1, 0)
    assert (found["canary_running"], found["canary_weight_ratio"]) == (0, 0)
    assert found["canary_ended_timestamp_seconds"] > 1_800_000_000


def test_a_file_that_cannot_be_written_is_told_once_and_ends_nothing(tmp_path: Path) -> None:
    complaints: list[str] = []
    world = World(after(30, FAIL))
    (tmp_path / "file").write_text("")
    world.observer = MetricsFile(tmp_path / "file" / "canary.prom", "test", complaints.append)
    assert go(world).verdict == FAIL
    assert len(complaints) == 1
    assert complaints[0].startswith("Metrics could not be written: ")
