"""Everything that is held about a signed-in person, readable by them and by a machine; handing it out is an access."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.evidence import evidence_of
from cases.case.evidence_reads import opened
from cases.case.own_views import OwnRecordedFact
from cases.case.reads import opened_fields
from cases.case.view import moment
from cases.programme import Programme, programme
from cases.shared.accesses import note_access
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.acts import Act
from domain.data_map import Basis, Retention
from domain.languages import Language
from domain.notices import SALT, NoticeKind, Recipient
from domain.own_data import KEPT_APART, row_of
from domain.person import same_address
from privacy.confided import confided_by
from privacy.own_cases import OwnCase, chains_of, employer_names, own_cases, own_view
from privacy.releases import releases_of
from privacy.sign_in import Session
from privacy.views import (
    KeptApartView,
    OwnFactsView,
    OwnFactView,
    OwnHoldView,
    OwnNoticeView,
    OwnReleaseView,
    OwnRequestView,
)
from store.ledger import Entry
from store.rows.notices import NoticeRow
from store.rows.record import LedgerRow
from store.rows.register import ApplicationRow, FactRow
from store.rows.work import CommandRow
from store.tables import applications, case_facts, commands, legal_holds, notices
from texts.catalogue import CORE
from texts.person import said_of
from texts.roster import words_of
from texts.values import value_text

Row = Mapping[str, Any]

_OUTSIDE: Final = ("employer", "person")
FORMAT: Final = "hetao-permits/own-data/1"


@dataclass(frozen=True, slots=True)
class OwnData:
    """All that is held about a person; of each case what its person reads of it anyway, by name, with what is more."""

    format: str
    at: str | None
    cases: list[Mapping[str, Any]]
    releases: list[OwnReleaseView]
    kept_apart: list[KeptApartView]


async def read_own_data(context: Context, actor: Actor, session: Session, language: Language) -> OwnData:
    """Return all that is held about the person of a session; a ledger act of the same transaction."""
    at = context.clock()
    async with context.database.begin(actor.tenant) as connection:
        cases = await own_cases(context, connection, session, actor)
        names = await employer_names(context, connection, cases, language)
        chains = await chains_of(connection, [case.reference for case in cases])
        own = (await confided_by(context, connection, session, cases)).own
        shown = [
            await _case(connection, case, own, actor, names, chains.get(case.reference, []), language) for case in cases
        ]
        releases = await releases_of(context, connection, [case.reference for case in cases])
        fields = dict.fromkeys(name for case in cases for name in opened_fields(case.reading.form))
        entry = Entry(
            Act.PERSONAL_DATA_READ,
            actor,
            at,
            purpose="own_data",
            detail={"cases": [case.reference for case in cases], "fields": [*fields, "notices", "requests"]},
        )
        await note_access(connection, entry)
    return OwnData(
        format=FORMAT,
        at=moment(at),
        cases=shown,
        releases=releases,
        kept_apart=[
            KeptApartView(what=name, says=said_of("kept_apart", name, language), retention=_retention(until, language))
            for name, (_, until) in KEPT_APART.items()
        ],
    )


async def _case(
    connection: AsyncConnection,
    case: OwnCase,
    own: Set[UUID],
    actor: Actor,
    names: Mapping[str, str],
    chain: list[LedgerRow],
    language: Language,
) -> Mapping[str, Any]:
    """Return what is held under one case; of what was said in confidence only what is the reader's own."""
    reading, employer = case.reading, names.get(case.reading.employer_id, case.reading.employer_id)
    a = applications.c
    query = select(applications).where(a.reference == case.reference).order_by(a.version)
    rows = ApplicationRow.all_of(await connection.execute(query))
    bodies = [reading.open("applications", "body", f"{case.reference}/{row.version}", row.body) for row in rows]
    versions = [
        OwnFactsView(
            version=row.version,
            given_at=row.given_at,
            given_by=_given_by(row.version, chain, employer, language),
            is_current=row.version == reading.row.facts_version,
            facts=_facts(body, programme(reading.context, reading.row.programme), language),
        )
        for row, body in zip(rows, bodies, strict=True)
        if _is_own(case, body)
    ]
    view = own_view(case, actor, names, chain, language)
    return {
        **vars(view),
        "facts": versions,
        "recorded_facts": await _recorded(connection, case, view.recorded_facts, language),
        "evidence": [opened(reading, row, inside=False, is_person=True) for row in evidence_of(reading)],
        "requests": await _requests(connection, case, own),
        "notices": await _notices(connection, case, own),
        "legal_holds": await _holds(connection, case, language),
    }


def _given_by(version: int, chain: Sequence[LedgerRow], employer: str, language: Language) -> str:
    """Return who gave a version: the employer, the person where they had it changed, or both."""
    for row in chain:
        if row.detail.get("version") == version and (asked := row.detail.get("asked_by")):
            said = {Role.EMPLOYER.value: employer, Role.PERSON.value: said_of("sides", Role.PERSON.value, language)}
            return ", ".join(said[role] for role in asked)
    return employer


def _is_own(case: OwnCase, body: Row) -> bool:
    """Whether what was given names this person: a document that was corrected may be somebody else's."""
    form = case.reading.form
    document, own = form.document_in(body), form.document_in(case.given)
    return document is None or own is None or document.is_same_person(own)


