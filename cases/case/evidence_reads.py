"""Reading the evidence of a case in clear: an act of the ledger, like opening person fields."""

from datetime import date

from cases.case.evidence import FALLEN, SEEN, ReadableCase, evidence_of, given_of, place_of
from cases.case.evidence_views import OpenedEvidenceView, evidence_view
from cases.case.file import load_case
from cases.case.reads import record_read
from cases.case.signers import need_no_conflict
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.errors import Refused
from domain.purposes import Purpose
from store.rows.evidence import EvidenceRow


async def list_evidence(
    context: Context, actor: Actor, reference: str, purpose: Purpose | None
) -> list[OpenedEvidenceView]:
    """Return every piece of evidence of a case, with what officers said of it, the first piece first.

    Raises:
        Refused: `purpose_missing` for all but the owner; `case_unknown`; `facts_erased` after an erasure;
            `role_not_allowed` for one who declared a conflict of interest.
    """
    if purpose is None and actor.is_inside:
        raise Refused("purpose_missing", "Say in the header Purpose what the evidence is opened for.")
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference)
        need_no_conflict(file, actor)
        rows = evidence_of(file)
        if rows:
            items = tuple(dict.fromkeys(f"evidence.{row.item}" for row in rows))
            await record_read(connection, actor, [file], items, purpose, context.clock())
        is_person = actor.role is Role.PERSON
        return [opened(file, row, inside=actor.is_inside, is_person=is_person) for row in rows]


def opened(file: ReadableCase, row: EvidenceRow, *, inside: bool, is_person: bool = False) -> OpenedEvidenceView:
    """Return a piece of evidence in clear; who saw it, and what they noted, for staff alone.

    Which case it was taken over from is for staff and the person: an employer knows the programme.
    """
    knows_source = inside or is_person
    given, place = given_of(file, row), place_of(row)
    seen = {} if row.seen is None else file.open(*SEEN, place, row.seen)
    fallen = {} if row.fallen is None else file.open(*FALLEN, place, row.fallen)
    return OpenedEvidenceView(
        **vars(evidence_view(file, row)),
        issuer=given["issuer"],
        number=given.get("number"),
        date=date.fromisoformat(given["date"]),
        value=given.get("value"),
        proved=seen.get("value"),
        seen_in=seen.get("seen_in"),
        notes=tuple(fallen.get("notes", ())),
        note=(fallen.get("note") or seen.get("note")) if inside else None,
        seen_by=tuple(each["subject"] for each in row.seen_by) if inside else (),
        source_reference=row.source_reference if knows_source else None,
        source_evidence=row.source_evidence if knows_source else None,
    )
