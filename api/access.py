"""Who may call what: every route declares it in one dependency, and nothing is read of a call before it holds."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.callers import client_of
from api.json_bodies import parse_json
from api.parameters import unknown_case
from api.patience import Patience
from api.shares import Place
from api.wiring import wiring_of
from cases.commands.intake import ASSERT_DOCUMENT
from cases.programme import Programme
from cases.shared import sign_ins
from cases.shared.idempotency import Idempotency
from domain.actors import Actor, Role
from domain.errors import FieldError, Refused
from domain.field_errors import MESSAGES, FieldCode
from domain.person import SESSION_PREFIX
from domain.references import find_reference
from privacy import sign_in
from privacy.sign_in import Session
from temporal.telemetry import concern

BODY_LIMIT: Final = 1024 * 1024
BODY_LIMIT_KEY: Final = "x-largest-body"  # in a route's `openapi_extra`, where it differs
PROBLEMS_KEY: Final = "x-further-problems"  # in a route's `openapi_extra`: codes that its kind does not imply
ANY_QUERY_KEY: Final = "x-any-query"  # in a route's `openapi_extra`: names in the query that are not known are ignored
_VISIBLE: Final = re.compile(r"[!-~]{1,200}")
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

bearer: Final = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT",
    description="A token of the OIDC issuer with the claims `role` and, for an employer, `employer_id`; for a person, "
    "the token of the session that a one-time link opened, or one with the claims of a document.",
    auto_error=False,
)


class Credential(StrEnum):
    """What a call shows."""

    TOKEN = "token"
    SIGNATURE = "signature"
    PATH_TOKEN = "path_token"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Access:
    """Who may call a route and what the call shows; the route's dependency that says who acts."""

    credential: Credential
    roles: frozenset[Role] = frozenset()
    is_own: bool = False
    takes_documents: bool = True
    asks_document: bool = False  # of a person: no session of a link is enough, nor a token without a document
    knows_person: bool = False  # a person is known by a link or by a document, and nobody else among persons

    async def check(self, request: Request) -> None:
        """Find out who acts, count the call, and refuse a role that may not."""
        concern(find_reference(str(request.path_params.get("reference", "")), request.app.state.prefixes) or "")
        if self.credential is not Credential.TOKEN:
            return
        wiring = wiring_of(request)
        header = request.headers.get("authorization")
        if (secret := _session_in(header)) is not None:
            await self._check_session(request, secret)
            self._need_document(request)
            return
        actor, token, document = await wiring.tokens.identify(header, request.state.correlation_id)
        await wiring.limiter.count(actor)
        request.state.place.belong_to(actor.issuer, actor.subject)
        by = None
        if document is not None and ((self.is_own and self.takes_documents) or self.asks_document or self.knows_person):
            actor, request.state.session = await sign_in.find_by_document(wiring.context, actor, document)
            token, by = hashlib.sha256(b"document/" + token).digest(), "document"
        request.state.actor = actor
        if not wiring.knows(token):
            await sign_ins.record(wiring.context, actor, token, by=by)
            wiring.know(token)
        self._need_role(actor)
        if self.is_own and by is None:
            raise Refused("token_invalid", "Only a person who signed in by a link can call this.")
        self._need_document(request)

    async def _check_session(self, request: Request, secret: str) -> None:
        """Find out which person acts; a session is good for what a person may, and for nothing else."""
        wiring = wiring_of(request)
        try:
            actor, session = await sign_in.find_session(wiring.context, secret, request.state.correlation_id)
        except Refused:
            await wiring.limiter.count_stranger(client_of(request.scope), "session")
            raise
        await wiring.limiter.count(actor)
        request.state.place.belong_to(actor.issuer, actor.subject)
        request.state.actor, request.state.session = actor, session
        self._need_role(actor)

    def _need_document(self, request: Request) -> None:
        """Refuse a person who is not known by a document, where that is asked for."""
        session = session_of(request)
        if self.asks_document and request.state.actor.role is Role.PERSON and not (session and session.by_document):
            raise Refused("role_not_allowed", ASSERT_DOCUMENT)
        if self.knows_person and request.state.actor.role is Role.PERSON and session is None:
            raise Refused("token_invalid", "Only a person who signed in by a link or by a document can call this.")

    def _need_role(self, actor: Actor) -> None:
        if actor.role not in self.roles:
            raise Refused("role_not_allowed", f"The role {actor.role} may not do this.")


