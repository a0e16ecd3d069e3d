"""A simulated service behind a simulated proxy, for ``canary try``. It has no effects outside.

The engine, the judge, the recording and the report are the real ones. The clock, the proxy, the
source of metrics and the state are simulated here. The same seed gives the same run on every
machine.
"""

from canary.simulation.world import World, policy_text

__all__ = ["World", "policy_text"]
