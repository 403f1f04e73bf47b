"""The codec route of Temporal's web UI: payloads in clear for an operator, in the embedded stack for its path token."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response
from temporalio.api.common.v1 import Payload

from api.access import ANY_QUERY_KEY, GuardedRoute, allow, anyone, media_type, path_token
from api.answers import json_response
from api.json_bodies import parse_json
from api.wiring import wiring_of
from domain.actors import Actor, Role
from domain.errors import Refused
from settings import Settings
from temporal.codec import Codec

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

PATH: Final = "/codec/"
_MOST_PAYLOADS: Final = 500
# The web UI names things in the query that concern other codecs, such as `preserveStorageRefs`.
_ANY_QUERY: Final = {ANY_QUERY_KEY: True}


def cors_headers(settings: Settings) -> Sequence[tuple[bytes, bytes]]:
    """Return what lets the web UI, and no other page, call the codec from a browser; refusals it may read, too."""
    if settings.temporal_ui_origin is None:
        return ()
    return (
        (b"access-control-allow-origin", settings.temporal_ui_origin.rstrip("/").encode()),
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", b"content-type, x-namespace, authorization, authorization-extras"),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-max-age", b"600"),
        (b"vary", b"Origin"),
    )


@router.api_route("/codec/decode", methods=["OPTIONS"], openapi_extra=_ANY_QUERY)
async def preflight(_caller: Annotated[None, anyone()]) -> Response:
    """Let a browser ask first."""
    return Response(status_code=204)


@router.post("/codec/decode", openapi_extra=_ANY_QUERY)
async def decode(request: Request, _actor: Annotated[Actor, allow(Role.OPERATOR)]) -> Response:
    """Decode payloads for an operator, whose token the web UI passes on."""
    return await _decoded(request)


@router.api_route("/codec/{token}/decode", methods=["OPTIONS"], openapi_extra=_ANY_QUERY)
async def preflight_embedded(request: Request, token: str, _caller: Annotated[None, path_token()]) -> Response:
    """Let a browser ask first, with the token of the path."""
    _check(request, token)
    return Response(status_code=204)


@router.post("/codec/{token}/decode", openapi_extra=_ANY_QUERY)
async def decode_embedded(request: Request, token: str, _caller: Annotated[None, path_token()]) -> Response:
    """Decode payloads for whoever knows the token of the path: the web UI of a development server knows no other."""
    _check(request, token)
    return await _decoded(request)


async def _decoded(request: Request) -> Response:
    if media_type(request) != "application/json":
        raise Refused("media_type_unknown", "Send the body with `Content-Type: application/json`.")
    payloads = _payloads(parse_json(await request.body()))
    try:
        opened = Codec(wiring_of(request).context.keyring.codec).open_all(payloads)
    except Exception:  # noqa: BLE001 - whatever a payload of someone else's makes the cipher say
        raise Refused("invalid", "A payload cannot be read with the keys of this service.") from None
    return json_response({"payloads": [_shown(each) for each in opened]})


def _check(request: Request, token: str) -> None:
    expected = wiring_of(request).settings.codec_token
    if expected is None or not hmac.compare_digest(token.encode(), expected.get_secret_value().encode()):
        raise Refused("not_found", "There is nothing at this address.")


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
