"""The source of policies that use only the proxy's measures, which come with its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from canary.errors import SourceError
from canary.model import Arm, Release, Series
from canary.sources.base import Query


class ProxyCounters:
    """For policies whose metrics are all counters of the proxy: an instance is a server there."""

    own_clocks = False

    def __init__(self, servers: Callable[[str], tuple[str, ...]]) -> None:
        self._servers = servers

    def instances(
        self,
        colour: str,
        window: tuple[int, int] | None = None,  # noqa: ARG002 - only the present is known
    ) -> tuple[str, ...]:
        return self._servers(colour)

    def names(self, colour: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()  # its counters have no past, so nothing can be read

    def read(
        self,
        queries: Sequence[Query],
        arms: Mapping[Arm, Release],  # noqa: ARG002 - nothing is read
        start: int,  # noqa: ARG002
        end: int,  # noqa: ARG002
    ) -> tuple[Series, ...]:
        if queries:
            names = ", ".join(query.metric for query in queries)
            raise SourceError(
                f"The policy's source is the proxy, which does not measure {names}. Give each "
                "metric a source such as proxy.errors, or name another environment: source"
            )
        return ()

    def describe(self) -> str:
        return "the proxy's counters"

    def found_by(self, colour: str) -> str:
        return f"An instance is a server of HAProxy whose name is {colour}- and a number"
