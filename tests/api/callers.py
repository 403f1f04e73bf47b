"""Callers of API tests: tokens of a test issuer, and an HTTP client that speaks for a persona."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ISSUER = "https://id.test"
AUDIENCE = "hetao-permits"
JWKS_URL = "https://id.test/jwks"
PERSONAS: dict[str, dict[str, str]] = {
    "employer-a": {"role": "employer", "employer_id": "emp-a"},
    "employer-b": {"role": "employer", "employer_id": "emp-b"},
    "officer-1": {"role": "officer"},
    "officer-2": {"role": "officer"},
    "supervisor": {"role": "supervisor"},
    "supervisor-2": {"role": "supervisor"},
    "operator": {"role": "operator"},
    "auditor": {"role": "auditor"},
    "authority": {"role": "authority"},
    "person-1": {"role": "person"},
}


class TestIssuer:
    """An issuer with one key of each kind; `answers` counts how often its keys were fetched."""

    __test__ = False

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, Key]] = {
            "ed": ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"}, private=True)),
            "ec": ("ES256", ECKey.generate_key("P-256", {"kid": "ec"}, private=True)),
            "rsa": ("RS256", RSAKey.generate_key(2048, {"kid": "rsa", "alg": "RS256"}, private=True)),
        }
        self.fetched = 0
        self.away = False

    def claims(self, persona: str, at: datetime, **changed: Any) -> dict[str, Any]:
        """Return the claims of a persona; a claim changed to None is left out."""
        issued = int(at.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": persona,
            "iat": issued,
            "exp": issued + int(timedelta(hours=12).total_seconds()),
            "jti": uuid4().hex,
            **PERSONAS[persona],
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims: Mapping[str, Any] | bytes, key: str = "ed", header: Mapping[str, Any] | None = None) -> str:
        """Return a token with these claims."""
        algorithm, private = self.keys[key]
        head = {"alg": algorithm, "kid": key, "typ": "JWT", **(header or {})}
        content = claims if isinstance(claims, bytes) else orjson.dumps(claims)
        signed = f"{_encoded(orjson.dumps(head))}.{_encoded(content)}"
        # Signed by hand, because the library refuses to make some of the headers that an attacker would.
        signature = JWSRegistry.algorithms[head["alg"]].sign(signed.encode(), private)
        return f"{signed}.{_encoded(signature)}"

    def transport(self) -> httpx.MockTransport:
        """Return the issuer as the API's HTTP client reaches it."""

        def answer(request: httpx.Request) -> httpx.Response:
            self.fetched += 1
            if self.away:
                raise httpx.ConnectError("refused", request=request)
            return httpx.Response(200, json={"keys": [key.as_dict(private=False) for _, key in self.keys.values()]})

        return httpx.MockTransport(answer)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class Caller:
    """Speaks to the API for one persona; writes carry a fresh key unless the test gives one."""

    def __init__(self, client: httpx.AsyncClient, token: str | None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def get(self, path: str, **query: Any) -> httpx.Response:
        headers = query.pop("headers", {})
        return await self._client.get(path, params=query, headers=self._headers | headers)

    async def post(self, path: str, json: Any = None, *, key: str | None = None, **more: Any) -> httpx.Response:
        return await self._write("POST", path, json, key, more)

    async def put(self, path: str, json: Any = None, *, key: str | None = None, **more: Any) -> httpx.Response:
        return await self._write("PUT", path, json, key, more)

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a call as it stands, with the persona's token only."""
        return await self._client.request(method, path, headers=self._headers | more.pop("headers", {}), **more)

    async def _write(self, method: str, path: str, json: Any, key: str | None, more: dict[str, Any]) -> httpx.Response:
        headers = self._headers | {"Idempotency-Key": key or uuid4().hex} | more.pop("headers", {})
        if json is not None:
            more["json"] = json
        return await self._client.request(method, path, headers=headers, **more)
