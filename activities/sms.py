"""Sends SMS through an HTTP gateway."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, Field

from activities.outward import (
    Permanent,
    SendResult,
    Sent,
    Temporary,
    is_later,
    is_our_access,
    network_reason,
    retry_after,
)

TIMEOUT_SECONDS: Final = 15.0
_LONGEST_ID: Final = 200


class OutgoingSms(BaseModel):
    """One SMS; the delivery id is its idempotency key at the gateway."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    delivery_id: str
    to: str = Field(repr=False)
    text: str = Field(repr=False)


class SmsSender:
    """Hands SMS to a gateway that takes each idempotency key once."""

    def __init__(self, url: str, token: str, client: httpx.AsyncClient, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url, self._token, self._client, self._timeout = url, token, client, timeout

    async def send(self, sms: OutgoingSms) -> SendResult:
        """Send one SMS and say what became of it."""
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": sms.delivery_id}
        try:
            response = await self._client.post(
                self._url,
                json={"to": sms.to, "text": sms.text},
                headers=headers,
                timeout=self._timeout,
                follow_redirects=False,
            )
        except httpx.HTTPError as error:
            return Temporary(f"sms_{network_reason(error)}")
        return _result(response)


def _result(response: httpx.Response) -> SendResult:
    """Return what the gateway's answer means for the SMS; trouble with our own access is not the SMS's fault."""
    status = response.status_code
    if response.is_success:
        return Sent(_id_of(response))
    reason = f"sms_{status}"
    if status < HTTPStatus.BAD_REQUEST or is_later(status) or is_our_access(status):
        return Temporary(reason, retry_after(response.headers, datetime.now(UTC)))
    return Permanent(reason)


def _id_of(response: httpx.Response) -> str | None:
    """Return the id that the gateway's receipts will name, where it gave one."""
    try:
        body = response.json()
    except ValueError:
        return None
    given = body.get("id") if isinstance(body, dict) else None
    return given if isinstance(given, str) and 0 < len(given) <= _LONGEST_ID else None
