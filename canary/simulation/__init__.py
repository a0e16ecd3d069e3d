"""A simulated service behind a simulated proxy, for ``canary try``. Nothing outside is touched.

The engine, the judge, the recording and the report are the real ones. The clock, the proxy, the
source of metrics and the state stand here, and are the same for every machine and seed.
"""

from canary.simulation.world import World, policy_text

__all__ = ["World", "policy_text"]
