"""DNS: <Name tag>.local.internal and the names of EC2; other names are forwarded."""

import logging
from collections.abc import Callable
from ipaddress import IPv4Address

from dnslib import PTR, QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

from local_cloud.emulator.lifecycle import Instance
from local_cloud.errors import DaemonError

LOG = logging.getLogger(__name__)
DOMAIN = "local.internal"
TTL = 5
PATIENCE = 3.0
DNS_PORT = 53
GONE = ("terminated", "shutting-down")


def addresses(listed: list[Instance]) -> dict[str, str]:
    """Return all names of this cloud with their addresses."""
    found: dict[str, str] = {}
    for instance in listed:
        if instance.state in GONE or not instance.ip:
            continue
        named = [f"{instance.name}.{DOMAIN}"] if instance.name else []
        own = (DOMAIN, "internal", f"{instance.region}.compute.internal")
        for name in (*named, *(f"{instance.hostname}.{domain}" for domain in own)):
            found[name.lower()] = instance.ip
    return found


def pointer(name: str) -> str:
    """Return the address of a reverse name such as 4.1.77.10.in-addr.arpa."""
    return ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))


class Resolver(BaseResolver):  # type: ignore[misc]
    def __init__(
        self, list_instances: Callable[[], list[Instance]], nameservers: tuple[str, ...]
    ) -> None:
        self.list_instances = list_instances
        self.nameservers = nameservers

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """Answer queries for our names and forward the others."""
        name = str(request.q.qname).rstrip(".").lower()
        kind = QTYPE[request.q.qtype]
        known = addresses(self.list_instances())
        if kind == "PTR" and (owner := reverse(known, pointer(name))):
            return self.reply(request, RR(request.q.qname, QTYPE.PTR, rdata=PTR(owner), ttl=TTL))
        if name in known:
            answers = [RR(request.q.qname, QTYPE.A, rdata=A(known[name]), ttl=TTL)]
            return self.reply(request, *(answers if kind in ("A", "ANY") else []))
        if name.endswith(".internal"):
            reply = request.reply()
            reply.header.rcode = RCODE.NXDOMAIN
            return reply
        return self.forward(request, tcp=handler.protocol == "tcp")

    def reply(self, request: DNSRecord, *answers: RR) -> DNSRecord:
        reply = request.reply()
        reply.add_answer(*answers)
        return reply

    def forward(self, request: DNSRecord, *, tcp: bool) -> DNSRecord:
        """Forward a query to the name servers of the controller, one after another."""
        for server in self.nameservers:
            try:
                answer = request.send(server, DNS_PORT, tcp=tcp, timeout=PATIENCE)
                return DNSRecord.parse(answer)
            except (OSError, ValueError) as error:
                LOG.info("the name server %s did not respond: %s", server, error)
        reply = request.reply()
        reply.header.rcode = RCODE.SERVFAIL
        return reply


def reverse(known: dict[str, str], address: str) -> str | None:
    """Return the main name of ``address``: the name from its Name tag, if it has one."""
    return next((name for name, owned in known.items() if owned == address), None)


class NameServer:
    """The DNS server on port 53 of the bridge, for UDP and TCP."""

    def __init__(self, address: IPv4Address, resolver: Resolver) -> None:
        quiet = DNSLogger("-request,-reply,-truncated,-error,-send,-recv,-data", prefix=False)
        try:
            self.servers = [
                DNSServer(resolver, address=str(address), port=DNS_PORT, tcp=tcp, logger=quiet)
                for tcp in (False, True)
            ]
        except OSError as error:
            raise DaemonError(
                f"Port {DNS_PORT} of {address} is taken ({error.strerror}), perhaps by a name "
                f"server that listens on every address. Type: ss -lnptu 'sport = :{DNS_PORT}'"
            ) from None

    def start(self) -> None:
        for server in self.servers:
            server.start_thread()

    def stop(self) -> None:
        for server in self.servers:
            server.stop()
            server.server.server_close()
