"""The cases that a signed-in person sees: their own on which the address stands that the session proved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import own_views
from cases.case.contact import given_of, serving_now, waiting_views
from cases.case.reading import CaseReading, read_cases
from cases.case.shows import views_of
from cases.case.view import case_view, shown_at
from cases.case.views import AnyFactView
from cases.decisions import contested
from cases.shared.context import Context
from cases.shared.views import document
from domain.actors import Actor, Role
from domain.case_facts import FactState, short_of
from domain.clock import CHINA
from domain.errors import Defect, Refused, need
from domain.languages import Language
from domain.notices import Channel
from domain.stages import LIVE, Stage
from privacy.sign_in import Session, address_hash
from privacy.views import OwnDecisionView
from record.receipts import decisions_of, remedy_of
from store.case_reads import FactShown, fence
from store.rows.record import LedgerRow
from store.tables import cases, ledger
from texts.notices.wording import place
from texts.person import plain
from texts.reasons import reason_or_word

Row = Mapping[str, Any]

_MOST: Final = 200  # cases of one person; nobody has had nearly as many
_NAMES: Final = text(
    "SELECT DISTINCT ON (employer_id) employer_id, name_zh, name_en FROM employer_versions"
    " WHERE employer_id = ANY(CAST(:employers AS text[])) AND valid_from <= :today"
    " ORDER BY employer_id, valid_from DESC"
)


@dataclass(frozen=True, slots=True)
class OwnCase:
    """A case with what was given of the person, opened, and the address by which they signed in, if by one."""

    reading: CaseReading
    given: Row
    signed_in_by: tuple[Channel, str] | None

    @property
    def reference(self) -> str:
        """The reference of the case."""
        return self.reading.reference


async def own_cases(context: Context, connection: AsyncConnection, session: Session, actor: Actor) -> list[OwnCase]:
    """Return the cases of a session, the newest first: those whose person signs in by the address that it proved.

    A document in place of an address opens all cases of the person who has it.

    From then on the transaction sees no other case, whatever is asked of it.
    """
    if session.person_id is None:
        await fence(connection, [])
        return []
    r = cases.c
    query = select(r.reference).where(r.person_id == session.person_id)
    query = query.order_by(r.accepted_at.desc(), r.reference).limit(_MOST)
    references = list((await connection.execute(query)).scalars())
    found: list[OwnCase] = []
    for reading in await read_cases(context, connection, references, actor):
        given = _given(reading)
        if session.by_document:
            found += [OwnCase(reading, given, None)] if given else []
            continue
        serving = serving_now(reading, given_of(reading)) if given else {}
        for channel, address in serving.items():
            if address_hash(context, address) == session.address_hash:
                found.append(OwnCase(reading, given, (channel, address)))
                break
    await fence(connection, [case.reference for case in found])
    return found


async def need_own(
    context: Context, connection: AsyncConnection, session: Session, actor: Actor, reference: str
) -> OwnCase:
    """Return one case of a session.

    Raises:
        Refused: `case_unknown` for any other, whether or not there is one.
    """
    for case in await own_cases(context, connection, session, actor):
        if case.reference == reference:
            return case
    raise Refused("case_unknown", "There is no case of yours of this reference.")


async def list_own(context: Context, actor: Actor, session: Session, language: Language) -> list[own_views.OwnCase]:
    """Return the cases of a session at every employer, in plain words."""
    async with context.database.begin(actor.tenant) as connection:
        cases = await own_cases(context, connection, session, actor)
        names = await employer_names(context, connection, cases, language)
        chains = await chains_of(connection, [case.reference for case in cases])
        return [own_view(case, actor, names, chains.get(case.reference, []), language) for case in cases]


async def employer_names(
    context: Context, connection: AsyncConnection, cases: list[OwnCase], language: Language
) -> dict[str, str]:
    """Return the names of the employers of cases, as they are called today."""
    today = context.clock().astimezone(CHINA).date()
    given = {"employers": sorted({case.reading.employer_id for case in cases}), "today": today}
    rows = await connection.execute(_NAMES, given)
    return {row.employer_id: (language is Language.EN and row.name_en) or row.name_zh for row in rows}


def own_view(
    case: OwnCase, actor: Actor, names: Mapping[str, str], chain: list[LedgerRow], language: Language
) -> own_views.OwnCase:
    """Return a case as its person reads it: where it stands and what comes next, and nothing for staff alone."""
    reading = case.reading
    whole = case_view(reading, actor, language)
    room = reading.context.programmes[reading.row.programme].texts
    own = own_views.OwnCase(
        reference=whole.reference,
        programme=whole.programme,
        employer_id=whole.employer_id,
        stage=whole.stage,
        round=whole.round,
        findings=whole.findings,
        open_points=whole.open_points,
        accepted_at=whole.accepted_at,
        due_at=whole.due_at,
        due_kind=whole.due_kind,
        due_provisional=whole.due_provisional,
        clock=whole.clock,
        holder=whole.holder,
        registration_number=whole.registration_number,
        end_reason=whole.end_reason,
        ended_on=whole.ended_on,
        in_force=whole.in_force,
        updated_at=whole.updated_at,
        recorded_facts=tuple(_recorded(fact, reading, language) for fact in whole.recorded_facts),
        employer=names.get(reading.employer_id, reading.employer_id),
        stage_text=plain("stages", whole.stage, language, room),
        waits_for=plain("holders", whole.holder, language, room),
        due_text=plain("due_kinds", whole.due_kind, language, room),
        end_reason_text=reason_or_word(whole.end_reason, language),
        contact_changes=waiting_views(reading, language),
        decisions=tuple(_decisions(reading, chain, language)),
        may_object=(open_to := tuple(_may_object(reading, chain, whole.stage, language))),
        remedies=tuple(_remedies(reading, language, may_object=bool(open_to))),
    )
    return views_of(reading).own(reading, whole, own, language)


def _given(reading: CaseReading) -> Row:
    try:
        opened: Row = reading.given()
    except (Defect, Refused):
        return {}  # what cannot be opened, or was erased, cannot be shown to be this person's
    return opened


def _recorded(view: AnyFactView, reading: CaseReading, language: Language) -> own_views.OwnRecordedFact:
    """Return a fact that an officer recorded, in plain words; what it says stands with all that is held."""
    row = next(each for each in reading.facts if each.number == view.number)
    return own_views.OwnRecordedFact(
        **vars(view),
        may_contest=_may_contest(reading, row),
        label=plain("fields", short_of(view.field), language, reading.context.programmes[reading.row.programme].texts),
        state_text=plain("fact_states", view.contest if view.contest == "open" else view.state, language),
    )


def _may_contest(reading: CaseReading, fact: FactShown) -> bool:
    """Whether the person may still say that a recorded fact is wrong (R36)."""
    is_open = reading.stage in LIVE and fact.state == FactState.STANDS
    return is_open and Role.PERSON not in fact.contested_by


def _decisions(reading: CaseReading, chain: list[LedgerRow], language: Language) -> list[OwnDecisionView]:
    """Return the decisions on a case that are out, each with its reasons and what one who disagrees can do."""
    return [
        OwnDecisionView(
            outcome=need(each.outcome, "outcome"),
            decided_at=shown_at(each.row.at),
            destination=each.row.destination,
            role=each.row.actor_role,
            reasons=[str(reason_or_word(code, language)) for code in each.row.reason_codes],
            rule_version=each.row.rule_version,
            remedy=document(remedy_of(reading.context, each)),
        )
        for each in decisions_of(chain, views_of(reading).told)
        if each.is_out
    ]


def _may_object(
    reading: CaseReading, chain: list[LedgerRow], shown: Stage, language: Language
) -> Iterator[own_views.MayObject]:
    """Return the decisions that the person can object to, once they are shown."""
    if shown != reading.stage:
        return
    room = reading.context.programmes[reading.row.programme].texts
    for against, track in contested.may_object(reading, chain, Role.PERSON.value):
        label = plain("decisions", against, language, room)
        named = label if track is None else f"{label} · {place(track, language)}"
        yield own_views.MayObject(against=against, destination=track, label=named)


def _remedies(reading: CaseReading, language: Language, *, may_object: bool) -> list[str]:
    """Return in words what the person can do now."""
    objection = ["objection"] if may_object else []
    fact = ["fact"] if any(_may_contest(reading, fact) for fact in reading.facts) else []
    letter = ["letter"] if reading.stage is Stage.REFUSED else []
    found = dict.fromkeys([*fact, *objection, *letter, *views_of(reading).remedies(reading), "complaint"])
    room = reading.context.programmes[reading.row.programme].texts
    return [str(plain("remedies", each, language, room)) for each in found]


async def chains_of(connection: AsyncConnection, references: list[str]) -> dict[str, list[LedgerRow]]:
    """Return the ledger rows of the chains of cases, by case."""
    query = select(ledger).where(ledger.c.chain.in_(references)).order_by(ledger.c.chain, ledger.c.seq)
    found: dict[str, list[LedgerRow]] = {}
    for row in LedgerRow.all_of(await connection.execute(query)):
        found.setdefault(row.chain, []).append(row)
    return found