@dataclass(frozen=True)
class _Caller(Access):
    """An access by token, which hands the actor to the route."""

    async def __call__(
        self, request: Request, _token: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
    ) -> Actor:
        actor: Actor = request.state.actor
        return actor


@dataclass(frozen=True)
class _Own(Access):
    """An access by the session of a person or a token with their document, which hands the session to the route."""

    async def __call__(
        self, request: Request, _token: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
    ) -> Session:
        session: Session = request.state.session
        return session


@dataclass(frozen=True)
class _Open(Access):
    """An access without a token."""

    async def __call__(self) -> None:
        return None


def allow(*roles: Role, asks_document: bool = False, knows_person: bool = False) -> Any:
    """Let the roles call the route, and hand it the actor; an employer's token is good for its own employer only.

    `asks_document`: a person is known by the document that their token asserts, and nobody without one may call it.
    `knows_person`: the session of a link does as well.
    """
    return Depends(_Caller(Credential.TOKEN, frozenset(roles), asks_document=asks_document, knows_person=knows_person))


def own() -> Any:
    """Let a person call the route who signed in by a link or has a token with a document, and hand it the session."""
    return Depends(_Own(Credential.TOKEN, frozenset({Role.PERSON}), is_own=True))


def own_by_link() -> Any:
    """Let a person who signed in by a link call the route, and hand it the session."""
    return Depends(_Own(Credential.TOKEN, frozenset({Role.PERSON}), is_own=True, takes_documents=False))


def signed() -> Any:
    """Let whoever signs the message call the route; a token is neither asked for nor enough."""
    return Depends(_Open(Credential.SIGNATURE))


def path_token() -> Any:
    """Let whoever knows the token in the path call the route."""
    return Depends(_Open(Credential.PATH_TOKEN))


def anyone() -> Any:
    """Let anyone call the route."""
    return Depends(_Open(Credential.NOTHING))


class GuardedRoute(APIRoute):
    """A route that checks the caller first, then the form of the query and of the body, then runs."""

    access: Access
    programme: Programme | None = None  # whose cases it is about; None where it is about those of all, or about none

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the checks before it."""
        run = super().get_route_handler()
        calls: list[object] = [each.call for each in self.dependant.dependencies]
        found = [call for call in calls if isinstance(call, Access)]
        if len(found) != 1:
            raise TypeError(f"{self.path} must declare who may call it, once.")
        access = self.access = found[0]
        known = frozenset(_query_names(self.dependant))
        limit = int((self.openapi_extra or {}).get(BODY_LIMIT_KEY, BODY_LIMIT))
        takes_json = self.body_field is not None
        takes_any_query = bool((self.openapi_extra or {}).get(ANY_QUERY_KEY))

        async def handle(request: Request) -> Response:
            await access.check(request)
            if not takes_any_query:
                _check_query(request, known)
            strict = StrictRequest(request, limit, wiring_of(request).patience)
            if takes_json:
                await strict.check_media_type()
            self._need_own(request)
            return await run(strict)

        return handle

    def _need_own(self, request: Request) -> None:
        """Refuse what is no reference of the programme; that of another one's case is unknown here."""
        named = request.path_params.get("reference")
        if self.programme is None or named is None:
            return
        if find_reference(str(named), {self.programme.prefix}) is None:
            raise unknown_case()


