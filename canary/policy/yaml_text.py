"""YAML from people: what the library would pass over, or fall over, is refused."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class UnreadableError(Exception):
    """The text holds no document that can be trusted; the message says why, without its name."""


class _Loader(yaml.SafeLoader):
    """The library lets the last of two equal keys win, so a reader may see the wrong one."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> dict[Hashable, Any]:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if isinstance(key, Hashable) and lines.setdefault(key, line) != line:
                raise UnreadableError(
                    f"has the key {key!r} twice, in line {lines[key]} and line {line}; remove one"
                )
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """Return what YAML ``text`` holds.

    Raises:
        UnreadableError: it is not YAML, names a key twice, or is nested too deeply.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        raise UnreadableError(f"is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UnreadableError("is nested too deeply to be read") from error
