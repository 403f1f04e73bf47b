"""A stand-in OpenID Connect issuer that gives a token to any of the demo personas."""

import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import BaseModel, ConfigDict

from domain.actors import Role
from sandbox.standins.serving import ProblemError, add_problems, arguments, refuse_production, serve

AUDIENCE: Final = "hetao-permits"
TOKEN_SECONDS: Final = 12 * 3600
ALGORITHM: Final = "RS256"
KIND_CLAIM: Final = "document_kind"
NUMBER_CLAIM: Final = "document_number"


@dataclass(frozen=True)
class Persona:
    """Someone in whose name the demonstration acts."""

    name: str
    role: Role
    employer_id: str | None = None
    document: tuple[str, str] | None = None  # kind and number, as the issuer asserts them


PERSONAS: Final[dict[str, Persona]] = {
    "employer-a": Persona("Hetao Quantum Research Institute, HR", Role.EMPLOYER, "emp-a"),
    "employer-b": Persona("Futian Chip Technology, HR", Role.EMPLOYER, "emp-b"),
    "officer-1": Persona("Officer One", Role.OFFICER),
    "officer-2": Persona("Officer Two", Role.OFFICER),
    "supervisor": Persona("Supervisor One", Role.SUPERVISOR),
    "supervisor-2": Persona("Supervisor Two", Role.SUPERVISOR),
    "operator": Persona("Operator", Role.OPERATOR),
    "auditor": Persona("Auditor", Role.AUDITOR),
    "authority": Persona("Exit-entry administration", Role.AUTHORITY),
    # Of `examples/registration.json`, of the first line of `examples/roster.csv`, and three of nobody in either, who
    # apply for their own appraisal: from Hong Kong, Macao and Taiwan.
    "person-1": Persona("Person One", Role.PERSON, document=("resident_identity_card", "44030419900307123X")),
    "person-2": Persona("Person Two", Role.PERSON, document=("resident_identity_card", "33010619860128072X")),
    "person-3": Persona("Person Three", Role.PERSON, document=("hk_identity_card", "A123456(3)")),
    "person-4": Persona("Person Four", Role.PERSON, document=("macao_identity_card", "5123456(7)")),
    "person-5": Persona("Person Five", Role.PERSON, document=("taiwan_travel_permit", "12345678")),
}


class TokenRequest(BaseModel):
    """Whose token is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    persona: str


def load_key(path: Path) -> RSAKey:
    """Read the signing key, made once and kept in a file of mode 0600."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(key.as_dict(private=True), file)
        unfinished.rename(path)
    return RSAKey.import_key(json.loads(path.read_text()))


def token(key: RSAKey, issuer: str, persona: str, clock: Callable[[], float] = time.time) -> str:
    """Return a bearer token for a persona, good for twelve hours of a clock."""
    found = PERSONAS.get(persona)
    if found is None:
        raise ProblemError(422, "unknown_value", f"The persona is one of {', '.join(PERSONAS)}.")
    now = int(clock())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": persona,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": uuid.uuid4().hex,
        "role": found.role.value,
        "name": found.name,
    }
    if found.employer_id:
        claims["employer_id"] = found.employer_id
    if found.document:
        claims[KIND_CLAIM], claims[NUMBER_CLAIM] = found.document
    return str(jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM]))


def create_app(directory: Path, port: int, clock: Callable[[], float] = time.time) -> FastAPI:
    """Build the issuer whose key lies in a directory."""
    issuer = f"http://127.0.0.1:{port}"
    key = load_key(directory / "issuer-key.json")
    app = FastAPI(title="Stand-in issuer")
    add_problems(app)

    @app.get("/.well-known/openid-configuration")
    async def configuration() -> dict[str, object]:
        return {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/jwks",
            "token_endpoint": f"{issuer}/token",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    @app.get("/jwks")
    async def jwks() -> dict[str, object]:
        return {"keys": [key.as_dict(private=False)]}

    @app.post("/token")
    async def give_token(request: TokenRequest) -> dict[str, object]:
        return {
            "access_token": token(key, issuer, request.persona, clock),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
        }

    return app


def main() -> None:
    """Run the issuer as its own process."""
    refuse_production()
    given = arguments("Stand-in issuer of bearer tokens for the demo personas.")
    serve(create_app(given.dir, given.port), given.port)


if __name__ == "__main__":
    main()
