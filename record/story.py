"""The story of a case in an auditor's words: what happened, who did it and why, and for whom it waited how long."""

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from cases.shared.accesses import note_access
from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.clock import CHINA
from domain.errors import Refused
from domain.folding import Folding, Stood, after, fold
from domain.languages import Language
from domain.purposes import Purpose
from domain.stages import Holder
from record.case import KeptRun, Record, read_record
from record.history import Happened, happened, retried, time_of
from record.particulars import particulars
from record.story_views import (
    DeliveryTold,
    EndedWaitView,
    EventPlace,
    NoticePlace,
    ReceiptTold,
    RowPlace,
    RunView,
    SaidReason,
    StageThen,
    StoodPermit,
    StoodView,
    Story,
    StoryItem,
    WaitView,
    WhoActed,
)
from store.ledger import Entry
from store.notice_reads import DeliveryKept, NoticeKept
from store.rows.record import LedgerRow
from temporal.histories import Histories
from texts.story import act_sentence, event_sentence, notice_sentence, wait_sentence, why_sentence

Timed = tuple[datetime, StoryItem]


class _Wait(NamedTuple):
    """For whom the case waited from when on, and how long."""

    holder: Holder
    since: datetime
    seconds: float


# Told with the notice they are about, or about the record and not about the case.
_TOLD_ELSEWHERE: Final = frozenset(
    {Act.NOTICE_QUEUED, Act.NOTICE_SENT, Act.NOTICE_FAILED, Act.RECEIPT_RECORDED, Act.HISTORY_ARCHIVED}
)
_SHOWN_APART: Final = frozenset({"stage", "round"})
_CODE: Final = re.compile(r"[A-Za-z0-9_./:+-]{1,200}")


async def tell_story(
    context: Context,
    histories: Histories,
    actor: Actor,
    reference: str,
    *,
    as_of: datetime | None = None,
    start: int = 0,
    limit: int = 100,
    language: Language = Language.EN,
) -> tuple[Story, int | None]:
    """Return a page of the story with where the case stood, and the place of the next page.

    Reading it is a ledger act, in a chain of its own so that it waits for no case.

    Raises:
        Refused: `case_unknown`.
    """
    record = await read_record(context, histories, reference)
    stood, state = stood_at(record.chain, record.folding, as_of), None
    if stood is not None:
        async with context.database.begin() as connection:
            beside = await particulars(connection, reference, record.chain, as_of, language)
        state = StoodView(**vars(stood), **vars(beside))
    begun = [kept for kept in record.runs if as_of is None or kept.run.started_at <= as_of]
    items = [item for at, item in _merged(record, as_of, language) if as_of is None or at <= as_of]
    page = items[start : start + limit]
    await _note_read(context, actor, reference, as_of)
    more = start + limit < len(items)
    story = Story(
        reference=reference,
        as_of=_moment(as_of),
        state=state,
        waits=_waits(record, as_of, language),
        runs=[_run(kept, as_of) for kept in begun],
        complete=record.is_live_known and not any(kept.problem for kept in begun),
        items=page,
    )
    return story, start + limit if more else None


def stood_at(chain: Sequence[LedgerRow], folding: Folding, as_of: datetime | None) -> StageThen | None:
    """Return where the case stood at a time, or now; None before it was there."""
    stood = fold((row for row in chain if as_of is None or row.at <= as_of), folding)
    if stood.stage is None:
        return None
    return StageThen(
        stage=stood.stage,
        round=stood.round,
        pending_act=stood.pending_act,
        holds=sorted(stood.holds),
        registration_number=stood.registration_number,
        waits_for=stood.waits_for,
        permits=[
            StoodPermit(
                destination=destination,
                stage=stage,
                pending_act=stood.tracks_pending.get(destination),
                waits_for=folding.waits_for.get(stage, Holder.NONE),
            )
            for destination, stage in sorted(stood.tracks.items())
        ],
    )


