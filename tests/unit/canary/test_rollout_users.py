"""A service without users is noticed before the candidate's weight rises."""

from __future__ import annotations

import pytest

from canary.policy import Policy
from tests.support.policies import SHORT
from tests.unit.canary.rollout_world import World, go


@pytest.mark.parametrize(("unasked", "warnings"), [({"blue-1"}, 1), (set(), 0)])
def test_a_proxy_without_users_is_a_warning(unasked: set[str], warnings: int) -> None:
    world = World()
    errors = {"name": "errors", "kind": "count", "source": "proxy.errors"}
    world.policy = Policy.model_validate({**SHORT, "metrics": [errors]})
    world.proxy.unasked = unasked
    world.hooks.during = lambda: world.time.pass_time(3)
    go(world)
    said = [sentence for sentence in world.said("warning") if "No request reached blue" in sentence]
    assert len(said) == warnings
