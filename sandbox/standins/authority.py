"""A stand-in exit-entry administration: takes list entries and reports, and answers in its own time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox.standins.authority_book import AuthorityBook, canonical
from sandbox.standins.moods import Mood, Moods, lost_answer
from sandbox.standins.outbox import POLL_SECONDS, Outbox
from sandbox.standins.serving import (
    ProblemError,
    add_problems,
    arguments,
    check_bearer,
    refuse_production,
    serve,
    setting,
)

# A permit card number with this end is refused as malformed, whatever else stands in the entry.
MALFORMED_CARD = "0422"
Outcome = Literal["accepted", "issued", "refused", "withdrawn", "kept", "replaced", "cancelled", "revoked"]
CaseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}/(HK|MO)$")]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


class Message(BaseModel):
    """A message whose fields are exactly those agreed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ListedEmployer(Message):
    """The employer as the list names it."""

    name_zh: Annotated[str, Field(min_length=1)]
    uscc: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]


class ListedPerson(Message):
    """The person as the list names them."""

    name_zh: Annotated[str, Field(min_length=1)]
    name_en: str | None = None
    identity_number: Annotated[str, Field(pattern=r"^[0-9]{17}[0-9X]$")]
    permit_card_number: str | None = None


class ListEntry(Message):
    """One registered person for one destination."""

    case: CaseId
    destination: Literal["HK", "MO"]
    registration_number: Annotated[str, Field(min_length=1)]
    registered_on: date
    employer: ListedEmployer
    person: ListedPerson


class EntryChange(Message):
    """How an entry has to be from now on."""

    case: CaseId
    changed: Annotated[
        list[Literal["name_zh", "name_en", "permit_card_number", "employer", "registration_number"]],
        Field(min_length=1),
    ]
    person: ListedPerson
    employer: ListedEmployer | None = None
    registration_number: Annotated[str, Field(min_length=1)] | None = None


class EntryQuestion(Message):
    """Which entries somebody asks for: those of a case and those of a person, for one destination."""

    case: CaseId
    destination: Literal["HK", "MO"]
    identity_number: Annotated[str, Field(pattern=r"^[0-9]{17}[0-9X]$")]


class Report(Message):
    """News of one case that the administration did not send itself."""

    case: CaseId
    what: Literal[
        "registration_ended",
        "registration_revoked",
        "employer_left_park",
        "registration_restored",
        "card_lost",
        "destination_given_up",
    ]
    on: date
    reason: str | None = None


class BatchReport(Message):
    """One report for the whole list of an employer."""

    what: Literal["employer_left_park"]
    on: date
    cases: Annotated[list[CaseId], Field(min_length=1)]


class AnswerByHand(Message):
    """An answer as told by whoever plays the administration; what is left out is filled in."""

    case: CaseId
    outcome: Outcome
    outcome_id: str | None = None
    authority_number: str | None = None
    occurred_at: datetime | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    stay_days: int | None = None
    entries: str | None = None
    reason_code: str | None = None
    reason_text: str | None = None
    callback: bool = True


