"""Statements of stored commands: about the body as it was signed, or as it is sealed now, and nobody else's word."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.actors import Role
from domain.errors import Refused
from proof.statements import ActorStatement, body_hash, said_of, sign

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes(31) + end) for end in (b"a", b"b"))
KEYS = {"s1": KEY.public_key(), "s2": OTHER.public_key()}
FIRST = ActorStatement(
    key_id="s1",
    issuer="test",
    subject="officer-1",
    role=Role.OFFICER,
    employer_id=None,
    command_id="c-1",
    reference="HT-1",
    kind="decide",
    body_hash=body_hash(b"as signed"),
    at=datetime(2026, 3, 2, tzinfo=UTC),
)
AGAIN = FIRST.model_copy(update={"key_id": "s2", "body_hash": body_hash(b"as sealed now")})


def _command(body: bytes, resealed: ActorStatement | None = None, key: Ed25519PrivateKey = OTHER) -> dict[str, Any]:
    return {"statement": sign(FIRST, KEY), "resealed": resealed and sign(resealed, key), "body": body}


def test_a_command_says_what_was_signed_about_its_body() -> None:
    assert said_of(_command(b"as signed"), KEYS) == FIRST


def test_a_body_that_was_sealed_again_has_a_second_statement_beside_the_first() -> None:
    assert said_of(_command(b"as sealed now", AGAIN), KEYS) == AGAIN


@pytest.mark.parametrize(
    "command",
    [
        _command(b"as sealed now"),
        _command(b"as signed", AGAIN),
        _command(b"as sealed now", AGAIN, KEY),
        _command(b"as sealed now", AGAIN.model_copy(update={"subject": "officer-2"})),
        _command(b"as sealed now", AGAIN.model_copy(update={"command_id": "c-2"})),
    ],
    ids=["another body", "the body before", "another key", "another person", "another command"],
)
def test_a_statement_about_anything_else_is_refused(command: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="signature_invalid"):
        said_of(command, KEYS)
