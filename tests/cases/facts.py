"""What tests of recorded facts work with: the body of one, recording it, and what the rules then find."""

from typing import Any

from domain.actors import Actor, Role
from domain.commands import CommandKind
from record.reconciliation.reconcile import reconcile_case
from tests.api.engines import NoHistories
from tests.cases.contexts import OFFICER
from tests.cases.driver import Case

AUDITOR = Actor(issuer="test", subject="auditor", role=Role.AUDITOR)
SHORT = {"permit_card_valid_until": "2027-03-31"}
LAST_DAY = "person.permit_card_valid_until"
NUMBER = "person.permit_card_number"


def fact(field: str, value: Any, seen_in: str = "证件原件", round_: int = 1) -> dict[str, Any]:
    """Return the body of a fact."""
    return {"field": field, "value": value, "seen_in": seen_in, "round": round_}


async def record(case: Case, field: str, value: Any, *, by: Actor = OFFICER, **more: Any) -> dict[str, Any]:
    """Record a fact in the round that stands."""
    return await case.do(by, CommandKind.RECORD_FACT, **fact(field, value, round_=await case.round(), **more))


async def found(case: Case, code: str, destination: str = "") -> str:
    """Return what a rule found of the registration, or of the permit of a destination."""
    view = await case.view()
    findings = view["findings"]
    if destination:
        (findings,) = [p["findings"] for p in view["permits"] if p["destination"] == destination]
    return next(str(each["outcome"]) for each in findings if each["code"] == code)


async def differences(case: Case) -> set[tuple[str, Any]]:
    """Return where the records of a case do not agree; there is no Temporal."""
    _, told = await reconcile_case(case.park.context, NoHistories(), case.reference)
    return {(each.code, each.place.get("table")) for each in told if each.code != "history_missing"}
