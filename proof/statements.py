"""Signed actor statements: who asked for what, signed with the API's key and checked by the step that applies it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from domain.actors import Actor, Role
from domain.errors import Refused
from proof.base64_text import from_base64url, to_base64url
from proof.canonical import canonical


class StatementKeyUnknown(Refused):
    """A statement is signed by a key that is not known: it was made up, or the key is not here yet."""

    def __init__(self, key_id: str) -> None:
        super().__init__("signature_invalid", "The actor statement is signed by a key that is not known.")
        self.key_id = key_id


class ActorStatement(BaseModel):
    """What a statement says: the actor, the command, its kind, the hash of its sealed body and the time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_id: str
    issuer: str
    subject: str
    role: Role
    employer_id: str | None
    command_id: str
    reference: str
    kind: str
    body_hash: str
    at: AwareDatetime


def body_hash(body: bytes | None) -> str:
    """Return the hash of a command's sealed body."""
    return hashlib.sha256(body or b"").hexdigest()


def sign(statement: ActorStatement, key: Ed25519PrivateKey) -> str:
    """Return the statement in canonical JSON with its signature, both in base64url."""
    content = canonical(statement.model_dump(mode="json"))
    return f"{to_base64url(content)}.{to_base64url(key.sign(content))}"


def signed_statement(
    actor: Actor,
    command_id: UUID,
    reference: str,
    kind: str,
    hashed: str,
    at: datetime,
    by: tuple[str, Ed25519PrivateKey],
) -> str:
    """Return the signed statement of an actor about a command.

    Args:
        actor: who asked for it.
        command_id: its id.
        reference: what it is about.
        kind: its kind.
        hashed: what it says, as the hash of its sealed body or of its content.
        at: when it was asked for.
        by: the key that signs, with its id.
    """
    key_id, key = by
    statement = ActorStatement(
        key_id=key_id,
        issuer=actor.issuer,
        subject=actor.subject,
        role=actor.role,
        employer_id=actor.employer_id,
        command_id=str(command_id),
        reference=reference,
        kind=str(kind),
        body_hash=hashed,
        at=at,
    )
    return sign(statement, key)


def verify(text: str, keys: Mapping[str, Ed25519PublicKey]) -> ActorStatement:
    """Return what a statement says.

    Raises:
        StatementKeyUnknown: when it is signed by a key that is not among them.
        Refused: `signature_invalid` when it was altered or is broken.
    """
    try:
        content, signature = (from_base64url(part) for part in text.split("."))
        statement = ActorStatement.model_validate_json(content)
        key = keys.get(statement.key_id)
        if key is None:
            raise StatementKeyUnknown(statement.key_id)
        key.verify(signature, content)
    except (ValueError, InvalidSignature, ValidationError) as error:
        raise Refused("signature_invalid", "The actor statement does not verify.") from error
    return statement


def is_about(said: ActorStatement, command: Mapping[str, Any]) -> bool:
    """Say whether a statement is of the actor of a stored command, and about just that command."""
    actor = command["actor"]
    who = (actor["issuer"], actor["subject"], actor["role"], actor["employer_id"])
    what = (command["reference"], command["kind"], str(command["command_id"]))
    said_who = (said.issuer, said.subject, said.role, said.employer_id)
    return (said_who, (said.reference, said.kind, said.command_id)) == (who, what)


def said_of(command: Mapping[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> ActorStatement:
    """Return what the statement of a stored command says, its body hash that of the body as it is sealed now.

    Where the body was sealed again since (`resealed`), a second statement is about it, and says all else alike.

    Raises:
        Refused: `signature_invalid` where either does not verify, or neither is about the body.
    """
    said = verify(command["statement"], keys)
    if command["resealed"] is not None:
        now = verify(command["resealed"], keys)
        said = said.model_copy(update={"key_id": now.key_id, "body_hash": now.body_hash})
        if said != now:
            raise Refused("signature_invalid", "The actor statement of the body as it is now is about something else.")
    if said.body_hash != body_hash(command["body"]):
        raise Refused("signature_invalid", "The actor statement is about another body.")
    return said
