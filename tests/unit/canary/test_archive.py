"""The stored outcome of a finished canary, and its announcement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from canary.errors import StateError
from canary.model import Verdict
from canary.rollout.archive import Archive
from canary.rollout.outcome import Outcome
from canary.state.base import Row
from tests.unit.canary.rollout_fakes import POLICY
from tests.unit.canary.rollout_world import FAIL, World, after, go


class Board:
    """Counts its calls."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, float]] = []

    def tell(self, shares: Mapping[str, float]) -> None:
        """Show nothing."""

    def mark(self, rows: Sequence[Row]) -> None:
        """Mark nothing."""

    def count(self, verdict: str, seconds: float, score: float | None) -> None:
        assert score is None, "the simulated judge gives none"
        self.counted.append((verdict, seconds))


@pytest.fixture
def world() -> World:
    return World(after(40, FAIL))


@pytest.fixture
def outcome(world: World) -> Outcome:
    return go(world)


def archive(world: World, directory: Path, board: Board, *, told: bool) -> Archive:
    return Archive(POLICY, directory, world.state, "me@here", "v2", board, lambda: told)


def test_a_canary_is_stored_counted_and_told(
    world: World, outcome: Outcome, tmp_path: Path
) -> None:
    board = Board()
    archive(world, tmp_path, board, told=False).keep(outcome)
    assert board.counted == [("FAIL", outcome.ended - outcome.started)]
    assert len(world.state.said) == 1
    assert {"outcome.json", "recording.json", "report.html"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_a_full_disk_does_not_keep_a_canary_out_of_the_history(
    world: World, outcome: Outcome, tmp_path: Path
) -> None:
    board = Board()
    with pytest.raises(StateError, match="No such file"):
        archive(world, tmp_path / "nowhere", board, told=False).keep(outcome)
    assert [row.verdict for row in world.state.rows] == [Verdict.FAIL]
    assert f"canaries/{outcome.canary}/report.html" in world.state.objects
    assert len(world.state.said) == len(board.counted) == 1


def test_nobody_is_told_again_what_a_killed_process_has_told(
    world: World, outcome: Outcome, tmp_path: Path
) -> None:
    board = Board()
    archive(world, tmp_path, board, told=True).keep(outcome)
    assert world.state.said == []
    assert board.counted == []
    assert len(world.state.rows) == 1
