"""Where a call comes from, for counting."""

from ipaddress import ip_address, ip_network

from starlette.types import Scope


def client_of(scope: Scope) -> str:
    """Return the network that a call comes from: an address, or of IPv6 the part that one line has."""
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(address) if address.version == 4 else str(ip_network(f"{address}/64", strict=False))