def _facts(body: Row, declared: Programme, language: Language) -> list[OwnFactView]:
    """Return what was given, field by field: its value, what it is for, on which ground, and how long it is kept."""
    facts: list[OwnFactView] = []
    for part in declared.form.fields_by_part():
        for field, value in body[part].items():
            row = row_of(declared.bodies, declared.form, part, field)
            facts.append(
                OwnFactView(
                    field=field,
                    label=said_of("fields", field, language, declared.texts),
                    value=value,
                    value_text=_in_words(declared, field, value, language),
                    purpose=said_of("reasons", field, language, declared.texts),
                    basis=said_of("bases", Basis(row.basis).name, language),
                    retention=_retention(row.retention, language, declared.texts),
                )
            )
    return facts


async def _recorded(
    connection: AsyncConnection, case: OwnCase, shown: Sequence[OwnRecordedFact], language: Language
) -> list[dict[str, Any]]:
    """Return the facts that officers recorded beside what was given: what they saw, where, and what had been given."""
    query = select(case_facts).where(case_facts.c.reference == case.reference)
    rows = {row.number: row for row in FactRow.all_of(await connection.execute(query))}
    declared = programme(case.reading.context, case.reading.row.programme)
    found: list[dict[str, Any]] = []
    for view in shown:
        part, _, field = view.field.partition(".")
        row, kept = rows[view.number], row_of(declared.bodies, declared.form, part, field)
        seen = case.reading.open("case_facts", "body", f"{case.reference}/{row.number}", row.body)
        found.append(
            {
                **vars(view),
                **{name: seen[name] for name in ("value", "seen_in", "given")},
                "value_text": _in_words(declared, field, seen["value"], language),
                "purpose": said_of("reasons", field, language, declared.texts),
                "basis": said_of("bases", Basis(kept.basis).name, language),
                "retention": _retention(kept.retention, language, declared.texts),
            }
        )
    return found


def _in_words(declared: Programme, field: str, value: Any, language: Language) -> str | None:
    return value_text(field, value, language, said=words_of(declared.texts), days=declared.form.days())


def _retention(until: Retention, language: Language, room: str = CORE) -> str:
    return said_of("retentions", until.name, language, room)


async def _requests(connection: AsyncConnection, case: OwnCase, own: Set[UUID]) -> list[OwnRequestView]:
    """Return what employer and person asked for in the case, with their own words.

    What staff wrote for staff is told of, and not shown.
    """
    declared, c = programme(case.reading.context, case.reading.row.programme).commands, commands.c
    asked = [str(kind) for kind, command in declared.items() if command.is_outside]
    query = select(commands).where(c.reference == case.reference, c.kind.in_(asked)).order_by(c.seq)
    found: list[OwnRequestView] = []
    for row in CommandRow.all_of(await connection.execute(query)):
        role = row.actor["role"]
        if role not in _OUTSIDE or row.body is None:
            continue
        is_said = role == Role.PERSON and declared[row.kind].is_confided
        if is_said and row.command_id not in own:
            continue
        content = case.reading.open("commands", "body", str(row.command_id), row.body)
        if _is_own(case, content):
            found.append(OwnRequestView(kind=row.kind, at=row.at, by=role, state=row.state, content=content))
    return found


async def _holds(connection: AsyncConnection, case: OwnCase, language: Language) -> list[OwnHoldView]:
    """Return the legal holds that stand on a case: while there is one, nothing of it is erased."""
    h = legal_holds.c
    query = select(h.reason, h.placed_at).where(h.reference == case.reference, h.released_at.is_(None))
    return [
        OwnHoldView(reason=row.reason, says=said_of("holds", row.reason, language), placed_at=row.placed_at)
        for row in await connection.execute(query.order_by(h.placed_at))
    ]


async def _notices(connection: AsyncConnection, case: OwnCase, own: Set[UUID]) -> list[OwnNoticeView]:
    """Return the notices to the person with their texts; those with a link to sign in without, since it is a key."""
    n = notices.c
    query = select(notices).where(n.reference == case.reference, n.recipient == Recipient.PERSON.value)
    found: list[OwnNoticeView] = []
    for row in NoticeRow.all_of(await connection.execute(query.order_by(n.at, n.notice_id))):
        # One under another key was written before an identity number was corrected, and may name somebody else.
        is_readable = row.key_id == case.reading.read.key.key_id
        body = case.reading.open("notices", "body", str(row.notice_id), row.body) if is_readable else {}
        if not _is_to(case, row, body, own):
            continue
        sent = _sent(row, body)
        found.append(
            OwnNoticeView(
                kind=row.kind,
                at=row.at,
                language=row.language,
                status=row.status,
                subject=sent.get("subject"),
                text=sent.get("text"),
                html=sent.get("html"),
                text_salt=sent.get(SALT),
                text_hash=row.text_hash,
            )
        )
    return found


def _is_to(case: OwnCase, row: NoticeRow, body: Row, own: Set[UUID]) -> bool:
    """Whether a notice is to all addresses of the case, or to the reader's; what one alone was told is for that one."""
    if "only" in body:
        proved = case.signed_in_by
        return proved is not None and same_address(body["only"]["to"]) == same_address(proved[1])
    return row.kind != NoticeKind.COMPLAINT_ANSWERED or UUID(row.occasion) in own


def _sent(row: NoticeRow, body: Row) -> Mapping[str, str | None]:
    """Return a notice as it was sent, with what proves it; nothing of one that may not be shown."""
    if row.kind == NoticeKind.SIGN_IN_LINK:
        return {}
    return {**(body.get("mail") or body.get("sms") or {}), SALT: body.get(SALT)}
