"""Sinks for mail, SMS and webhooks that keep all they get and show it."""

import asyncio
import contextlib
import html
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox.standins.mail_book import CHANNELS, SMS_ID, MailBook
from sandbox.standins.moods import SLOW_SECONDS, Mood, Moods, lost_answer
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

MAIL_BYTES = 10 * 1024 * 1024
# Mail to this domain is refused for good, whatever the mood.
BOUNCING = "@bounce.example"
SHOWN = 200
# So long at most an answer to a message waits for its receipt to be ahead of it.
LATE_ANSWER_SECONDS = 5.0
After = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=10_000)]


class TextMessage(BaseModel):
    """An SMS handed in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: Annotated[str, Field(pattern=r"^\+?[0-9]{5,20}$")]
    text: Annotated[str, Field(min_length=1, max_length=1000)]


class ReceiptRequest(BaseModel):
    """A receipt to send now, or the receipts of a channel switched on or off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    status: Literal["delivered", "failed"] = "delivered"
    channel: Literal["mail", "sms"] | None = None
    enabled: bool = True


class MailHandler:
    """Answers the SMTP commands that decide whether a mail is taken."""

    def __init__(self, book: MailBook, moods: Moods) -> None:
        self._book = book
        self._moods = moods

    async def handle_MAIL(  # noqa: N802  aiosmtpd names its hooks after the SMTP commands.
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse a mail at its beginning where the mood says so."""
        mood = self._moods.current("mail")
        if mood in (Mood.SLOW, Mood.FAILING, Mood.AWAY):
            self._moods.met(mood)
        if mood is Mood.AWAY and not await self._moods.is_back("mail"):
            return "421 4.3.2 Service not available"
        if mood is Mood.FAILING:
            return "451 4.3.0 Failing on request, try again later"
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse recipients that bounce, and all of them in the refusing mood."""
        if self._moods.current("mail") is Mood.REFUSING or address.lower().endswith(BOUNCING):
            return "550 5.1.1 No such recipient"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail and acknowledge it."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        mood = self._moods.current("mail")
        number = self._book.take_mail(envelope.mail_from or "", list(envelope.rcpt_tos), raw, mood)
        if mood is Mood.OUT_OF_ORDER:
            await _receipt_taken(self._book, self._book.message_id(number))
        return f"250 2.0.0 Taken as {number}"


def create_app(
    directory: Path,
    *,
    smtp_port: int,
    sms_token: str,
    receipts_url: str,
    receipts_secret: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """Build the sinks whose books lie in a directory; their days are those of a clock."""
    book = MailBook(directory / "mail.db", clock)
    moods = Moods(book.books, CHANNELS)
    book.outbox = Outbox(book.books, receipts_url, receipts_secret, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        handler = MailHandler(book, moods)
        server = await loop.create_server(
            lambda: SMTP(handler, data_size_limit=MAIL_BYTES, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", smtp_port
        )
        outbox = book.outbox
        tasks = [asyncio.create_task(_send_receipts(book, moods))]
        tasks += [asyncio.create_task(outbox.run())] if outbox else []
        yield
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        book.books.close()

    app = FastAPI(title="Sinks for mail, SMS and webhooks", lifespan=lifespan)
    add_problems(app)
    app.include_router(moods.router())
    _add_gateways(app, book, moods, sms_token)
    _add_views(app, book)
    return app


def _add_gateways(app: FastAPI, book: MailBook, moods: Moods, sms_token: str) -> None:
    @app.post("/sms", status_code=202)
    async def take_text(
        request: Request, message: TextMessage, key: Annotated[str | None, Header(alias="Idempotency-Key")] = None
    ) -> dict[str, str]:
        check_bearer(request, sms_token)
        lost = await moods.before("sms")
        if moods.current("sms") is Mood.REFUSING:
            raise ProblemError(422, "invalid", "No such number.")
        if not key:
            raise ProblemError(400, "idempotency_key_missing", "Send the header Idempotency-Key.")
        sms_id = _take_text(book, key, message, moods.current("sms"))
        if moods.current("sms") is Mood.OUT_OF_ORDER:
            await _receipt_taken(book, sms_id)
        if lost:
            raise lost_answer()
        return {"id": sms_id}

    @app.post("/hooks/{name}", status_code=204)
    async def take_hook(name: str, request: Request) -> Response:
        lost = await moods.before("hooks")
        if moods.current("hooks") is Mood.REFUSING:
            raise ProblemError(410, "gone", "This address takes no webhooks any more.")
        body = (await request.body()).decode(errors="replace")
        book.take_hook(name, request.headers, body)
        if lost:
            raise lost_answer()
        return Response(status_code=204)


def _take_text(book: MailBook, key: str, message: TextMessage, mood: Mood) -> str:
    known = book.text(key)
    if known is None:
        sms_id = f"{SMS_ID}{uuid.uuid4().hex}"
        book.take_text(sms_id, key, message.to, message.text, mood)
        return sms_id
    if (known["recipient"], known["text"]) != (message.to, message.text):
        raise ProblemError(422, "idempotency_key_reused", "This key came before with another body.")
    book.repeat_text(key)
    return str(known["sms_id"])


def _add_views(app: FastAPI, book: MailBook) -> None:
    @app.get("/messages")
    async def messages(to: str | None = None, after: After = 0, limit: Limit = 10_000) -> list[dict[str, Any]]:
        return book.mails(to, after, limit)

    @app.get("/messages/{number}")
    async def message(number: int) -> dict[str, Any]:
        found = book.mail(number)
        if found is None:
            raise ProblemError(404, "not_found", "There is no such mail.")
        return found

    @app.get("/sms")
    async def texts(to: str | None = None, after: After = 0, limit: Limit = 10_000) -> list[dict[str, Any]]:
        return book.texts(to, after, limit)

    @app.get("/hooks")
    async def hooks(name: str | None = None, after: After = 0, limit: Limit = 10_000) -> list[dict[str, Any]]:
        return book.hooks(name, after, limit)

    @app.get("/sandbox/books")
    async def books() -> dict[str, int]:
        return book.counts()

    @app.post("/sandbox/receipts", status_code=202)
    async def receipts(request: ReceiptRequest) -> dict[str, str]:
        if request.id:
            book.plan_receipt(request.id, request.status)
        if request.channel:
            book.books.keep_setting(f"receipts.{request.channel}", "yes" if request.enabled else "no")
        return {"status": "taken"}

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return _page(book)


def _page(book: MailBook) -> str:
    counts = book.counts()
    mails = book.mails(None, max(0, counts["mail"] - SHOWN), SHOWN)
    texts = book.texts(None, max(0, counts["sms"] - SHOWN), SHOWN)
    hooks = book.hooks(None, max(0, counts["hooks"] - SHOWN), SHOWN)
    parts = [
        _table(
            "Mail", [(m["received_at"], ", ".join(m["to"]), m["subject"], m["text"] or "") for m in reversed(mails)]
        ),
        _table("SMS", [(t["received_at"], t["to"], t["text"], f"handed in {t['times']}x") for t in reversed(texts)]),
        _table("Webhooks", [(h["received_at"], h["name"], h["message_id"] or "", h["body"]) for h in reversed(hooks)]),
    ]
    style = "body{font:14px sans-serif;margin:2em}td{vertical-align:top;padding:.3em 1em;white-space:pre-wrap}"
    return (
        f"<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=5><title>Sinks</title>"
        f"<style>{style}</style><h1>Mail, SMS and webhooks that arrived</h1>{''.join(parts)}"
    )


def _table(title: str, rows: list[tuple[str, ...]]) -> str:
    lines = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<h2>{title}</h2><table>{lines}</table>"


async def _receipt_taken(book: MailBook, about: str) -> None:
    """Wait until the receipt of a message was taken, where one goes out."""
    for _ in range(round(LATE_ANSWER_SECONDS / POLL_SECONDS)):
        if book.is_told_of(about):
            return
        await asyncio.sleep(POLL_SECONDS)


async def _send_receipts(book: MailBook, moods: Moods) -> None:
    while True:
        book.send_receipts({channel: moods.current(channel) for channel in CHANNELS})
        await asyncio.sleep(POLL_SECONDS)


def main() -> None:
    """Run the sinks as their own process."""
    refuse_production()
    given = arguments("Sinks for mail, SMS and webhooks.", "smtp-port")
    app = create_app(
        given.dir,
        smtp_port=given.smtp_port,
        sms_token=setting("SANDBOX_SMS_TOKEN"),
        receipts_url=f"{setting('SANDBOX_API_URL')}/v1/receipts",
        receipts_secret=setting("SANDBOX_RECEIPTS_SECRET"),
    )
    serve(app, given.port)


if __name__ == "__main__":
    main()
