"""The series of load of one programme, made of what was counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from cases.case.signers import subject_of
from cases.load import counts
from cases.load.asked import LoadAsked
from cases.load.counts import Counts, Named
from cases.load.views import PointView, SeriesView, Unit
from cases.programme import Programme
from domain.languages import Language
from domain.stages import Holder
from store.case_tables import TrackTable
from texts.load import key_label, title_of

# The most employers and officers of a series; the others are one number.
MOST: Final = 50
OTHERS: Final = "others"
NOBODY: Final = "nobody"
KEPT, MISSED = "kept", "missed"
AGES: Final = (
    *(f"{first}-{below - 1}" for first, below in zip((0, *counts.AGES), counts.AGES, strict=False)),
    f"{counts.AGES[-1]}+",
)

Label = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What series are made of.

    Attributes:
        programme: whose.
        asked: what was asked for.
        counted: what was counted, of all programmes.
        standing: of the park's limit.
        names: of employers.
        language: the reader's.
    """

    programme: Programme
    asked: LoadAsked
    counted: Counts
    standing: str
    names: Mapping[str, Named]
    language: Language

    def draw(self) -> list[SeriesView]:
        """Return all series of the programme, those without a number too."""
        return [*self._waiting(), *self._tasks(), *self._done(), *self._turns(), *self._tracks()]

    def _waiting(self) -> Iterator[SeriesView]:
        rows = [row for row in self.counted.waiting if row.programme == self.programme.code]
        stages = [row for row in rows if row.stage is not None]
        holders = [row for row in rows if row.holder is not None]
        ages = {AGES[row.age]: row.number for row in rows if row.age is not None}
        employers = [row for row in rows if row.employer_id is not None]
        yield self._now("waiting", Unit.CASES, "stage", {row.stage: row.number for row in stages})
        yield self._now("overdue", Unit.CASES, "stage", {r.stage: r.late for r in stages}, promise=True)
        yield self._now("oldest", Unit.DAYS, "stage", {row.stage: row.oldest for row in stages})
        yield self._now("waiting_by_age", Unit.CASES, "age", {age: ages.get(age, 0) for age in AGES})
        yield self._now("waiting_by_holder", Unit.CASES, "holder", {row.holder: row.number for row in holders})
        waited = {row.holder: row.waited for row in holders if row.waited is not None}
        yield self._now("waited_by_holder", Unit.DAYS, "holder", waited)
        yield self._now(
            "waiting_by_employer", Unit.CASES, "employer", _most((r.employer_id, r.number) for r in employers)
        )
        late = _most((row.employer_id, row.late) for row in employers if row.late)
        yield self._now("overdue_by_employer", Unit.CASES, "employer", late, promise=True)

    def _tasks(self) -> Iterator[SeriesView]:
        rows = [row for row in self.counted.tasks if row.prefix == self.programme.prefix]
        held = _most((subject_of(row.holder) or NOBODY, row.number) for row in rows)
        late = _most((subject_of(row.holder) or NOBODY, row.late) for row in rows if row.late)
        yield self._now("tasks_by_officer", Unit.TASKS, "officer", held)
        yield self._now("overdue_tasks_by_officer", Unit.TASKS, "officer", late)

    def _done(self) -> Iterator[SeriesView]:
        taken = [(row.day, "taken_on", row.number) for row in self._of(self.counted.taken_on)]
        yield self._over("taken_on", Unit.CASES, "event", taken, ("taken_on",))
        rows = self._of(self.counted.decided)
        decided = [(r.day, r.outcome, r.number) for r in rows if r.counted_by == counts.BY_OUTCOME]
        yield self._over("decided", Unit.CASES, "outcome", decided, ("approve", "refuse"))
        kept = [r for r in rows if r.kept is not None]
        days = [(r.day, _kept(r.kept), r.number) for r in kept if r.counted_by == counts.BY_PROMISE]
        yield self._over("promises", Unit.CASES, "promise", days, (KEPT, MISSED), promise=True)
        for by, grouped, column in (
            ("officer", counts.OF_OFFICER, "actor_subject"),
            ("employer", counts.OF_EMPLOYER, "employer_id"),
        ):
            for is_kept in (True, False):
                found = _most(
                    (getattr(r, column), r.number) for r in kept if (r.counted_by, r.kept) == (grouped, is_kept)
                )
                yield self._now(f"{_kept(is_kept)}_by_{by}", Unit.CASES, by, found, promise=True)

    def _turns(self) -> Iterator[SeriesView]:
        rows = self._of(self.counted.held)
        holders = tuple(holder.value for holder in Holder if holder is not Holder.NONE)
        days = [(row.day, row.holder, row.days) for row in rows if row.holder in holders]
        ended = [(row.day, row.holder, row.number) for row in rows if row.holder in holders]
        yield self._over("time_by_holder", Unit.DAYS, "holder", days, holders)
        yield self._over("turns_by_holder", Unit.CASES, "holder", ended, holders)

    def _tracks(self) -> Iterator[SeriesView]:
        for name, track in self.programme.tracks.items():
            rows = self.counted.tracks.get(track.table.name, ())
            by_stage, by_key = Counter[str](), Counter[str]()
            for row in rows:
                by_stage[row.stage] += row.number
                by_key[row.key] += row.number
            stages = {stage: by_stage[stage] for stage in track.waiting}
            yield self._now("track_waiting", Unit.TRACKS, "stage", stages, track=name)
            keys = {str(key): by_key[str(key)] for key in track.keyed_by}
            yield self._now("track_waiting_by_key", Unit.TRACKS, "key", keys, track=name)
            events: list[tuple[date, str, float]] = []
            for what, counted in track.counted.items():
                events += [
                    (row.day, what, row.number)
                    for row in self._of(self.counted.followed)
                    if row.act == counted.act and counted.outcome in (None, row.outcome)
                ]
            if track.counted:
                yield self._over("track_events", Unit.TRACKS, "event", events, tuple(track.counted), track=name)

    def _of(self, rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if row.prefix == self.programme.prefix]

    def _now(
        self,
        code: str,
        unit: Unit,
        by: str,
        values: Mapping[str, float],
        *,
        promise: bool = False,
        track: str | None = None,
    ) -> SeriesView:
        points = [self._point(None, by, key, value, track) for key, value in values.items()]
        return self._series(code, unit, by, points, promise=promise, track=track)

    def _over(
        self,
        code: str,
        unit: Unit,
        by: str,
        values: Iterable[tuple[date, str, float]],
        keys: tuple[str, ...],
        *,
        promise: bool = False,
        track: str | None = None,
    ) -> SeriesView:
        found: Counter[tuple[date, str]] = Counter()
        for day, key, value in values:
            found[day, key] += value  # type: ignore[assignment]  # numbers of any kind add up
        points = [self._point(day, by, key, found[day, key], track) for day in self.asked.buckets() for key in keys]
        return self._series(code, unit, by, points, promise=promise, track=track)

    def _series(
        self, code: str, unit: Unit, by: str, points: list[PointView], *, promise: bool, track: str | None
    ) -> SeriesView:
        standing = self.standing if promise else None
        title = title_of(code, self.language)
        return SeriesView(code=code, title=title, unit=unit, by=by, track=track, standing=standing, points=points)

    def _point(self, on: date | None, by: str, key: str, value: float, track: str | None) -> PointView:
        return PointView(on=on, key=key, label=self._label(by, key, track), value=round(float(value), 2))

    def _label(self, by: str, key: str, track: str | None) -> str:
        name = self.names.get(key) if by == "employer" else None
        if name is not None:
            return name.name_en if self.language is Language.EN and name.name_en else name.name_zh
        return key_label(by, key, self.language, self.programme.texts, track)


def waited_for(programme: Programme) -> Iterator[tuple[TrackTable, tuple[str, ...]]]:
    """Yield the tables of a programme's tracks with the stages in which somebody is waited for."""
    for track in programme.tracks.values():
        if track.waiting:
            yield track.table, track.waiting


def counted_acts(programme: Programme) -> Iterator[str]:
    """Yield the acts that are counted of a programme's tracks."""
    for track in programme.tracks.values():
        yield from (counted.act for counted in track.counted.values())


def _kept(is_kept: bool) -> str:
    return KEPT if is_kept else MISSED


def _most(values: Iterable[tuple[str, float]]) -> Mapping[str, float]:
    """Return the greatest numbers, the greatest first, and what the others come to."""
    found: Counter[str] = Counter()
    for key, value in values:
        found[key] += value  # type: ignore[assignment]
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(value for _, value in ordered[MOST:])
    return dict(ordered[:MOST]) | ({OTHERS: rest} if rest else {})
