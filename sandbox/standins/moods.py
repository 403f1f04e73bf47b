"""The moods of a stand-in: how it misbehaves on request, kept in its books over a restart."""

import asyncio
import time
from enum import StrEnum
from itertools import count
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from sandbox.standins.books import Books
from sandbox.standins.serving import ProblemError

SLOW_SECONDS = 2.0
AWAY_SECONDS = 4.0
AWAY_STEP = 0.05
FAILING_RETRY_AFTER = 1


class Mood(StrEnum):
    """A way in which a stand-in behaves (design, section 9)."""

    NORMAL = "normal"
    SLOW = "slow"
    FAILING = "failing"
    DUPLICATING = "duplicating"
    OUT_OF_ORDER = "out-of-order"
    AWAY = "away"
    REFUSING = "refusing"
    MANUAL = "manual"


class MoodRequest(BaseModel):
    """A change of mood, for good or for some seconds; `keep` has reports answered with `kept`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mood: Mood
    for_seconds: Annotated[float, Field(gt=0)] | None = None
    keep: bool | None = None
    channel: str | None = None


def count_met(books: Books, mood: Mood) -> None:
    """Count in the books that a stand-in behaved as a mood has it."""
    books.execute(
        "INSERT INTO settings VALUES (?, '1')"
        " ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
        f"met.{mood}",
    )


class Moods:
    """The present mood, with one for each channel where a stand-in has several."""

    def __init__(self, books: Books, channels: tuple[str, ...] = ("all",)) -> None:
        self._books = books
        self._channels = channels
        self._failures = count()

    def current(self, channel: str = "all") -> Mood:
        """Return the mood of a channel now."""
        stored = self._books.setting(f"mood.{channel}")
        if stored is None:
            return Mood.NORMAL
        mood, _, until = stored.partition(" ")
        return Mood.NORMAL if until and float(until) <= time.time() else Mood(mood)

    @property
    def keeps(self) -> bool:
        """Whether a report that a registration ended is answered with `kept`."""
        return self._books.setting("keep") == "yes"

    def change(self, request: MoodRequest) -> dict[str, object]:
        """Store a change of mood and return what holds now."""
        if request.channel is not None and request.channel not in self._channels:
            raise ProblemError(422, "invalid", f"The channel is one of {', '.join(self._channels)}.")
        until = f" {time.time() + request.for_seconds}" if request.for_seconds is not None else ""
        with self._books.transaction():
            for channel in (request.channel,) if request.channel else self._channels:
                self._books.keep_setting(f"mood.{channel}", f"{request.mood}{until}")
            if request.keep is not None:
                self._books.keep_setting("keep", "yes" if request.keep else "no")
        return self.shown()

    def shown(self) -> dict[str, object]:
        """Return the moods as a reader sees them, and how often each was acted on since the books began."""
        return {
            "moods": {name: self.current(name) for name in self._channels},
            "keep": self.keeps,
            "met": {mood: int(met) for mood in Mood if (met := self._books.setting(f"met.{mood}")) is not None},
        }

    def met(self, mood: Mood) -> None:
        """Count that something met a mood."""
        count_met(self._books, mood)

    async def before(self, channel: str = "all") -> bool:
        """Be slow, failing or away before a request is worked on; True when its answer is to be lost after the work."""
        mood = self.current(channel)
        if mood in (Mood.SLOW, Mood.FAILING, Mood.AWAY):
            self.met(mood)
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if mood is Mood.AWAY and not await self.is_back(channel):
            raise ProblemError(503, "unavailable", "The stand-in is away.")
        if mood is not Mood.FAILING:
            return False
        # Every second failure comes after the work was done, as when an answer is lost on its way.
        if next(self._failures) % 2 == 0:
            raise ProblemError(
                503, "unavailable", "The stand-in fails on request.", {"Retry-After": str(FAILING_RETRY_AFTER)}
            )
        return True

    async def is_back(self, channel: str = "all") -> bool:
        """Wait as long as an absence lasts, at most for a caller's patience; True when it is over."""
        for _ in range(round(AWAY_SECONDS / AWAY_STEP)):
            if self.current(channel) is not Mood.AWAY:
                return True
            await asyncio.sleep(AWAY_STEP)
        return False

    def router(self) -> APIRouter:
        """Return the routes that show and change the mood."""
        router = APIRouter()

        @router.get("/sandbox/mood")
        async def show() -> dict[str, object]:
            return self.shown()

        @router.post("/sandbox/mood")
        async def change(request: MoodRequest) -> dict[str, object]:
            return self.change(request)

        return router


def lost_answer() -> ProblemError:
    """The answer of a request that was worked on while its answer is to be lost."""
    return ProblemError(500, "unavailable", "The stand-in fails on request.", {"Retry-After": str(FAILING_RETRY_AFTER)})
