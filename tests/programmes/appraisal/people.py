"""A made-up applicant from Hong Kong, what they give, and the steps that tests go with them."""

from datetime import timedelta
from typing import Any, Final

from domain.stages import Stage
from programmes.appraisal.tables import employment
from tests.api.callers import Caller
from tests.programmes.park import Park
from tests.workflows.world import Case

CARD = {"kind": "hk_identity_card", "number": "A123456(3)"}


def me(park: Park, **document: str) -> Caller:
    """Return the applicant, with the token that asserts their document."""
    claims = {"document_kind": CARD["kind"], "document_number": CARD["number"]} | document
    return park.caller("person-1", **claims)


def piece(item: str, value: Any = None, issuer: str = "香港大學") -> dict[str, Any]:
    """Return a piece of evidence."""
    given = {"item": item, "kind": "certificate", "issuer": issuer, "date": "2025-07-01"}
    return given if value is None else given | {"value": value}


# By the sample tables of 2025: knowledge 90, capabilities 80, performance 86.67; 86.00 in all.
POINTS = (
    piece("education", "doctor"),
    piece("listed_school"),
    piece("publications", 3),
    piece("publications", 5, "香港中文大學"),
    piece("experience_years", 8),
    piece("patents", 2),
    piece("projects_led", 2),
    piece("income_year", "500000.00"),
    piece("assessment_mark", "36.67"),
)
STAR = (piece("national_programme", {"name": "Sample Star Talent Programme", "given_on": "2020-05-01"}),)


def form(route: str = "points", evidence: Any = POINTS, **more: Any) -> dict[str, Any]:
    """Return what is given to be appraised."""
    person = {"name_zh": "陳嘉欣", "name_en": "CHAN Ka Yan", "document": CARD, "birth_date": "1990-05-14"}
    person |= {"email": "kayan@example.com", "language": "en"}
    work = {"employer": "emp-a", "position": "研究員", "work_start": "2026-01-05"}
    return {"person": person, "route": route, "employment": work, "evidence": list(evidence), **more}


# Of a foreigner, whose passport has any number.
SAMPLE: Final[dict[str, Any]] = form()
SAMPLE["person"] |= {"document": {"kind": "passport", "place": "GB", "number": "E00000000"}}


async def applied(park: Park, **more: Any) -> Case:
    """Apply, and wait until an officer can look."""
    return await applied_by(park, me(park), form(**more))


async def applied_by(park: Park, person: Caller, given: dict[str, Any]) -> Case:
    """Apply as somebody, and wait until an officer can look."""
    taken = await park.ask(person, "POST", "/v1/appraisals", given, expects=202)
    case = Case(park.world, taken["reference"])
    park.world.started.append(case.reference)
    await case.until_stage(Stage.UNDER_REVIEW)
    return case


async def answered(park: Park, case: Case, verb: str = "confirmed", by: str = "employer-a", body: Any = None) -> None:
    """Let the employer say something of its part."""
    await park.ask(by, "POST", f"/v1/appraisals/{case.reference}/employment/{verb}", body or {}, expects=202)
    await case.until(lambda file: (row := employment(file)) is not None and row.stage == verb)


async def proved(park: Park, case: Case, by: str = "officer-2") -> None:
    """Let an officer see all pieces, each proving what it is to prove."""
    pieces = (await park.ask(by, "GET", f"/v1/appraisals/{case.reference}"))["evidence"]
    given = (await case.file()).application.model_dump(mode="json")["evidence"]
    for each, said in zip(pieces, given, strict=True):
        seen = {"result": "proved", "seen_in": "the original", "round": 1}
        seen |= {} if said["value"] is None else {"value": said["value"]}
        where = f"/v1/appraisals/{case.reference}/evidence/{each['evidence_id']}/seen"
        await park.ask(by, "POST", where, seen)


async def recognised(park: Park, **more: Any) -> Case:
    """Take an application to its certificate."""
    return await recognise(park, await applied(park, **more))


async def recognise(park: Park, case: Case) -> Case:
    """Take an application that was taken on to its certificate."""
    await answered(park, case)
    await proved(park, case)
    decision = {"action": "approve", "round": 1}
    done = await park.ask("officer-1", "POST", f"/v1/appraisals/{case.reference}/decision", decision)
    assert done["stage"] == "approved", done
    await case.skip(park.world.context.limits.settling + timedelta(seconds=5))
    await case.until(lambda file: file.row.settled)
    await case.idle()
    return case
