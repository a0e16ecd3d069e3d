"""Problems of an account, before they meet a release: each with a sentence and a command."""

from canary.doctor.cloud import Cloud
from canary.doctor.examine import examine
from canary.doctor.finding import Finding, Level
from canary.doctor.needs import Needs, load_needs

__all__ = ["Cloud", "Finding", "Level", "Needs", "examine", "load_needs"]
