"""Sends signed webhooks to addresses that employers named, and to no address inside."""

import asyncio
import ssl
from collections.abc import Collection
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from activities.addresses import Address, Resolve, UnresolvedError, is_public, resolve
from activities.outward import Permanent, SendResult, Sent, Temporary, network_reason, retry_after
from proof.webhooks import sign

TIMEOUT_SECONDS: Final = 15.0  # the specification recommends 15 to 30 seconds
MOST_BYTES_READ: Final = 64 * 1024
USER_AGENT: Final = "hetao-permits"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535


class OutgoingWebhook(BaseModel):
    """One message to a subscriber; its id stays the same when it is sent again, its time does not."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    message_id: str
    url: str = Field(repr=False)
    body: str
    keys: tuple[str, ...] = Field(repr=False, min_length=1)
    at: AwareDatetime


class RefusedTargetError(Exception):
    """A URL that webhooks may not go to, with the code of the reason."""

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason_code)
        self.reason_code = reason_code


class WebhookSender:
    """Posts messages; each name is resolved once and the connection goes to the address that was checked.

    `allowed` holds exact `host:port` pairs that may be private and may speak plain HTTP.
    """

    def __init__(
        self,
        allowed: Collection[str] = (),
        *,
        timeout: float = TIMEOUT_SECONDS,
        resolver: Resolve = resolve,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = frozenset(pair.lower() for pair in allowed)
        self._timeout, self._resolve = timeout, resolver
        # Connections are not kept: two names at one address must not share the TLS session of one of them.
        self._client = httpx.AsyncClient(
            verify=tls_context or ssl.create_default_context(),
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            trust_env=False,
            timeout=timeout,
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def send(self, webhook: OutgoingWebhook) -> SendResult:
        """Send one message and say what became of it, in no more than the time allowed."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(webhook)
        except RefusedTargetError as error:
            return Permanent(error.reason_code)
        except UnresolvedError:
            return Temporary("webhook_unresolved")
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            return Temporary(f"webhook_{network_reason(error)}")

    async def _send(self, webhook: OutgoingWebhook) -> SendResult:
        """Resolve, check, post and read the beginning of the answer."""
        url = self.checked(webhook.url)
        address = await self._address_of(url)
        request = self._client.build_request(
            "POST",
            url.copy_with(host=str(address)),
            content=webhook.body.encode(),
            headers={
                **sign(webhook.message_id, webhook.at, webhook.body, webhook.keys),
                "Host": url.netloc.decode("ascii"),
                "Content-Type": "application/json",
                "User-Agent": USER_AGENT,
                "Accept-Encoding": "identity",
            },
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await self._client.send(request, stream=True)
        try:
            await _read_some(response)
        finally:
            await response.aclose()
        return _result(response)

    def checked(self, text: str) -> httpx.URL:
        """Return the URL if its form is one that webhooks may go to; addresses are checked when it is resolved.

        Raises RefusedTargetError.
        """
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL as error:
            raise RefusedTargetError("webhook_url_malformed") from error
        if url.scheme not in _DEFAULT_PORTS or not url.host or url.userinfo or not 0 < _port_of(url) <= _LAST_PORT:
            raise RefusedTargetError("webhook_url_malformed")
        if url.scheme == "http" and not self._is_allowed(url):
            raise RefusedTargetError("webhook_not_https")
        return url.copy_with(fragment=None)

    async def _address_of(self, url: httpx.URL) -> Address:
        """Return the address to connect to; one refused address among several refuses the name."""
        found = await self._resolve(url.raw_host.decode("ascii"), _port_of(url))
        if not found:
            raise UnresolvedError
        if not self._is_allowed(url) and not all(is_public(address) for address in found):
            raise RefusedTargetError("webhook_address_refused")
        return found[0]

    def _is_allowed(self, url: httpx.URL) -> bool:
        """Say whether the configuration names exactly this host and port."""
        host = url.raw_host.decode("ascii").lower()
        pair = f"[{host}]:{_port_of(url)}" if ":" in host else f"{host}:{_port_of(url)}"
        return pair in self._allowed


def _port_of(url: httpx.URL) -> int:
    """Return the port of a URL, its scheme's own where none is written."""
    return url.port if url.port is not None else _DEFAULT_PORTS[url.scheme]


async def _read_some(response: httpx.Response) -> None:
    """Read the answer's beginning, so that a well-behaved receiver sees its answer taken; the rest is cut off."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MOST_BYTES_READ:
            return


def _result(response: httpx.Response) -> SendResult:
    """Return what the receiver's answer means for the message.

    Only 410 ends the subscription; after any other answer than success the message is tried again by its schedule
    (Standard Webhooks 1.0.0, "Deliverability and reliability").
    """
    status = response.status_code
    if response.is_success:
        return Sent()
    if status == HTTPStatus.GONE:
        return Permanent("webhook_410", ends_subscription=True)
    return Temporary(f"webhook_{status}", retry_after(response.headers, datetime.now(UTC)))
