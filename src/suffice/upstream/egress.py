"""Which addresses the gateway may connect to.

Pure: an address in, a verdict out. Invariant: what is not plainly public unicast is refused unless the endpoint is marked
private, and link-local (cloud metadata), multicast, reserved and translation ranges are refused always.
"""

from __future__ import annotations

import ipaddress

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Reachable for endpoints that the operator marked `private`.
_PRIVATE: tuple[_Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "100.64.0.0/10",
        "198.18.0.0/15",
        "::1/128",
        "fc00::/7",
    )
)
# Reachable for nobody. IANA special-purpose registries, and ranges that carry another address inside.
_NEVER: tuple[_Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


def refusal(address: str, *, private: bool) -> str:
    """Return why `address` (a textual IPv4 or IPv6 address) may not be connected to, or "" when it may.

    `private` allows loopback, RFC 1918, CGNAT, benchmarking and unique-local ranges. An IPv4 address mapped into IPv6 is
    judged as the IPv4 address; one with a zone (`fe80::1%eth0`) is refused. Text that is no address is refused.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "not an IP address"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return f"{address} carries a zone"
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
    for network in _PRIVATE:
        if ip.version == network.version and ip in network:
            return "" if private else f"{ip} is in {network}, and the endpoint is not marked private"
    for network in _NEVER:
        if ip.version == network.version and ip in network:
            return f"{ip} is in {network}, which no endpoint may use"
    return "" if ip.is_global else f"{ip} is not a public unicast address"
