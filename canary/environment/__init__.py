"""The environment that a policy runs in: the ``environment`` section of a policy file."""

from canary.environment.access import client_options
from canary.environment.artifact import (
    ArtifactSettings,
    CommandArtifact,
    DirectoryArtifact,
    NoArtifact,
    PythonArtifact,
)
from canary.environment.colours import Colours, other_colour
from canary.environment.fields import HOOK_PLACEHOLDERS
from canary.environment.freezes import Freeze, frozen
from canary.environment.load import parse_environment
from canary.environment.schema import (
    Bake,
    CloudWatchSource,
    CsvSource,
    Dashboard,
    Environment,
    HaproxyTraffic,
    Hook,
    Hooks,
    PrometheusQuery,
    PrometheusSource,
    Sigv4,
    StateSettings,
)

__all__ = [
    "HOOK_PLACEHOLDERS",
    "ArtifactSettings",
    "Bake",
    "CloudWatchSource",
    "Colours",
    "CommandArtifact",
    "CsvSource",
    "Dashboard",
    "DirectoryArtifact",
    "Environment",
    "Freeze",
    "HaproxyTraffic",
    "Hook",
    "Hooks",
    "NoArtifact",
    "PrometheusQuery",
    "PrometheusSource",
    "PythonArtifact",
    "Sigv4",
    "StateSettings",
    "client_options",
    "frozen",
    "other_colour",
    "parse_environment",
]
