"""Read YAML strictly: reject what the library would accept silently or fail on."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from canary.reading import SMALL, read_text

MOST_VALUES = 100_000
"""Values of a document, with every alias replaced by what it stands for."""


class UnreadableError(Exception):
    """The YAML text was rejected; the message says why, without the file's name."""


class _Loader(yaml.SafeLoader):
    """Rejects duplicate keys. The library would silently use the last one."""

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


def _refuse_growth(node: yaml.Node | None, known: dict[int, int]) -> int:
    """Return the number of values with every alias replaced; refuse too many, and loops.

    A few lines of aliases of aliases can stand for billions of values.
    """
    if id(node) in known:
        if not known[id(node)]:
            raise UnreadableError("has an alias of a value that holds the alias")
        return known[id(node)]
    known[id(node)] = 0
    content = node.value if isinstance(node, yaml.CollectionNode) else []
    parts = [part for one in content for part in (one if isinstance(one, tuple) else (one,))]
    size = 1 + sum(_refuse_growth(part, known) for part in parts)
    if size > MOST_VALUES:
        raise UnreadableError(f"has more than {MOST_VALUES:,} values, counted with its aliases")
    known[id(node)] = size
    return size


def read_document(path: Path) -> Any:
    """Return the document in a policy file that ``load_policy`` could read."""
    return read_yaml(read_text(path, SMALL))


def read_yaml(text: str) -> Any:
    """Return the document in YAML ``text``.

    Raises:
        UnreadableError: it is not YAML, names a key twice, or is nested too deeply.
    """
    try:
        _refuse_growth(yaml.compose(text, _Loader), {})
        return yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        raise UnreadableError(f"is not YAML: {' '.join(str(error).split())}") from error
    except ValueError as error:  # a date such as 2026-13-45, or a number of 5,000 digits
        raise UnreadableError(f"has a value that cannot be read: {error}") from error
    except RecursionError as error:
        raise UnreadableError("is nested too deeply to be read") from error
