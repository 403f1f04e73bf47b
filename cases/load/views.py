"""What is shown of load: series of numbers, each in long form, so that any tool draws them as they come."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field


class Bucket(StrEnum):
    """How long the times are that a series counts over."""

    DAY = "day"
    WEEK = "week"


class Unit(StrEnum):
    """What the numbers of a series count."""

    CASES = "cases"
    TASKS = "tasks"
    TRACKS = "tracks"
    DAYS = "days"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointView:
    """One number of a series."""

    on: Annotated[
        date | None,
        Field(description="The first day of what is counted over; null for what stands at `as_of`."),
    ]
    key: Annotated[str, Field(examples=["under_review"], description="Of what: a code, an id or a subject.")]
    label: Annotated[str, Field(examples=["under review"], description="The key in the caller's language.")]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """Numbers of one kind, to be drawn together."""

    code: Annotated[str, Field(examples=["waiting"])]
    title: Annotated[str, Field(description="In the caller's language.")]
    unit: Unit
    by: Annotated[str, Field(examples=["stage"], description="What `key` is of.")]
    track: Annotated[str | None, Field(description="The track that it is of, where it is not of the cases.")]
    standing: Annotated[
        str | None, Field(description="Of the limit that it counts against; null where it counts against none.")
    ]
    points: list[PointView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeLoadView:
    """The series of one programme."""

    programme: str
    series: list[SeriesView]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView:
    """What waits at a time, and what was done over the days up to it."""

    as_of: datetime
    from_: Annotated[date, Field(alias="from")]
    to: date
    bucket: Bucket
    programmes: list[ProgrammeLoadView]
