"""Make a release in the way that the environment names."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

from canary.artifact.build import Recipe
from canary.artifact.command import publish_built
from canary.artifact.directory import publish_directory
from canary.artifact.named import named
from canary.artifact.publish import Published, Store, publish
from canary.artifact.source import load
from canary.artifact.wheels import Target
from canary.environment import (
    ArtifactSettings,
    CommandArtifact,
    DirectoryArtifact,
    NoArtifact,
    PythonArtifact,
)


def release(
    settings: ArtifactSettings,
    repository: Path,
    ref: str,
    store: Callable[[], Store],
    directory: Path,
) -> Published:
    """Make and store the release of ``ref``; ``store`` is called only if there is a file.

    ``directory`` gets the output of a build command.
    """
    match settings:
        case NoArtifact():
            return named(repository, ref)
        case DirectoryArtifact():
            return publish_directory(settings, repository, ref, store())
        case CommandArtifact():
            return publish_built(settings, repository, ref, store(), directory)
        case PythonArtifact():
            recipe = recipe_of(settings)
            return publish(load(repository, ref, recipe.directory), recipe, store())


def recipe_of(settings: PythonArtifact) -> Recipe:
    """Return how a Python release is built on this machine."""
    target = Target(machine=platform.machine())
    return Recipe(directory=settings.directory, lock=settings.lock, target=target)