async def _note_read(context: Context, actor: Actor, reference: str, as_of: datetime | None) -> None:
    detail = {"cases": [reference], "what": "history", "as_of": _moment(as_of)}
    entry = Entry(act=Act.CASE_READ, actor=actor, at=context.clock(), purpose=Purpose.AUDIT.value, detail=detail)
    async with context.database.begin() as connection:
        await note_access(connection, entry)


def _merged(record: Record, as_of: datetime | None, language: Language) -> Iterator[Timed]:
    """Yield all items by time; what one source says stays in that source's order."""
    # Each chain by itself: rows of one say nothing of where those of another belong.
    chains = {record.reference: record.chain}
    for row in record.ledger:
        if row.chain != record.reference:
            chains.setdefault(row.chain, []).append(row)
    sources: list[Iterable[Timed]] = [list(_ledger_items(rows, record, language)) for rows in chains.values()]
    sources += [_history_items(kept, language) for kept in record.runs]
    sources += [_retried_items(kept, language) for kept in record.runs]
    sources.append([(row.at, _notice_item(row, as_of, language)) for row in record.notices])
    return heapq.merge(*sources, key=lambda timed: timed[0])


def _ledger_items(rows: Iterable[LedgerRow], record: Record, language: Language) -> Iterator[Timed]:
    stood, since, latest = Stood(), dict[str, datetime](), None
    for row in rows:
        before, stood = stood, after(stood, row, record.folding)
        at: datetime = row.at
        waited = _ended_wait(before, stood, row, since, record.folding)
        # A row of an act that was asked for earlier than it was applied does not go before the rows that it follows.
        latest = at if latest is None else max(latest, at)
        if row.act not in _TOLD_ELSEWHERE:
            yield latest, _ledger_item(row, latest, waited, language, record.room)


def _ended_wait(
    before: Stood, stood: Stood, row: LedgerRow, since: dict[str, datetime], folding: Folding
) -> _Wait | None:
    """Return the wait that a row ended, and begin to count the next one."""
    changed = [("", before.waits_for)] if before.stage is not stood.stage or before.round != stood.round else []
    changed += [
        (track, _waits_for(before, track, folding))
        for track in stood.tracks
        if before.tracks.get(track) is not stood.tracks[track]
    ]
    ended = None
    for name, holder in changed:
        begun = since.pop(name, None)
        since[name] = row.at
        if begun is not None and holder is not Holder.NONE:
            ended = _Wait(holder, begun, (row.at - begun).total_seconds())
    return ended


def _waits_for(stood: Stood, track: str, folding: Folding) -> Holder:
    """Return who had to act next on a track."""
    stage = stood.tracks.get(track)
    return Holder.NONE if stage is None else folding.waits_for.get(stage, Holder.NONE)


def _ledger_item(row: LedgerRow, placed: datetime, waited: _Wait | None, language: Language, room: str) -> StoryItem:
    detail = {name: value for name, value in row.detail.items() if name not in _SHOWN_APART}
    return StoryItem(
        at=_written(row.at),
        placed_at=_moment(placed) if placed != row.at else None,
        source="ledger",
        what=row.act,
        says=act_sentence(row.act, row.outcome, language, room),
        who=WhoActed(role=row.actor_role, subject=row.actor_subject, issuer=row.actor_issuer),
        stage=row.detail.get("stage"),
        round=row.detail.get("round"),
        outcome=row.outcome,
        destination=row.destination,
        reasons=[SaidReason(code=code, says=why_sentence(code, language)) for code in row.reason_codes or ()],
        purpose=row.purpose,
        rule_version=row.rule_version,
        detail=detail or None,
        place=RowPlace(chain=row.chain, seq=row.seq, run_id=row.run_id, event_id=row.event_id),
        waited=None if waited is None else _wait_ended(waited, language, room),
    )


def _wait_ended(waited: _Wait, language: Language, room: str) -> EndedWaitView:
    return EndedWaitView(
        for_=waited.holder,
        since=_written(waited.since),
        seconds=round(waited.seconds),
        says=wait_sentence(waited.holder, language, room),
    )


def _history_items(kept: KeptRun, language: Language) -> list[Timed]:
    told = happened(kept.run.run_id, kept.events)
    return [(each.at, _history_item(each, language)) for each in told]


