"""Speaks to the exit-entry administration: list entries and reports out, answers in."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from activities.outward import RateLimit, is_later, is_our_access, network_reason, retry_after
from domain.errors import Unavailable
from domain.list_entries import KnownEntry
from domain.stages import Destination
from temporal.traces import outward, tell_trace

TIMEOUT_SECONDS: Final = 15.0
CALLS_PER_SECOND: Final = 20.0
BURST: Final = 20
MOST_ANSWERS: Final = 100
_LONGEST_ID: Final = 200
# Field paths are repeated in tasks and logs, so only what looks like a path is taken over.
_FIELD_PATH: Final = re.compile(r"[a-z][a-z0-9_.\[\]]{0,99}")
_MOST_FIELDS: Final = 20
# How a system says that it has no such call.
_NOT_OFFERED: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


class Rejected(Exception):  # noqa: N818 - the fact is the name, as in domain.errors
    """The authority's system refuses the message as malformed; an officer mends it (states, P6).

    `fields` are the paths it named; its sentences are left out, since they may quote personal data. `before` stands
    before the reason, where it was not a message but a question.
    """

    def __init__(self, status: int, fields: tuple[str, ...] = (), *, before: str = "") -> None:
        super().__init__(f"{before}authority_{status}")
        self.reason = f"{before}authority_{status}"
        self.status = status
        self.fields = fields


class _Body(BaseModel):
    """A message to the authority, whose personal data no error and no log repeats."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class EntryEmployer(_Body):
    """The employer as the list names it."""

    name_zh: str
    uscc: str


class EntryPerson(_Body):
    """The person as the list names them."""

    name_zh: str = Field(repr=False)
    name_en: str | None = Field(default=None, repr=False)
    identity_number: str = Field(repr=False)
    permit_card_number: str | None = Field(default=None, repr=False)


class ListEntry(_Body):
    """One person on the list for one destination."""

    case: str
    destination: Destination
    registration_number: str
    registered_on: date
    employer: EntryEmployer
    person: EntryPerson


class ReportedFact(StrEnum):
    """What the park tells the authority of a person already on the list."""

    REGISTRATION_ENDED = "registration_ended"
    REGISTRATION_REVOKED = "registration_revoked"
    EMPLOYER_LEFT_PARK = "employer_left_park"
    CARD_LOST = "card_lost"


class Report(_Body):
    """A fact about one case; `reason` is a code."""

    case: str
    what: ReportedFact
    on: date
    reason: str | None = None


class EntryQuestion(_Body):
    """Which entries are asked for: those of a case, and those of a person, for one destination."""

    case: str
    destination: Destination
    identity_number: str = Field(repr=False)


class BatchReport(_Body):
    """A fact about many cases at once: an employer that left the Park is told once for the whole list."""

    what: ReportedFact
    on: date
    cases: tuple[str, ...] = Field(min_length=1)


class AnswerPage(_Body):
    """Answers after a cursor, as the authority wrote them, and the cursor behind the last one."""

    answers: tuple[Mapping[str, Any], ...] = Field(repr=False)
    next_cursor: str | None


