"""The time-stamping authority (RFC 3161): one request for each stamp, and an answer that is of what was asked."""

import hashlib
from datetime import datetime
from typing import Final

import httpx
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    decode_timestamp_response,
)

from domain.errors import Unavailable

_SECONDS: Final = 15.0
_LARGEST: Final = 64 * 1024


class TimestampAuthority:
    """Asks one authority for stamps, with the certificates that they are checked by."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def stamp(self, content: bytes) -> tuple[bytes, datetime]:
        """Return the authority's answer, as it came, and the time that it states.

        Raises:
            Unavailable: when it is away, refuses, or answers about something else.
        """
        builder = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            answer = await self._client.post(self._url, content=request.as_bytes(), headers=headers, timeout=_SECONDS)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable("timestamp_authority") from error
        if len(answer.content) > _LARGEST:
            raise Unavailable("timestamp_authority_answer")
        try:
            response = decode_timestamp_response(answer.content)
        except ValueError as error:
            raise Unavailable("timestamp_authority_answer") from error
        return answer.content, _time_of(response, content, request.nonce)


def _time_of(response: TimeStampResponse, content: bytes, nonce: int | None) -> datetime:
    if response.status != PKIStatus.GRANTED:
        raise Unavailable("timestamp_refused")
    info = response.tst_info
    if info.message_imprint.message != hashlib.sha256(content).digest() or info.nonce != nonce:
        raise Unavailable("timestamp_of_something_else")
    stated: datetime = info.gen_time
    return stated