def create_app(
    directory: Path,
    *,
    token: str,
    callback_url: str,
    callback_secret: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """Build the stand-in whose books lie in a directory; its days are those of a clock, its pauses the machine's."""
    book = AuthorityBook(directory / "authority.db", clock)
    moods = Moods(book.books)
    book.outbox = Outbox(book.books, callback_url, callback_secret, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        outbox = book.outbox
        tasks = [asyncio.create_task(_work(book, moods))] + ([asyncio.create_task(outbox.run())] if outbox else [])
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        book.books.close()

    app = FastAPI(title="Stand-in exit-entry administration", lifespan=lifespan)
    add_problems(app)
    app.include_router(moods.router())
    _add_list_routes(app, book, moods, token)
    _add_outcome_route(app, book, moods, token)
    _add_control_routes(app, book)
    return app


def _add_list_routes(app: FastAPI, book: AuthorityBook, moods: Moods, token: str) -> None:
    @app.post("/list-entries", status_code=202)
    async def take_entry(request: Request, entry: ListEntry, key: Key = None) -> dict[str, str]:
        check_bearer(request, token)
        lost = await moods.before()
        body = entry.model_dump(mode="json")
        _refuse_malformed(entry)
        name = _required(key)
        known = book.entry(name)
        _refuse_other_body(known, body)
        entry_id = known["entry_id"] if known else book.take_entry(name, body)
        if lost:
            raise lost_answer()
        return {"entry_id": entry_id}

    @app.post("/list-entries/changes", status_code=202)
    async def change_entry(request: Request, change: EntryChange, key: Key = None) -> dict[str, str]:
        check_bearer(request, token)
        lost = await moods.before()
        name, body = _required(key), change.model_dump(mode="json")
        known = book.report(name)
        _refuse_other_body(known, body)
        if (change.person.permit_card_number or "").endswith(MALFORMED_CARD):
            field = "person.permit_card_number"
            raise ProblemError(422, "invalid", f"These fields are not as agreed: {field}.", fields=(field,))
        if known is None and not book.change_entry(name, body):
            raise ProblemError(404, "not_found", "There is no list entry of this case.")
        if lost:
            raise lost_answer()
        return {"status": "taken"}

    @app.post("/list-entries/search")
    async def find_entries(request: Request, asked: EntryQuestion) -> dict[str, Any]:
        check_bearer(request, token)
        if await moods.before():
            raise lost_answer()
        return {"entries": book.find_entries(asked.case, asked.destination, asked.identity_number)}

    @app.post("/reports", status_code=202)
    async def take_report(request: Request, report: Report, key: Key = None) -> JSONResponse:
        check_bearer(request, token)
        return await _report(book, moods, _required(key), [report.case], report)

    @app.post("/reports/batch", status_code=202)
    async def take_batch(request: Request, report: BatchReport, key: Key = None) -> JSONResponse:
        check_bearer(request, token)
        return await _report(book, moods, _required(key), report.cases, report)


async def _report(book: AuthorityBook, moods: Moods, key: str, cases: list[str], report: Message) -> JSONResponse:
    lost = await moods.before()
    body = report.model_dump(mode="json")
    known = book.report(key)
    _refuse_other_body(known, body)
    if known is None:
        book.take_report(key, cases, body)
    if lost:
        raise lost_answer()
    return JSONResponse({"status": "taken"}, status_code=202)


def _add_outcome_route(app: FastAPI, book: AuthorityBook, moods: Moods, token: str) -> None:
    @app.get("/outcomes")
    async def outcomes(
        request: Request,
        after: Annotated[str, Query(pattern=r"^[0-9]{0,18}$")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        case: str | None = None,
    ) -> dict[str, Any]:
        check_bearer(request, token)
        if await moods.before():
            raise lost_answer()
        rows = book.outcomes(int(after or 0), limit, case)
        following = str(rows[-1]["seq"]) if rows else after or "0"
        return {"outcomes": [AuthorityBook.opened(row) for row in rows], "next": following}


def _add_control_routes(app: FastAPI, book: AuthorityBook) -> None:
    @app.get("/sandbox/books")
    async def books(case: str | None = None) -> dict[str, Any]:
        return book.shown(case)

    @app.post("/sandbox/answers", status_code=201)
    async def answer(given: AnswerByHand) -> dict[str, Any]:
        fields = given.model_dump(mode="json", exclude={"case", "callback"}, exclude_none=True)
        return book.answer_by_hand(given.case, fields, callback=given.callback)


async def _work(book: AuthorityBook, moods: Moods) -> None:
    while True:
        mood = moods.current()
        if book.outbox:
            book.outbox.pause(mood is Mood.AWAY)
        book.work(mood, keeps=moods.keeps)
        await asyncio.sleep(POLL_SECONDS)


def _required(key: str | None) -> str:
    if not key:
        raise ProblemError(400, "idempotency_key_missing", "Send the header Idempotency-Key.")
    return key


def _refuse_other_body(known: dict[str, Any] | None, body: dict[str, Any]) -> None:
    if known and known["body"] != canonical(body):
        raise ProblemError(422, "idempotency_key_reused", "This key came before with another body.")


def _refuse_malformed(entry: ListEntry) -> None:
    faults = {
        "destination": not entry.case.endswith(f"/{entry.destination}"),
        "person.permit_card_number": (entry.person.permit_card_number or "").endswith(MALFORMED_CARD),
    }
    fields = tuple(field for field, is_wrong in faults.items() if is_wrong)
    if fields:
        raise ProblemError(422, "invalid", f"These fields are not as agreed: {', '.join(fields)}.", fields=fields)


def main() -> None:
    """Run the stand-in as its own process."""
    refuse_production()
    given = arguments("Stand-in exit-entry administration.")
    app = create_app(
        given.dir,
        token=setting("SANDBOX_AUTHORITY_TOKEN"),
        callback_url=f"{setting('SANDBOX_API_URL')}/v1/authority/outcomes",
        callback_secret=setting("SANDBOX_CALLBACK_SECRET"),
    )
    serve(app, given.port)


if __name__ == "__main__":
    main()
