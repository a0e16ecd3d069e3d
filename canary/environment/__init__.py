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
from canary.environment.schema import Bake, Dashboard, Environment, HaproxyTraffic, Hook, Hooks
from canary.environment.sources import (
    CloudWatchSource,
    CsvSource,
    PrometheusQuery,
    PrometheusSource,
    ProxySource,
    Sigv4,
)
from canary.environment.state import AwsStateSettings, FileStateSettings

__all__ = [
    "HOOK_PLACEHOLDERS",
    "ArtifactSettings",
    "AwsStateSettings",
    "Bake",
    "CloudWatchSource",
    "Colours",
    "CommandArtifact",
    "CsvSource",
    "Dashboard",
    "DirectoryArtifact",
    "Environment",
    "FileStateSettings",
    "Freeze",
    "HaproxyTraffic",
    "Hook",
    "Hooks",
    "NoArtifact",
    "PrometheusQuery",
    "PrometheusSource",
    "ProxySource",
    "PythonArtifact",
    "Sigv4",
    "client_options",
    "frozen",
    "other_colour",
    "parse_environment",
]
