"""Bearer tokens: JWTs of the one issuer, with fixed algorithms, checked against its published keys."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import httpx
import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, ValidationError

from domain.actors import Actor, Role
from domain.documents import Document, DocumentError, parse_document
from domain.errors import Refused, Unavailable
from domain.parties import DOOR

ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")
LEEWAY: Final = timedelta(seconds=30)
KEYS_KEPT: Final = timedelta(minutes=10)  # after which a withdrawn key is no longer taken
REFETCH_AFTER: Final = timedelta(seconds=10)  # so that made-up key ids do not become calls to the issuer
_FETCH_TIMEOUT_S: Final = 3.0
_MOST_KEYS_BYTES: Final = 256 * 1024
_PROVED_KEPT: Final = 2_000
_LONGEST_TOKEN: Final = 8 * 1024
_KEY_TYPES: Final = frozenset({"OKP", "EC", "RSA"})
_LEAST_RSA_BITS: Final = 2048


class _Claims(BaseModel):
    """The claims that are read; a token may hold others."""

    model_config = ConfigDict(extra="ignore")

    iss: StrictStr
    aud: StrictStr | list[StrictStr]
    sub: StrictStr = Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")
    exp: StrictInt | StrictFloat
    nbf: StrictInt | StrictFloat | None = None
    iat: StrictInt | StrictFloat | None = None
    role: Role
    jti: Any = None
    sid: Any = None
    employer_id: StrictStr | None = Field(default=None, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")


class _Registry(JWSRegistry):
    """The three algorithms and no other; `EdDSA` by the name that issuers still write (RFC 8037)."""

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise JoseError("algorithm")
        return self.algorithms[name]


class IssuerKeys:
    """The issuer's published keys, kept for a while and fetched again for an unknown key id."""

    def __init__(self, url: str, client: httpx.AsyncClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client = client
        self._monotonic = monotonic
        self._keys: dict[str, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def get(self, key_id: str) -> Key:
        """Return a key of the issuer.

        Raises:
            Refused: `token_invalid`, when the issuer has no key of that id.
            Unavailable: when the key is not known and the issuer does not answer.
        """
        if not self._is_fresh() or key_id not in self._keys:
            await self._refresh(key_id)
        key = self._keys.get(key_id)
        if key is not None:
            return key
        if self._fetched_at is None or self._fetched_at != self._tried_at:
            raise Unavailable("issuer", retry_after=REFETCH_AFTER.total_seconds())
        raise _invalid("No key of the issuer has the id that the token names.")

    def _is_fresh(self) -> bool:
        return self._fetched_at is not None and self._monotonic() - self._fetched_at < KEYS_KEPT.total_seconds()

    async def _refresh(self, key_id: str) -> None:
        async with self._lock:
            if self._is_fresh() and key_id in self._keys:
                return
            now = self._monotonic()
            if self._tried_at is not None and now - self._tried_at < REFETCH_AFTER.total_seconds():
                return
            self._tried_at = now
            keys = await self._fetch()
            if keys is not None:
                self._keys, self._fetched_at = keys, now

    async def _fetch(self) -> dict[str, Key] | None:
        """Return the published keys, or None where the issuer is away or talks nonsense; the old ones then stay."""
        try:
            answer = await self._client.get(self._url, timeout=_FETCH_TIMEOUT_S)
            answer.raise_for_status()
            if len(answer.content) > _MOST_KEYS_BYTES:
                return None
            return _keys_of(orjson.loads(answer.content))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None


def _keys_of(document: Any) -> dict[str, Key]:
    """Return the signing keys of a key set by id; a key that cannot be read does not spoil the others."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("no key set")
    keys: dict[str, Key] = {}
    for entry in document["keys"]:
        if not isinstance(entry, dict) or entry.get("kty") not in _KEY_TYPES or entry.get("use", "sig") != "sig":
            continue
        try:
            (key,) = KeySet.import_key_set({"keys": [entry]}).keys
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        weak = entry["kty"] == "RSA" and getattr(key.public_key, "key_size", 0) < _LEAST_RSA_BITS
        if isinstance(entry.get("kid"), str) and not weak:
            keys[entry["kid"]] = key
    return keys


@dataclass(frozen=True, slots=True)
class DocumentClaims:
    """Names of the claims in which the issuer asserts a person's document; the place where its kind has several."""

    kind: str
    number: str
    place: str


class Identified(NamedTuple):
    """Who acts, the hash by which the token is known again, and the document of a person that the issuer asserts."""

    actor: Actor
    token: bytes
    document: Document | None


class Tokens:
    """Checks bearer tokens and says who acts; documents are read from them where the claims are named."""

    def __init__(
        self,
        keys: IssuerKeys,
        *,
        issuer: str,
        audience: str,
        clock: Callable[[], datetime],
        document_claims: DocumentClaims | None = None,
    ) -> None:
        self._document_claims = document_claims
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._proved: OrderedDict[bytes, tuple[str, Key, Mapping[str, Any]]] = OrderedDict()

    async def actor(self, authorization: str | None, correlation_id: str) -> Actor:
        """Return the one whom an `Authorization` header names."""
        return (await self.identify(authorization, correlation_id)).actor

    async def identify(self, authorization: str | None, correlation_id: str) -> Identified:
        """Return the one whom an `Authorization` header names, with a person's document where the token has one.

        Raises:
            Refused: `token_missing` or `token_invalid`.
            Unavailable: when the issuer's keys are needed and it does not answer.
        """
        scheme, _, token = (authorization or "").strip().partition(" ")
        if not authorization or scheme.lower() != "bearer" or not token.strip():
            raise Refused("token_missing", "Send the header `Authorization: Bearer …`.")
        payload = await self._payload(token.strip())
        claims = self._checked(payload)
        employer_id = claims.employer_id if claims.role is Role.EMPLOYER else None
        if claims.role is Role.EMPLOYER and employer_id is None:
            raise _invalid("A token of an employer must name its employer_id.")
        if employer_id == DOOR:
            raise _invalid("The token names an employer_id that no employer can have.")
        if claims.role is Role.SYSTEM:
            raise _invalid("The token names a role that no token can have.")
        actor = Actor(
            issuer=claims.iss,
            subject=claims.sub,
            role=claims.role,
            employer_id=employer_id,
            correlation_id=correlation_id,
        )
        # A session that renews its tokens is one sign-in; a token without either name is known by when it was issued.
        named = str(claims.sid or claims.jti or claims.iat or claims.exp)
        known_by = hashlib.sha256(orjson.dumps([claims.iss, claims.sub, claims.role, named])).digest()
        return Identified(actor, known_by, self._document(payload) if claims.role is Role.PERSON else None)

    def _document(self, payload: Mapping[str, Any]) -> Document | None:
        """Return the document that a person's token asserts, or None; what is said of it never quotes it."""
        names = self._document_claims
        if names is None:
            return None
        kind, number, place = (payload.get(name) for name in (names.kind, names.number, names.place))
        if kind is None and number is None:
            return None
        if not isinstance(kind, str) or not isinstance(number, str) or not isinstance(place, str | None):
            raise _invalid(
                f"The token names a document by halves: `{names.kind}` and `{names.number}` are texts, both."
            )
        try:
            return parse_document(kind, number, place)
        except DocumentError as error:
            claim = getattr(names, error.field_error.field)
            raise _invalid(f"The claim `{claim}` of the token is wrong; tell its issuer. {error}") from None

    async def _payload(self, token: str) -> Mapping[str, Any]:
        """Return the payload of a token whose signature holds.

        A signature is checked once for as long as its key stays published; the claims, with their times, on every call.
        """
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise _invalid("The token is too long or not ASCII.")
        name = hashlib.sha256(token.encode()).digest()
        if (proved := self._proved.get(name)) is not None and await self._keys.get(proved[0]) is proved[1]:
            self._proved.move_to_end(name)
            return proved[2]
        self._proved.pop(name, None)
        key_id, key, payload = await self._prove(token)
        self._proved[name] = (key_id, key, payload)
        if len(self._proved) > _PROVED_KEPT:
            self._proved.popitem(last=False)
        return payload

    async def _prove(self, token: str) -> tuple[str, Key, Mapping[str, Any]]:
        """Return the key of a token by its id, and its payload, where the signature holds."""
        registry = _Registry(algorithms=list(ALGORITHMS))
        try:
            unchecked = jws.extract_compact(token.encode(), registry=registry)
            header = unchecked.headers()
            key_id, algorithm = header.get("kid"), header.get("alg")
            if algorithm not in ALGORITHMS or not isinstance(key_id, str):
                raise _invalid("The token must name one of the algorithms EdDSA, ES256, RS256 and a key id.")
            key = await self._keys.get(key_id)
            if key.get("alg") not in (None, algorithm):
                raise _invalid("The token names another algorithm than its key.")
            if not jws.validate_compact(unchecked, key, list(ALGORITHMS), registry):
                raise _invalid("The signature of the token does not hold.")
            payload = orjson.loads(unchecked.payload)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise _invalid("The token cannot be read or its signature does not hold.") from None
        if not isinstance(payload, dict):
            raise _invalid("The token holds no claims.")
        return key_id, key, payload

    def _checked(self, payload: Mapping[str, Any]) -> _Claims:
        try:
            claims = _Claims.model_validate(payload)
        except ValidationError:
            raise _invalid("A claim of the token is missing or has the wrong type.") from None
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != self._issuer or self._audience not in audiences:
            raise _invalid("The token is of another issuer or for another audience.")
        now, leeway = self._clock().timestamp(), LEEWAY.total_seconds()
        if not now - leeway < claims.exp:
            raise _invalid("The token has expired; sign in again.")
        if any(moment is not None and not moment <= now + leeway for moment in (claims.nbf, claims.iat)):
            raise _invalid("The token is not valid yet.")
        return claims


def _invalid(detail: str) -> Refused:
    return Refused("token_invalid", detail)
