"""Releases: made once from a git ref, stored under their commit."""

from canary.artifact.adapters import recipe_of, release
from canary.artifact.build import Artifact, Recipe, build
from canary.artifact.publish import Published, Store, publish
from canary.artifact.source import Tree, load
from canary.artifact.wheels import Target

__all__ = [
    "Artifact",
    "Published",
    "Recipe",
    "Store",
    "Target",
    "Tree",
    "build",
    "load",
    "publish",
    "recipe_of",
    "release",
]
