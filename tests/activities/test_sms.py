"""SMS over HTTP: what is asked of the gateway and what its answers mean."""

import json

import httpx
import pytest

from activities.outward import Permanent, SendResult, Sent, Temporary
from activities.sms import OutgoingSms, SmsSender

SMS = OutgoingSms(delivery_id="d-7", to="+8613800138000", text="备案 7K3M9Q2X-4 有新消息")


async def send(handler: httpx.MockTransport) -> SendResult:
    """Send one SMS to a gateway."""
    async with httpx.AsyncClient(transport=handler) as client:
        return await SmsSender("https://sms.example/sms", "secret-token", client).send(SMS)


async def test_the_gateway_gets_token_key_and_text() -> None:
    seen: list[httpx.Request] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, json={"id": "sms-1"})

    assert await send(httpx.MockTransport(gateway)) == Sent("sms-1")
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://sms.example/sms")
    assert request.headers["authorization"] == "Bearer secret-token"
    assert request.headers["idempotency-key"] == "d-7"
    assert json.loads(request.content) == {"to": SMS.to, "text": SMS.text}


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (httpx.Response(200, text="no json"), Sent()),
        (httpx.Response(202, json={"id": 5}), Sent()),
        (httpx.Response(202, json={"id": "x" * 201}), Sent()),
        (httpx.Response(400), Permanent("sms_400")),
        (httpx.Response(422, json={"to": SMS.to}), Permanent("sms_422")),
        (httpx.Response(401), Temporary("sms_401")),
        (httpx.Response(403), Temporary("sms_403")),
        (httpx.Response(404), Temporary("sms_404")),
        (httpx.Response(408), Temporary("sms_408")),
        (httpx.Response(409), Temporary("sms_409")),
        (httpx.Response(425), Temporary("sms_425")),
        (httpx.Response(429, headers={"Retry-After": "17"}), Temporary("sms_429", 17)),
        (httpx.Response(500), Temporary("sms_500")),
        (httpx.Response(503, headers={"Retry-After": "999999999"}), Temporary("sms_503", 86400)),
        (httpx.Response(503, headers={"Retry-After": "soon"}), Temporary("sms_503")),
        (httpx.Response(307, headers={"Location": "https://other.example/"}), Temporary("sms_307")),
    ],
)
async def test_an_answer_is_sent_temporary_or_permanent(response: httpx.Response, result: SendResult) -> None:
    assert await send(httpx.MockTransport(lambda _: response)) == result


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("+8613800138000"), "sms_unreachable"),
        (httpx.ReadTimeout(""), "sms_timeout"),
        (httpx.RemoteProtocolError(""), "sms_connection_lost"),
    ],
)
async def test_a_failure_of_the_network_is_temporary(error: httpx.HTTPError, reason: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    assert await send(httpx.MockTransport(fail)) == Temporary(reason)


def test_no_number_shows_in_a_repr() -> None:
    assert "13800138000" not in repr(SMS)
