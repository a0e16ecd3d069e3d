"""Releases: built once from a git ref, reproducible, stored under their commit."""

from canary.artifact.build import Artifact, Recipe, build
from canary.artifact.publish import Published, Store, publish
from canary.artifact.source import Tree, load
from canary.artifact.wheels import Target

__all__ = ["Artifact", "Published", "Recipe", "Store", "Target", "Tree", "build", "load", "publish"]