class AuthorityClient:
    """Calls the authority within a rate limit; every write carries its own idempotency key.

    Raises Unavailable where the same call may succeed later, Rejected where the message must be mended.
    """

    def __init__(
        self,
        url: str,
        token: str,
        client: httpx.AsyncClient,
        *,
        timeout: float = TIMEOUT_SECONDS,
        limit: RateLimit | None = None,
        tells_trace: bool = False,
    ) -> None:
        self._url, self._token, self._client, self._timeout = url.rstrip("/"), token, client, timeout
        self._tells_trace = tells_trace
        self._limit = limit or RateLimit(CALLS_PER_SECOND, BURST)

    async def send_list_entry(self, idempotency_key: str, entry: ListEntry) -> str | None:
        """Hand over a list entry and return the authority's id of it, where it gave one."""
        answer = await self._post("/list-entries", idempotency_key, entry)
        entry_id = answer.get("entry_id")
        return entry_id if isinstance(entry_id, str) and 0 < len(entry_id) <= _LONGEST_ID else None

    async def find_list_entries(self, question: EntryQuestion) -> Sequence[KnownEntry] | None:
        """Return the entries that the authority has of a case or its person; None where it cannot be asked that.

        The question is a body and no address, since it holds a person's number.
        """
        content = question.model_dump_json()
        path, headers = "/list-entries/search", {"Content-Type": "application/json"}
        response = await self._call("POST", path, content=content, headers=headers, allowed=_NOT_OFFERED)
        if response.status_code in _NOT_OFFERED:
            return None
        found = _object_of(response).get("entries")
        if not isinstance(found, list):
            raise Unavailable("authority_answer_unreadable")
        try:
            return [KnownEntry.model_validate(each) for each in found]
        except ValidationError:
            raise Unavailable("authority_answer_unreadable") from None

    async def report(self, idempotency_key: str, report: Report) -> None:
        """Tell the authority a fact about one case."""
        await self._post("/reports", idempotency_key, report)

    async def report_batch(self, idempotency_key: str, report: BatchReport) -> None:
        """Tell the authority a fact about many cases."""
        await self._post("/reports/batch", idempotency_key, report)

    async def answers(self, after: str | None, *, limit: int = MOST_ANSWERS, case: str | None = None) -> AnswerPage:
        """Return the answers given since the cursor, of one case where it is named."""
        wanted = {"after": after, "limit": str(limit), "case": case}
        params = {name: value for name, value in wanted.items() if value is not None}
        page = _object_of(await self._call("GET", "/outcomes", params=params))
        found, cursor = page.get("outcomes"), page.get("next")
        if not isinstance(found, list) or not isinstance(cursor, str | int | None):
            raise Unavailable("authority_answer_unreadable")
        next_cursor = str(cursor) if cursor is not None else after
        return AnswerPage(answers=tuple(each for each in found if isinstance(each, dict)), next_cursor=next_cursor)

    async def _post(self, path: str, idempotency_key: str, body: _Body) -> Mapping[str, Any]:
        """Post a message and return the answer; a 2xx counts as taken whatever its body says (P4)."""
        content = body.model_dump_json(exclude_none=True)
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        response = await self._call("POST", path, content=content, headers=headers)
        try:
            return _object_of(response)
        except Unavailable:
            return {}

    async def _call(
        self,
        method: str,
        path: str,
        *,
        content: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        allowed: Collection[int] = (),
    ) -> httpx.Response:
        """Make one call in its turn and return a successful answer, or one of a status that is allowed."""
        await self._limit.wait()
        told = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        with outward(f"{method} {path}", {"http.request.method": method, "url.template": path}) as span:
            if self._tells_trace:
                tell_trace(told)
            try:
                response = await self._client.request(
                    method,
                    self._url + path,
                    content=content,
                    params=params,
                    headers=told,
                    timeout=self._timeout,
                    follow_redirects=False,
                )
            except httpx.HTTPError as error:
                span.set_attribute("error.type", network_reason(error))
                raise Unavailable(f"authority_{network_reason(error)}") from None
            span.set_attribute("http.response.status_code", response.status_code)
        if response.is_success or response.status_code in allowed:
            return response
        raise _error(response)


def _error(response: httpx.Response) -> Unavailable | Rejected:
    """Return what an answer other than 2xx means; trouble with our own access waits for an operator."""
    status = response.status_code
    if status < HTTPStatus.BAD_REQUEST or is_later(status) or is_our_access(status):
        return Unavailable(f"authority_{status}", retry_after=retry_after(response.headers, datetime.now(UTC)))
    return Rejected(status, _fields_of(response))


def _fields_of(response: httpx.Response) -> tuple[str, ...]:
    """Return the field paths that a problem document names."""
    try:
        errors = _object_of(response).get("errors")
    except Unavailable:
        return ()
    if not isinstance(errors, list):
        return ()
    named = [each.get("field") for each in errors if isinstance(each, dict)]
    paths = [field for field in named if isinstance(field, str) and _FIELD_PATH.fullmatch(field)]
    return tuple(paths[:_MOST_FIELDS])


def _object_of(response: httpx.Response) -> Mapping[str, Any]:
    """Return the JSON object of an answer."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unavailable("authority_answer_unreadable")
    return body
