"""The codec route of Temporal's web UI: payloads in clear for whoever knows the token in the path."""

import base64
import binascii
import hmac
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response
from temporalio.api.common.v1 import Payload

from api.access import GuardedRoute, media_type, path_token
from api.answers import json_response
from api.json_bodies import parse_json
from api.wiring import wiring_of
from domain.errors import Refused
from settings import Settings
from temporal.codec import Codec

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

_MOST_PAYLOADS: Final = 500


@router.api_route("/codec/{token}/{way}", methods=["OPTIONS"])
async def preflight(request: Request, token: str, _caller: Annotated[None, path_token()]) -> Response:
    """Let the web UI, and no other page, call the route from a browser."""
    return Response(status_code=204, headers=_cors(_opened(request, token)))


@router.post("/codec/{token}/{way}")
async def transform(
    request: Request, token: str, way: Literal["decode", "encode"], _caller: Annotated[None, path_token()]
) -> Response:
    """Decode or encode payloads."""
    settings = _opened(request, token)
    if media_type(request) != "application/json":
        raise Refused("media_type_unknown", "Send the body with `Content-Type: application/json`.")
    payloads = _payloads(parse_json(await request.body()))
    codec = Codec(wiring_of(request).context.keyring.codec)
    try:
        changed = codec.open_all(payloads) if way == "decode" else codec.seal_all(payloads)
    except Exception:  # noqa: BLE001 - whatever a payload of someone else's makes the cipher say
        raise Refused("invalid", "A payload cannot be read with the keys of this service.") from None
    return json_response({"payloads": [_shown(each) for each in changed]}, headers=_cors(settings))


def _opened(request: Request, token: str) -> Settings:
    settings = wiring_of(request).settings
    expected = settings.codec_token
    if expected is None or not hmac.compare_digest(token.encode(), expected.get_secret_value().encode()):
        raise Refused("not_found", "There is nothing at this address.")
    return settings


def _cors(settings: Settings) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": settings.temporal_ui_origin or "null",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type, x-namespace, authorization",
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
    }


def _payloads(body: Any) -> list[Payload]:
    try:
        given = body["payloads"]
        if not isinstance(given, list) or len(given) > _MOST_PAYLOADS:
            raise TypeError
        return [
            Payload(
                metadata={str(name): _plain(value) for name, value in (each.get("metadata") or {}).items()},
                data=_plain(each.get("data") or ""),
            )
            for each in given
        ]
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        raise Refused("invalid", "The body is no list of payloads.") from None


def _plain(encoded: str) -> bytes:
    return base64.b64decode(encoded, validate=True)


def _shown(payload: Payload) -> dict[str, Any]:
    return {
        "metadata": {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()},
        "data": base64.b64encode(payload.data).decode(),
    }
