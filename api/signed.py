"""Messages of machines, whose credential is their signature (Standard Webhooks 1.0.0)."""

from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.access import media_type
from api.json_bodies import parse_json
from api.wiring import wiring_of
from cases.shared.machine_secrets import MachineSecrets
from domain.actors import Actor, Role
from domain.errors import Refused
from domain.field_errors import field_errors
from domain.incidents import IncidentKind
from proof.webhooks import verify_by

_M = TypeVar("_M", bound=BaseModel)

SIGNATURE_HEADERS: Final[list[dict[str, Any]]] = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string", "maxLength": 2000},
    }
    for name, description in (
        ("webhook-id", "Id of the message, the same when it is sent again."),
        ("webhook-timestamp", "Seconds since 1970, at most five minutes off."),
        ("webhook-signature", "`v1,…` (HMAC) or `v1a,…` (Ed25519), several separated by spaces."),
    )
]


def signed_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return what the OpenAPI document says of a signed message."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {
        "parameters": SIGNATURE_HEADERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "security": [{"signature": []}],
    }


async def verified(
    request: Request, secrets: MachineSecrets, machine: str, kind: IncidentKind
) -> tuple[str, bytes, Actor]:
    """Return id and body of a message that holds, and the machine as actor; one that does not is an incident of a kind.

    Raises:
        Refused: `signature_invalid`, with a ledger row and a line for the operator (P27), at most once a minute.
    """
    wiring = wiring_of(request)
    actor = Actor(issuer="signature", subject=machine, role=Role.AUTHORITY, correlation_id=request.state.correlation_id)
    body = await request.body()
    try:
        message_id, fitting = verify_by(dict(request.headers), body, secrets.keys, wiring.context.clock())
    except Refused as refused:
        # Counted apart, so that forgers neither fill the ledger nor use up what the machine itself may send.
        await wiring.limiter.count_forged(machine)
        await wiring.forgeries.note(actor, kind, refused.code)
        raise
    secrets.use(fitting)
    await wiring.limiter.count_machine(machine)
    request.state.actor = actor
    return message_id, body, actor


def read_body(request: Request, body: bytes, model: type[_M]) -> _M:
    """Return the content of a message.

    Raises:
        Refused: `media_type_unknown`, `malformed` or `invalid`.
    """
    if media_type(request) != "application/json":
        raise Refused("media_type_unknown", "Send the body with `Content-Type: application/json`.")
    try:
        return model.model_validate(parse_json(body))
    except ValidationError as error:
        raise Refused("invalid", "The message does not have the right form.", field_errors(error)) from None
