"""Traffic stays safe if any call fails, before or after its effect."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.cli.progress import Observers
from canary.errors import (
    CanaryError,
    ExitStatus,
    HookError,
    Interruption,
    SourceError,
    StateError,
    TrafficError,
)
from canary.model import Event, Judgement, Recording, Verdict
from tests.unit.canary.rollout_fakes import Troubles
from tests.unit.canary.rollout_world import FAIL, OPEN, PASS, World, go, settle

ERRORS: list[Callable[[], BaseException]] = [
    lambda: TrafficError("refused"),
    lambda: SourceError("no response"),
    lambda: StateError("no response"),
    lambda: HookError("failed"),
    lambda: Interruption("SIGTERM"),
    lambda: KeyboardInterrupt(),
    lambda: RuntimeError("bug"),
]
VERDICTS = st.lists(st.sampled_from([PASS, OPEN, FAIL]), min_size=1, max_size=30)
LASTING = st.none() | st.tuples(
    st.sampled_from(["traffic", "source", "state", "hooks", "traffic.release", "state.set_live"]),
    st.integers(0, 160),
)


def gone(lasting: tuple[str, int] | None) -> tuple[str, int, CanaryError] | None:
    if lasting is None:
        return None
    kind, first = lasting
    errors = {"traffic": TrafficError, "source": SourceError, "state": StateError}
    return kind, first, errors.get(kind.partition(".")[0], HookError)("gone")


@settings(max_examples=400)
@given(
    once=st.dictionaries(st.integers(0, 160), st.sampled_from(range(len(ERRORS))), max_size=4),
    lasting=LASTING,
    late=st.booleans(),
    verdicts=VERDICTS,
    bake=st.sampled_from([0.0, 20.0]),
)
def test_traffic_is_safe_whatever_happens(
    once: dict[int, int],
    lasting: tuple[str, int] | None,
    late: bool,  # noqa: FBT001 - hypothesis names it
    verdicts: list[Verdict],
    bake: float,
) -> None:
    """Only a candidate with PASS keeps traffic, and only PASS exits with 0."""
    world = World(
        lambda elapsed: verdicts[min(elapsed // 5, len(verdicts) - 1)],
        Troubles({call: ERRORS[kind]() for call, kind in once.items()}, gone(lasting), late),
        bake=bake,
        alarms=("A",),
    )
    outcome = go(world)
    settle(world)
    assert world.proxy.share == 0.0, "no weight outlives its lease"
    passed = any(judgement.verdict is PASS for judgement in outcome.judgements)
    if outcome.exit_status == ExitStatus.PASS:
        assert passed
        assert (world.proxy.live, world.state.colour) == ("green", "green")
    elif outcome.safe:
        assert (world.proxy.live, world.state.colour) == ("blue", "blue")
    else:
        assert "canary rollback" in outcome.traffic
        assert passed or world.proxy.live == "blue"


class Unwritable:
    """An observer on a full disk: from one call on, nothing can be written."""

    def __init__(self, first: int) -> None:
        self._left = first

    def event(self, event: Event) -> None:  # noqa: ARG002 - the protocol's
        self._write()

    def look(self, recording: Recording, judgements: Sequence[Judgement]) -> None:  # noqa: ARG002
        self._write()

    def _write(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("first", [0, 5, 12, 20])
@pytest.mark.parametrize("verdict", [PASS, FAIL])
def test_output_that_cannot_be_written_ends_no_canary(first: int, verdict: Verdict) -> None:
    """The canary must not end with a traceback that leaves the lock behind."""
    world = World(lambda _: verdict)
    world.observer = Unwritable(first)
    outcome = go(world)
    assert outcome.exit_status == (ExitStatus.PASS if verdict is PASS else ExitStatus.FAIL)
    assert world.proxy.live == world.state.colour == ("green" if verdict is PASS else "blue")
    assert world.proxy.share == 0.0
    assert world.state.held is None


def test_one_observer_that_cannot_write_does_not_concern_the_others() -> None:
    world = World()
    world.observer = Observers(Unwritable(0), world)
    assert go(world).exit_status == ExitStatus.PASS
    assert world.said("end")
