"""Checks of who reaches what: your address, certificates, mail."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from canary.doctor.cloud import Cloud
from canary.doctor.finding import Finding, ok, problem, unknown
from canary.doctor.needs import Needs
from canary.reading import SMALL, read_text

EXPIRES_SOON = 14
"""Days. The alarm CertificateExpires has the same threshold."""
DATES = re.compile(rb"\x17\x0d(\d{12})Z|\x18\x0f(\d{14})Z")
"""The two dates of a certificate (RFC 5280, 4.1.2.5): UTCTime or GeneralizedTime, in DER."""
SSH = 22
PENDING = "PendingConfirmation"


def address(cloud: Cloud, needs: Needs) -> Finding:
    mine = cloud.address()
    if not _inside(mine, needs.administrators):
        return problem(
            "address",
            f"Your address is {mine}; the administrators' networks are "
            f"{', '.join(needs.administrators) or 'not set'}",
            f"export CART_CANARY_ADMIN_CIDR={mine}/32 && {needs.site}",
            blocking=True,
        )
    groups = cloud.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [needs.door]}]
    )["SecurityGroups"]
    admitted = sorted({network for group in groups for network in _ssh_sources(group)})
    if groups and not _inside(mine, admitted):
        return problem(
            "address",
            f"Your address is {mine}; security group {needs.door} admits "
            f"{', '.join(admitted) or 'nobody'} to SSH",
            needs.site,
        )
    return ok("address", f"{mine} may reach SSH" if groups else f"{mine} will reach SSH")


def _inside(address: str, networks: Iterable[str]) -> bool:
    return any(ip_address(address) in ip_network(each, strict=False) for each in networks)


def _ssh_sources(group: dict[str, Any]) -> list[str]:
    return [
        str(source["CidrIp"])
        for rule in group["IpPermissions"]
        if rule.get("FromPort", 0) <= SSH <= rule.get("ToPort", 65_535)
        for source in rule["IpRanges"]
    ]


def certificate(cloud: Cloud, needs: Needs) -> Finding:
    if not needs.certificates:
        return ok("certificate", "No certificate is set: the proxy serves HTTP only")
    for name in needs.certificates:
        path = Path(name)
        if not path.is_file() and needs.authority:
            return unknown("certificate", f"{path} is not made yet", needs.site)
        if not path.is_file():
            return problem(
                "certificate",
                f"There is no {path}, which the proxy should serve",
                f"export CART_CANARY_TLS_CERTIFICATE=... CART_CANARY_TLS_KEY=... && {needs.site}",
            )
        end = expiry(read_text(path, SMALL))
        days = (end - datetime.fromtimestamp(cloud.now(), UTC)).days
        if days < EXPIRES_SOON:
            when = f"expires in {days} days" if days >= 0 else f"expired on {end:%Y-%m-%d}"
            return problem("certificate", f"{path} {when}", f"Renew it, then: {needs.site}")
    return ok("certificate", f"Valid for more than {EXPIRES_SOON} days")


def expiry(pem: str) -> datetime:
    """Return when the first certificate of a PEM file expires."""
    begin, end = pem.index("-----BEGIN CERT"), pem.index("-----END CERT")
    der = ssl.PEM_cert_to_DER_cert(pem[begin:end] + "-----END CERTIFICATE-----")
    short, long = list(DATES.findall(der))[1]
    year = long.decode() if long else ("19" if short >= b"50" else "20") + short.decode()
    return datetime.strptime(year, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def mail(cloud: Cloud, needs: Needs) -> Finding:
    if not needs.emails:
        return ok("mail", "Nobody gets mail about alarms: CART_CANARY_ALARM_EMAILS is not set")
    topics = cloud.client("sns").get_paginator("list_topics").paginate()
    if needs.topic not in {each["TopicArn"] for page in topics for each in page["Topics"]}:
        return unknown("mail", f"Topic {needs.topic} is not made yet", needs.site)
    pages = (
        cloud.client("sns")
        .get_paginator("list_subscriptions_by_topic")
        .paginate(TopicArn=needs.topic)
    )
    found = {each["Endpoint"]: each for page in pages for each in page["Subscriptions"]}
    missing = [name for name in needs.emails if name not in found]
    if missing:
        return problem("mail", f"{', '.join(missing)} is not subscribed", needs.site)
    waiting = [name for name in needs.emails if found[name]["SubscriptionArn"] == PENDING]
    if waiting:
        return problem(
            "mail",
            f"{', '.join(waiting)} has not confirmed the subscription, so no mail arrives",
            "Open the mail from AWS Notifications and confirm it. If it is lost: "
            f"aws sns subscribe --topic-arn {needs.topic} --protocol email "
            f"--notification-endpoint {waiting[0]} --region {needs.region}",
        )
    return ok("mail", f"Confirmed: {', '.join(needs.emails)}")
