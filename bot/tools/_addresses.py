"""Which internet addresses are public: the last word on where the fetcher may connect to. Pure.

Has a table of its own, as the one of the standard library changes with Python's version. Knows no names, only numbers.
https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

_CLOSED_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' NAT, and Alibaba's metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # what Azure serves to its own machines
            "169.254.0.0/16",  # link-local, and the metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments, and Oracle's metadata
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
#: All that was ever given out; whatever lies outside is link-local, private, multicast, mapped or unassigned.
_UNICAST_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32",
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
#: The upper half of an ISATAP interface identifier, with the bit for global ones left out.
_ISATAP, _ISATAP_MASK = 0x0000_5EFE, 0xFCFF_FFFF


def is_public(address: str) -> bool:
    """Whether everybody on the internet has the same machine at an address, and at every IPv4 address inside of it.

    False for what is no address, and for one with a zone (`fe80::1%eth0`).
    """
    try:
        return _is_public_v6(IPv6Address(address)) if ":" in address else _is_public_v4(IPv4Address(address))
    except AddressValueError:
        return False


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _CLOSED_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return _is_public_v4(_low_v4(int(address)))
    if address not in _UNICAST_V6 or any(address in network for network in _CLOSED_V6):
        return False
    if address in _SIX_TO_FOUR and not _is_public_v4(_low_v4(int(address) >> 80)):
        return False
    if (int(address) >> 32) & _ISATAP_MASK == _ISATAP:
        return _is_public_v4(_low_v4(int(address)))
    return True


def _low_v4(number: int) -> IPv4Address:
    return IPv4Address(number & 0xFFFF_FFFF)
