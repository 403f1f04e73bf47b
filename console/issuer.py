"""The issuer of accounts: where somebody signs in, and what their code is exchanged for (OpenID Connect Core 1.0)."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import orjson

from domain.actors import Role
from domain.browser_sessions import Account
from domain.errors import Unavailable
from settings import Settings

_TIMEOUT_S: Final = 5.0
_OF_A_TOKEN: Final = 3  # head, claims and signature


class SignInError(Exception):
    """The issuer let nobody in, or what it said is not of this sign-in."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: what the browser keeps until the issuer leads it back."""

    state: str
    nonce: str
    verifier: str
    next: str


class Issuer:
    """The issuer, as its own configuration describes it (OpenID Connect Discovery 1.0)."""

    def __init__(
        self,
        settings: Settings,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False),
    ) -> None:
        self._settings = settings
        self._client = client
        self._found: Mapping[str, Any] | None = None
        self.back = f"{settings.public_url}/signed-in"

    async def begin(self, next_path: str) -> tuple[Begun, str]:
        """Return what is kept of a sign-in, and the address of the issuer's page.

        Raises:
            Unavailable: the issuer does not answer.
        """
        begun = Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), next_path)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self.back,
            "scope": self._settings.oidc_scope,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = (await self._configuration())["authorization_endpoint"]
        return begun, f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    async def exchange(self, begun: Begun, code: str) -> tuple[Account, datetime]:
        """Return who signed in, and when their token ends.

        What the tokens claim is believed since they come from the issuer itself (OpenID Connect Core, 3.1.3.7, 6); that
        the access token is good is found out by the API, which takes it or does not.

        Raises:
            SignInError: the code is not taken, or the tokens are of another sign-in.
            Unavailable: the issuer does not answer.
        """
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "client_id": self._settings.oidc_client_id,
            "code_verifier": begun.verifier,
        }
        if (secret := self._settings.oidc_client_secret) is not None:
            sent["client_secret"] = secret.get_secret_value()
        address = (await self._configuration())["token_endpoint"]
        try:
            async with self._client() as client:
                answer = await client.post(address, data=sent)
        except httpx.HTTPError:
            raise Unavailable("issuer") from None
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable("issuer")
        if answer.is_error:
            raise SignInError
        return self._account(begun, _object(answer.content))

    def _account(self, begun: Begun, given: Mapping[str, Any]) -> tuple[Account, datetime]:
        identity, access = _claims(given.get("id_token")), _claims(given.get("access_token"))
        audience = identity.get("aud")
        is_ours = self._settings.oidc_client_id in (audience if isinstance(audience, list) else [audience])
        if not is_ours or identity.get("iss") != self._settings.oidc_issuer or identity.get("nonce") != begun.nonce:
            raise SignInError
        if access.get("sub") != identity.get("sub"):
            raise SignInError
        try:
            account = Account(
                issuer=str(access["iss"]),
                subject=str(access["sub"]),
                name=str(identity.get("name") or access.get("name") or ""),
                role=Role(access["role"]),
                token=str(given["access_token"]),
                employer_id=access.get("employer_id"),
            )
            ends_at = datetime.fromtimestamp(int(access["exp"]), UTC)
        except (KeyError, ValueError, TypeError, OverflowError):
            raise SignInError from None
        return account, ends_at

    async def _configuration(self) -> Mapping[str, Any]:
        """Return the issuer's configuration, asked for once."""
        if self._found is None:
            address = f"{self._settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration"
            try:
                async with self._client() as client:
                    answer = (await client.get(address)).raise_for_status()
            except httpx.HTTPError:
                raise Unavailable("issuer") from None
            found = _object(answer.content)
            if not all(isinstance(found.get(each), str) for each in ("authorization_endpoint", "token_endpoint")):
                raise Unavailable("issuer")
            self._found = found
        return self._found


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Unavailable("issuer") from None
    return found if isinstance(found, dict) else {}


def _claims(token: Any) -> Mapping[str, Any]:
    """Return what a token claims.

    Raises:
        SignInError: it is no signed token with claims.
    """
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != _OF_A_TOKEN:
        raise SignInError
    try:
        found = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        raise SignInError from None
    if not isinstance(found, dict):
        raise SignInError
    return found
