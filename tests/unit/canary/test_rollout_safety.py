"""Traffic is safe whatever happens: any call fails, before or after it took effect."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.errors import (
    CanaryError,
    ExitStatus,
    HookError,
    Interruption,
    SourceError,
    StateError,
    TrafficError,
)
from canary.model import Verdict
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
    """No candidate without PASS keeps traffic; nothing but PASS exits with 0."""
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
