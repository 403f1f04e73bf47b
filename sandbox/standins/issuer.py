"""A stand-in OpenID Connect issuer that gives a token to any of the demo personas, also by a page to choose one on."""

import base64
import hashlib
import hmac
import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI, Form, Query, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse

from domain.actors import Role
from sandbox.standins.serving import ProblemError, add_problems, arguments, refuse_production, serve
from sandbox.standins.sign_in_page import page_of

AUDIENCE: Final = "hetao-permits"
TOKEN_SECONDS: Final = 12 * 3600
ALGORITHM: Final = "RS256"
CODE_SECONDS: Final = 60
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


class CodeRequest(BaseModel):
    """What a client asks for before somebody signs in (RFC 6749, 4.1.1; RFC 7636; OpenID Connect Core, 3.1.2.1)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    response_type: str = Field(pattern="^code$")
    client_id: str = Field(min_length=1, max_length=100)
    redirect_uri: str = Field(max_length=300)
    scope: str = Field(pattern=r"(^| )openid( |$)")
    state: str = Field(min_length=8, max_length=200)
    nonce: str | None = Field(default=None, max_length=200)
    code_challenge: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    code_challenge_method: str = Field(pattern="^S256$")


@dataclass(frozen=True)
class Code:
    """A code that was given out: who signed in, and for which request."""

    persona: str
    asked: CodeRequest
    until: float


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


def id_token(key: RSAKey, issuer: str, code: Code, clock: Callable[[], float] = time.time) -> str:
    """Return what tells a client who signed in."""
    now = int(clock())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": code.persona,
        "aud": code.asked.client_id,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "name": PERSONAS[code.persona].name,
    }
    if code.asked.nonce is not None:
        claims["nonce"] = code.asked.nonce
    return str(jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM]))


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
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ["openid", "profile"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    @app.get("/jwks")
    async def jwks() -> dict[str, object]:
        return {"keys": [key.as_dict(private=False)]}

    codes: dict[str, Code] = {}

    @app.get("/authorize")
    async def choose(request: Request, asked: Annotated[CodeRequest, Query()]) -> HTMLResponse:
        _check_redirect(asked)
        return page_of(PERSONAS, asked.model_dump(exclude_none=True), request.headers.get("accept-language", ""))

    @app.post("/authorize")
    async def sign_in(asked: Annotated[CodeRequest, Form()], persona: Annotated[str, Form()]) -> RedirectResponse:
        _check_redirect(asked)
        if persona not in PERSONAS:
            raise ProblemError(422, "unknown_value", f"The persona is one of {', '.join(PERSONAS)}.")
        for old in [each for each, code in codes.items() if code.until < clock()]:
            del codes[old]
        given = uuid.uuid4().hex
        codes[given] = Code(persona, asked, clock() + CODE_SECONDS)
        return RedirectResponse(
            f"{asked.redirect_uri}?{urlencode({'code': given, 'state': asked.state})}", status_code=303
        )

    @app.post("/token")
    async def give_token(request: Request) -> dict[str, object]:
        if request.headers.get("content-type", "").startswith("application/json"):
            try:
                wanted = TokenRequest.model_validate_json(await request.body())
            except ValidationError:
                raise ProblemError(422, "invalid", 'Send `{"persona": "…"}`, or a code as a form.') from None
            return {
                "access_token": token(key, issuer, wanted.persona, clock),
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
            }
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        code = codes.pop(form.get("code", ""), None)
        if form.get("grant_type") != "authorization_code" or code is None or not _proves(code, form, clock()):
            raise ProblemError(400, "invalid_grant", "The code is unknown, used, too old, or of another request.")
        return {
            "access_token": token(key, issuer, code.persona, clock),
            "id_token": id_token(key, issuer, code, clock),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
        }

    return app


def _check_redirect(asked: CodeRequest) -> None:
    """Refuse to lead anybody away from this machine: codes go to a console of this machine alone."""
    there = urlsplit(asked.redirect_uri)
    if there.scheme != "http" or there.hostname not in ("127.0.0.1", "localhost") or there.path != "/signed-in":
        raise ProblemError(
            422, "invalid", "`redirect_uri` is http://127.0.0.1:PORT/signed-in.", fields=("redirect_uri",)
        )


def _proves(code: Code, form: dict[str, str], now: float) -> bool:
    """Whether whoever brings a code is the one that asked for it (RFC 7636, 4.6)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return (
        now <= code.until
        and form.get("client_id") == code.asked.client_id
        and form.get("redirect_uri") == code.asked.redirect_uri
        and hmac.compare_digest(challenge, code.asked.code_challenge)
    )


def main() -> None:
    """Run the issuer as its own process."""
    refuse_production()
    given = arguments("Stand-in issuer of bearer tokens for the demo personas.")
    serve(create_app(given.dir, given.port), given.port)


if __name__ == "__main__":
    main()
