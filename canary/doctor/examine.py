"""All checks, in the order in which a person would mend what they find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from canary.doctor import account, quotas, reach, service
from canary.doctor.cloud import Cloud
from canary.doctor.finding import Finding, unknown
from canary.doctor.needs import Needs
from canary.environment import CloudWatchSource
from canary.errors import CanaryError
from canary.policy import load_policy
from canary.sources.cloudwatch import CloudWatch

# An emulator or a proxy between may answer with a page that is not of the API.
REFUSALS = (
    *(BotoCoreError, ClientError, ResponseParserError),
    *(CanaryError, OSError, ValueError, LookupError),
)
Check = Callable[[Cloud, Needs], Finding]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("credentials", account.credentials),
    ("clock", account.clock),
    ("rights", account.rights),
    ("quota", quotas.quota),
    ("zones", account.offering),
    ("image", account.image),
    ("address", reach.address),
    ("certificate", reach.certificate),
    ("mail", reach.mail),
    ("policy", service.policy),
    ("metrics", lambda cloud, needs: _metrics(cloud, needs)),
    ("cost", service.cost),
)


def examine(cloud: Cloud, needs: Needs) -> list[Finding]:
    """Return the finding of every check. A check that cannot be made is unknown, never in order."""
    return [_attempt(name, check, cloud, needs) for name, check in CHECKS]


def _attempt(name: str, check: Check, cloud: Cloud, needs: Needs) -> Finding:
    try:
        return check(cloud, needs)
    except REFUSALS as error:
        return account.unsure(name, error)


def _metrics(cloud: Cloud, needs: Needs) -> Finding:
    path = Path(needs.policy)
    if not path.is_file():
        return unknown("metrics", "Nothing is published yet", needs.site)
    rules, environment = load_policy(path), service.environment_of(needs)
    if not isinstance(environment.source, CloudWatchSource):
        return unknown("metrics", f"The source is {environment.source.kind}, not CloudWatch")
    source = CloudWatch(environment.source, environment, rules.period)
    return service.metrics(source, rules, environment, cloud.now())
