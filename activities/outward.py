"""What the outward adapters share: the result of sending, reading HTTP answers, and a limit on the rate of calls."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

MOST_SECONDS_TO_WAIT: Final = 24 * 3600.0
# The request may succeed later although the status begins with a 4.
_LATER: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
# What these say is wrong with our address, path or credentials, not with the message.
_OUR_ACCESS: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took the message; receipts name it by `provider_id`."""

    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Temporary:
    """The message may pass later, not before `retry_after` seconds where the other side said so."""

    reason_code: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Permanent:
    """The message will never pass; `ends_subscription` where the receiver wants none any more."""

    reason_code: str
    ends_subscription: bool = False


SendResult = Sent | Temporary | Permanent


def is_later(status: int) -> bool:
    """Say whether the same request may succeed later."""
    return status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def is_our_access(status: int) -> bool:
    """Say whether the status refuses our way in, which an operator mends while the message waits."""
    return status in _OUR_ACCESS


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for, given as seconds or as a date, within a day."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value)
    else:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    return min(max(seconds, 0.0), MOST_SECONDS_TO_WAIT)


def network_reason(error: Exception) -> str:
    """Return a code for a failure of the network that names no address."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "timeout"
    if isinstance(error, httpx.ConnectError):
        return "unreachable"
    return "connection_lost"


class RateLimit:
    """Lets `per_second` calls pass on average and `burst` at once; the others wait their turn."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._head_start = (burst - 1) * self._interval
        self._next_free = float("-inf")

    async def wait(self) -> None:
        """Return when the next call may be made; turns are given in the order of asking."""
        now = asyncio.get_running_loop().time()
        turn = max(self._next_free, now - self._head_start)
        self._next_free = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)
