"""The schema of ``environment.artifact``: what a release is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from canary.environment.fields import Seconds, Section, kind_of_word, known_placeholders

BUILD_PLACEHOLDERS = frozenset({"commit"})
STORED = ("artifact", "sha256")
"""Placeholders of hooks that only a stored artifact has a value for."""


def _build_word(word: str) -> str:
    return known_placeholders(word, BUILD_PLACEHOLDERS)


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError(f"{value!r} is not a path inside the repository; write it as in build/out")
    return str(path)


BuildWord = Annotated[str, AfterValidator(_build_word)]
Inside = Annotated[str, Field(min_length=1), AfterValidator(_inside)]


class NoArtifact(Section):
    """Nothing is built or stored: the deploy hook gets ``{release}`` and ``{commit}``."""

    kind: Literal["none"] = "none"


class DirectoryArtifact(Section):
    """One directory of the repository, packed as it is into a tar.gz."""

    kind: Literal["directory"]
    path: Inside
    ignored: bool = Field(
        default=False,
        description="Pack the files on disk, also those that git ignores, such as build output. "
        "The candidate must then be checked out.",
    )

    @model_validator(mode="after")
    def _no_secrets(self) -> DirectoryArtifact:
        if self.ignored and self.path == ".":
            raise ValueError(
                "path . with ignored: true would pack .git and the keys in .run; name a directory"
            )
        return self


class CommandArtifact(Section):
    """What a build command creates, run in a clean checkout of the commit.

    A directory is packed into a tar.gz, a file is stored as it is.
    """

    kind: Literal["command"]
    command: list[BuildWord] = Field(min_length=1)
    path: Inside | None = Field(
        default=None,
        description="What the command creates. Without it, the last line that the command prints.",
    )
    timeout: Seconds = 1800.0


class PythonArtifact(Section):
    """A directory and its dependencies, as wheels that a lock file names with their hashes."""

    kind: Literal["python"]
    directory: Inside = "app"
    lock: Inside = "app/requirements.txt"


ArtifactSettings = Annotated[
    NoArtifact | DirectoryArtifact | CommandArtifact | PythonArtifact, Field(discriminator="kind")
]
ArtifactField = Annotated[
    ArtifactSettings,
    BeforeValidator(kind_of_word, json_schema_input_type=Literal["none"] | ArtifactSettings),
]


def refuse_unstored(words: Sequence[str]) -> None:
    """Refuse a hook that names an artifact although none is built."""
    for word in words:
        for name in STORED:
            if "{" + name + "}" in word:
                raise ValueError(
                    f"a hook names {{{name}}}, but artifact is none, so there is no file. Use "
                    "{release} or {commit}, or build one: artifact: {kind: directory, path: dist}"
                )
