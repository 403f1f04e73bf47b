"""Answers that are sent line by line as they are made."""

from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class LinesResponse(StreamingResponse):
    """Lines, sent as they are made."""

    def __init__(
        self, lines: AsyncGenerator[bytes], status_code: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(lines, status_code, headers)
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines; where the reader goes before the last, their maker hears of it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._lines.aclose()


class NdjsonResponse(LinesResponse):
    """Lines of JSON."""

    media_type = "application/x-ndjson"


class CsvResponse(LinesResponse):
    """Lines of a CSV file in UTF-8."""

    media_type = "text/csv"
