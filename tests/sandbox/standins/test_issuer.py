import stat
import time
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.standins.issuer import PERSONAS, create_app


def _client(directory: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(directory, 7001))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7001")


async def _claims(client: httpx.AsyncClient, persona: str) -> dict[str, object]:
    token = (await client.post("/token", json={"persona": persona})).raise_for_status().json()["access_token"]
    keys = KeySet.import_key_set((await client.get("/jwks")).json())
    return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


@pytest.mark.parametrize("persona", PERSONAS)
async def test_a_persona_gets_a_token_with_its_role_for_twelve_hours(directory: Path, persona: str) -> None:
    async with _client(directory) as client:
        claims = await _claims(client, persona)
    assert (claims["sub"], claims["role"]) == (persona, PERSONAS[persona].role)
    assert claims.get("employer_id") == PERSONAS[persona].employer_id
    assert (claims["iss"], claims["aud"]) == ("http://127.0.0.1:7001", "hetao-permits")
    assert int(str(claims["exp"])) - time.time() == pytest.approx(12 * 3600, abs=5)


async def test_the_key_stays_the_same_and_is_private(directory: Path) -> None:
    async with _client(directory) as first, _client(directory) as second:
        shown = (await first.get("/jwks")).json()
        assert shown == (await second.get("/jwks")).json()
    assert "d" not in shown["keys"][0]
    assert stat.S_IMODE((directory / "issuer-key.json").stat().st_mode) == 0o600


async def test_an_unknown_persona_gets_no_token(directory: Path) -> None:
    async with _client(directory) as client:
        answer = await client.post("/token", json={"persona": "minister"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_value")


async def test_discovery_names_the_keys(directory: Path) -> None:
    async with _client(directory) as client:
        found = (await client.get("/.well-known/openid-configuration")).json()
    assert found["jwks_uri"] == "http://127.0.0.1:7001/jwks"
