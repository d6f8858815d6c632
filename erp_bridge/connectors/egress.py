"""Where connectors may connect to: hosts out on the internet, and inside only what the installation names.

A company names its ERP's host itself; without this it could have the platform ask its own neighbours. The
address is looked at when the connection is made, so that a name that changes its address in between gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

import httpcore

from erp_bridge.connectors.base import ConnectorError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Addresses that stand for others: what is behind them cannot be seen from here.
_DISGUISES = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))


@dataclass(frozen=True, slots=True)
class Egress:
    """What the installation lets companies name beside public hosts."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def names_host(self, host: str) -> bool:
        """Whether the installation names this host, or a domain above it as ``*.domain``."""
        host = host.lower().rstrip(".")
        parents = host.split(".")[1:]
        above = {"*." + ".".join(parents[start:]) for start in range(len(parents))}
        return host in self.names or not above.isdisjoint(self.names)

    def contains(self, address: Address) -> bool:
        """Whether the installation names a network that this address is in."""
        return any(address in network for network in self.networks)


class _Policy:
    """The process's own; set once when the application is composed."""

    egress = Egress()


def permit_hosts(written: str) -> None:
    """Let companies name these hosts and networks: names, ``*.domain``, addresses or CIDR, by commas."""
    _Policy.egress = read_hosts(written.split(","))


def read_hosts(entries: Iterable[str]) -> Egress:
    """Tell networks from names."""
    names: set[str] = set()
    networks: list[Network] = []
    for entry in filter(None, (entry.strip().lower() for entry in entries)):
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            names.add(entry)
    return Egress(frozenset(names), tuple(networks))


@dataclass(slots=True)
class Deadline:
    """When the request under way must have ended; every wait of its connection is cut to it."""

    at: float = field(default=float("inf"))

    def start(self, seconds: float) -> None:
        """A new request begins."""
        self.at = time.monotonic() + seconds

    def cut(self, timeout: float | None) -> float:
        """What is left of a wait; never nothing, since that would mean forever to a socket."""
        left = max(self.at - time.monotonic(), 0.001)
        return left if timeout is None else min(timeout, left)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to permitted addresses only."""

    def __init__(self, deadline: Deadline, *, is_plain: bool) -> None:
        self._sockets = httpcore.SyncBackend()
        self._deadline = deadline
        self._is_plain = is_plain

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception = ConnectorError("erp.host_refused")
        for address in _permitted(host, port, is_plain=self._is_plain):
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, self._deadline.cut(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _TimedStream(stream, self._deadline)
        raise problem

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise ConnectorError("erp.host_refused")


class _TimedStream(httpcore.NetworkStream):
    """A connection on which no wait outlasts its request: an ERP that drips answers is cut off too."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.cut(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        cut = self._deadline.cut(timeout)
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, cut), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _permitted(host: str, port: int, *, is_plain: bool) -> list[Address]:
    """The addresses of a host that may be connected to; at least one, or the host is refused."""
    egress = _Policy.egress
    addresses = _resolve(host, port)
    named = egress.names_host(host)
    inside = [address for address in addresses if named or egress.contains(address)]
    outside = [address for address in addresses if address not in inside and _is_public(address)]
    if is_plain and outside and not inside:
        raise ConnectorError("erp.tls_required")
    found = inside if is_plain else inside + outside
    if not found:
        raise ConnectorError("erp.host_refused")
    return found


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("The name is not known.") from None
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [_plain(ipaddress.ip_address(text)) for text in texts]


def _plain(address: Address) -> Address:
    """An IPv4 address written as IPv6 is the IPv4 address."""
    return getattr(address, "ipv4_mapped", None) or address


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    return not any(address in network for network in _DISGUISES)


def permitted_addresses(host: str, port: int) -> list[str]:
    """The addresses of a database that may be connected to, which must be one the installation names."""
    try:
        return [str(address) for address in _permitted(host, port, is_plain=True)]
    except httpcore.ConnectError:
        raise ConnectorError("erp.unavailable") from None
