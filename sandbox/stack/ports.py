"""Free ports of 127.0.0.1."""

import secrets
import socket

# Below the range that the kernel gives to outgoing connections (ip_local_port_range begins at 32768): a port of that
# range may be taken, or connected to from itself, while the server that owns it is started again.
FIRST = 18_000
LAST = 31_999
ATTEMPTS = 200


def free_port(avoid: frozenset[int] = frozenset()) -> int:
    """A port of 127.0.0.1 that nothing listens on at this moment and that is none of those to avoid."""
    for _ in range(ATTEMPTS):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        if port not in avoid and is_free(port):
            return port
    raise OSError(f"No free port found between {FIRST} and {LAST}.")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
