"""Which addresses may be reached: the guard against requests into the local network."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable

from pipeline.core.errors import Reason, SourceError

logger = logging.getLogger(__name__)

# IPv6 forms that carry an IPv4 address, or are private by an older name
_DISGUISES = tuple(ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "fec0::/10"))
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressPolicy:
    """Hosts and networks that may be contacted although they are private: names, addresses, `10.1.0.0/16`."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Raises ValueError on an entry that is neither a host name nor a network."""
        self._names: set[str] = set()
        self._networks: list[_Network] = []
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry))
            except ValueError:
                if "/" in entry or not entry.strip():
                    raise ValueError(f"{entry!r} is neither a host nor a network such as 10.1.0.0/16") from None
                self._names.add(entry.lower())

    def check(self, host: str, address: str) -> None:
        """Raise SourceError unless the address is public or allowed, looking through IPv6 forms of IPv4."""
        if self.names(host, address):
            return
        ip = _ip_address(address)
        inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
        disguised = any(ip in network for network in _DISGUISES if network.version == ip.version)
        if disguised or not inner.is_global or inner.is_multicast:
            logger.info("address refused by policy: %s is at %s", host, address)
            raise SourceError(
                f"{host} is at {address}, a private address; sources.allow_hosts may allow it",
                reason=Reason.FORBIDDEN_ADDRESS,
            )

    def names(self, host: str, address: str) -> bool:
        """Return whether the operator named the host, its address or a network that holds it."""
        ip = _ip_address(address)
        return host.lower() in self._names or any(ip.version == n.version and ip in n for n in self._networks)


def _ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address, without the zone of a link-local one."""
    return ipaddress.ip_address(text.split("%", maxsplit=1)[0])
