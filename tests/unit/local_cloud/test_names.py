"""DNS: names of hosts are answered, other names are forwarded."""

import socket
from collections.abc import Iterator
from threading import Thread
from types import SimpleNamespace

import pytest
from dnslib import QTYPE, RCODE, RR, A, DNSRecord

from local_cloud.names import Resolver, addresses, pointer
from tests.unit.local_cloud.examples import instance

HOSTS = [instance(), instance(id="i-2", ip="10.77.1.5", tags=(), state="terminated")]
UDP = SimpleNamespace(protocol="udp")


def ask(name: str, kind: str = "A", nameservers: tuple[str, ...] = ()) -> DNSRecord:
    return Resolver(lambda: HOSTS, nameservers).resolve(DNSRecord.question(name, kind), UDP)


@pytest.mark.parametrize(
    "name",
    [
        "local-app-blue-1.local.internal",
        "LOCAL-APP-BLUE-1.Local.Internal",
        "ip-10-77-1-4.local.internal",
        "ip-10-77-1-4.internal",
        "ip-10-77-1-4.eu-central-1.compute.internal",  # as in DescribeInstances
    ],
)
def test_a_host_is_found_by_every_name(name: str) -> None:
    reply = ask(name)
    assert [str(answer.rdata) for answer in reply.rr] == ["10.77.1.4"]


def test_a_host_has_no_ipv6_address_yet_exists() -> None:
    reply = ask("local-app-blue-1.local.internal", "AAAA")
    assert (reply.rr, reply.header.rcode) == ([], RCODE.NOERROR)


@pytest.mark.parametrize("name", ["nobody.local.internal", "ip-10-77-1-5.internal"])
def test_unknown_and_terminated_hosts_do_not_exist(name: str) -> None:
    assert ask(name).header.rcode == RCODE.NXDOMAIN


def test_an_address_leads_to_the_name_tag() -> None:
    reply = ask("4.1.77.10.in-addr.arpa", "PTR")
    assert str(reply.rr[0].rdata) == "local-app-blue-1.local.internal."


def test_reverse_names() -> None:
    assert pointer("4.1.77.10.in-addr.arpa") == "10.77.1.4"


def test_without_an_answer_from_outside_the_failure_is_said() -> None:
    assert ask("example.org").header.rcode == RCODE.SERVFAIL


def test_two_hosts_two_names() -> None:
    second = instance(ip="10.77.1.6", tags=(("Name", "local-app-green-1"),))
    known = addresses([instance(), second])
    assert known["local-app-green-1.local.internal"] == "10.77.1.6"
    assert known["local-app-blue-1.local.internal"] == "10.77.1.4"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name server on loopback that knows one address."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        packet, caller = server.recvfrom(512)
        request = DNSRecord.parse(packet)
        reply = request.reply()
        reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A("192.0.2.7"), ttl=1))
        server.sendto(reply.pack(), caller)

    thread = Thread(target=serve)
    thread.start()
    monkeypatch.setattr("local_cloud.names.DNS_PORT", server.getsockname()[1])
    yield "127.0.0.1"
    thread.join()
    server.close()


def test_other_names_are_asked_outside(outside: str) -> None:
    assert str(ask("example.org", nameservers=(outside,)).rr[0].rdata) == "192.0.2.7"