def _retried_items(kept: KeptRun, language: Language) -> list[Timed]:
    told = retried(kept.run.run_id, kept.events, kept.run.retries)
    return [(each.at, _history_item(each, language)) for each in told]


def _history_item(each: Happened, language: Language) -> StoryItem:
    return StoryItem(
        at=_written(each.at),
        source="history",
        what=each.kind.value,
        says=event_sentence(each.kind.value, language),
        detail={name: _coded(value) for name, value in each.facts.items()} or None,
        place=EventPlace(run_id=each.run_id, event_id=each.event_id),
    )


def _notice_item(row: NoticeKept, as_of: datetime | None, language: Language) -> StoryItem:
    return StoryItem(
        at=_written(row.at),
        source="notice",
        what=row.kind,
        says=notice_sentence(language),
        destination=row.destination or None,
        detail={"recipient": row.recipient, "occasion": row.occasion, "language": row.language},
        deliveries=[_delivery(each, as_of) for each in row.deliveries],
        place=NoticePlace(notice_id=str(row.notice_id)),
    )


def _delivery(row: DeliveryKept, as_of: datetime | None) -> DeliveryTold:
    """Return a delivery with its receipts, as far as it had got by then."""
    is_over = as_of is None or _is_by(row.settled_at, as_of)
    return DeliveryTold(
        channel=row.channel,
        status=row.status if is_over else "sent" if _is_by(row.sent_at, as_of) else "queued",
        attempts=row.attempts if as_of is None else None,
        sent_at=_moment(row.sent_at) if _is_by(row.sent_at, as_of) else None,
        settled_at=_moment(row.settled_at) if _is_by(row.settled_at, as_of) else None,
        reason=row.reason if is_over else None,
        receipts=[
            ReceiptTold(status=each.status, at=_written(each.at)) for each in row.receipts if _is_by(each.at, as_of)
        ],
    )


def _waits(record: Record, as_of: datetime | None, language: Language) -> list[WaitView]:
    """Return for whom the case waited how long in all, closed waits only."""
    total: dict[Holder, float] = defaultdict(float)
    stood, since = Stood(), dict[str, datetime]()
    for row in record.chain:
        if as_of is not None and row.at > as_of:
            continue
        before, stood = stood, after(stood, row, record.folding)
        waited = _ended_wait(before, stood, row, since, record.folding)
        if waited is not None:
            total[waited.holder] += waited.seconds
    return [
        WaitView(for_=holder, seconds=round(seconds), says=wait_sentence(holder, language, record.room))
        for holder, seconds in sorted(total.items())
    ]


def _run(kept: KeptRun, as_of: datetime | None) -> RunView:
    """Return a run as far as it had got: one that closed later was open then, and its history shorter."""
    run = kept.run
    is_over = run.is_closed and _is_by(run.closed_at, as_of)
    return RunView(
        run_id=run.run_id,
        status=run.status if is_over or not run.is_closed else "running",
        started_at=_written(run.started_at),
        closed_at=_moment(run.closed_at) if is_over else None,
        events=sum(as_of is None or time_of(event) <= as_of for event in kept.events),
        sha256=kept.sha256.hex() if kept.sha256 is not None and is_over else None,
        problem=kept.problem,
    )


def parse_as_of(as_of: datetime | None, now: datetime) -> datetime | None:
    """Return the time asked for; one still to come is refused, since nobody knows how the case will stand.

    Raises:
        Refused: `invalid`.
    """
    if as_of is not None and as_of > now:
        raise Refused("invalid", "Ask for a time that has passed.")
    return as_of


def _coded(value: Any) -> Any:
    """Return a fact of a history where it is a code or a number; nothing else of a history is shown."""
    if isinstance(value, str):
        return value if _CODE.fullmatch(value) else None
    return value if isinstance(value, int | float | bool) else None


def _moment(at: datetime | None) -> str | None:
    return None if at is None else _written(at)


def _written(at: datetime) -> str:
    return at.astimezone(CHINA).isoformat()


def _is_by(at: datetime | None, as_of: datetime | None) -> bool:
    return at is not None and (as_of is None or at <= as_of)
