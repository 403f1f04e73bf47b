"""How long the API waits for what a client sends and reads: long enough for an honest slow line, and no longer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and rates of one connection.

    A roster of 10 MiB over a line of 64 kbit/s comes in in 21 minutes and is taken; what is slower than that is ended
    twenty seconds after it fell behind.
    """

    head_seconds: float = 10.0
    head_bytes: int = 64 * 1024
    body_seconds: float = 20.0
    bytes_a_second: float = 8 * 1024
    # After an early answer, so that a client that still sends can read it before the line closes.
    rest_seconds: float = 30.0
    unread_seconds: float = 30.0

    def body_due(self, began: float, received: int) -> float:
        """Return the moment by which more of a body must have come."""
        return began + self.body_seconds + received / self.bytes_a_second