class StrictRequest(Request):
    """A request whose body is read up to a limit, in time, and taken as I-JSON only."""

    def __init__(self, request: Request, limit: int, patience: Patience) -> None:
        super().__init__(request.scope, request.receive)
        self._limit = limit
        self._patience = patience

    async def body(self) -> bytes:
        """Return the body; while it is on its way the call holds no place.

        Raises:
            Refused: `body_too_large`, as soon as more has come than may; `body_late`.
            Unavailable: when there is no memory for it, or no place any more once it is there.
        """
        if not hasattr(self, "_body"):
            declared = self.headers.get("content-length", "0")
            if not declared.isdigit() or int(declared) > self._limit:
                raise _too_large(self._limit)
            place: Place = self.state.place
            place.leave()
            body = await self._read(place)
            place.take()
            self._body = body
        return self._body

    async def _read(self, place: Place) -> bytes:
        began = asyncio.get_running_loop().time()
        parts = bytearray()
        try:
            async with asyncio.timeout_at(self._patience.body_due(began, 0)) as due:
                async for part in self.stream():
                    parts += part
                    if len(parts) > self._limit:
                        raise _too_large(self._limit)
                    place.keep(len(parts))
                    due.reschedule(self._patience.body_due(began, len(parts)))
        except TimeoutError:
            raise Refused("body_late", "The body did not arrive in time.") from None
        return bytes(parts)

    async def json(self) -> Any:
        """Return the body as a value; a refusal passes the framework, which knows errors of HTTP only."""
        if not hasattr(self, "_json"):
            try:
                self._json = parse_json(await self.body())
            except Refused as refused:
                raise BodyRefusal(refused) from None
        return self._json

    async def check_media_type(self) -> None:
        """Refuse a body that is not said to be JSON."""
        try:
            body = await self.body()
        except Refused as refused:
            raise BodyRefusal(refused) from None
        if body and media_type(self) != "application/json":
            raise Refused("media_type_unknown", "Send the body with `Content-Type: application/json`.")


class BodyRefusal(HTTPException):
    """A refusal met while the framework reads a body."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.status)
        self.refused = refused


def media_type(request: Request) -> str:
    """Return the media type of the body in lower case, without parameters."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    return header.get_content_type() if request.headers.get("content-type") else ""


async def idempotency(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Names this write; the same key and body give the first answer again for 30 days.",
        ),
    ] = None,
) -> Idempotency:
    """Return what names a write: method and path, the key, and query and body together.

    Raises:
        Refused: `idempotency_key_missing`.
    """
    if key is None or not _VISIBLE.fullmatch(key):
        raise Refused(
            "idempotency_key_missing", "Send the header `Idempotency-Key` with 1 to 200 visible ASCII characters."
        )
    content = request.scope.get("query_string", b"") + b"\n" + await request.body()
    return Idempotency(route=f"{request.method} {request.url.path}", key=key, body=content)


IdempotencyKey = Annotated[Idempotency, Depends(idempotency)]


def session_of(request: Request) -> Session | None:
    """Return the session of the person who calls, by a link or by a document; None of everyone else."""
    session: Session | None = getattr(request.state, "session", None)
    return session


def is_write(request: Request) -> bool:
    """Whether the call would change something."""
    return request.method in _WRITES


def _session_in(header: str | None) -> str | None:
    """Return the token of an `Authorization` header where it is that of a session."""
    scheme, _, token = (header or "").strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.startswith(SESSION_PREFIX) else None


def _too_large(limit: int) -> Refused:
    return Refused("body_too_large", f"The body is larger than {limit // 1024} KiB.")


def _query_names(dependant: Dependant) -> Iterator[str]:
    for param in dependant.query_params:
        fields = getattr(param.field_info.annotation, "model_fields", None)
        yield from [each.alias or name for name, each in fields.items()] if fields else (param.alias,)
    for each in dependant.dependencies:
        yield from _query_names(each)


def _check_query(request: Request, known: frozenset[str]) -> None:
    given = [name for name, _ in request.query_params.multi_items()]
    errors = [_field(name, FieldCode.UNKNOWN_FIELD) for name in given if name not in known]
    repeated = {name for name in given if name in known and given.count(name) > 1}
    errors += [_field(name, FieldCode.WRONG_TYPE) for name in sorted(repeated)]
    if errors:
        raise Refused("invalid", "The query has a name that is not known here, or one twice.", errors[:20])


def _field(name: str, code: FieldCode) -> FieldError:
    plain = re.fullmatch(r"[a-z][a-z_]{0,63}", name)
    return FieldError(name if plain else "?", code, MESSAGES[code])
