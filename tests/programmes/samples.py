"""What tests need of each programme to ask its routes: a right form, and a right body for each command of its own.

A programme that is added has an entry here; the bodies of what any case takes are in `tests/api/bodies.py`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from programmes import PROGRAMMES
from programmes.work_permit.words import WorkPermitDate
from tests.cases.contexts import registration_body
from tests.programmes.appraisal.people import SAMPLE as APPRAISAL_FORM
from tests.programmes.toy.programme import TOY
from tests.programmes.work_permit.forms import FORM as WORK_PERMIT_FORM
from tests.programmes.work_permit.forms import PAPER


class Sample(NamedTuple):
    """Right bodies of a programme.

    Attributes:
        form: what opens a case.
        correction: what is given again.
        fact: what an officer saw: field, value, and in what.
        own: by what stands behind the reference of a case, what is given with commands of its own.
        ready: what has to be done with a case before staff can decide it: persona, what stands behind the reference,
            and the body.
        person: the name of the part of the form that has the person.
        questions: by their paths, what is asked that is of no case.
        told: by name, what its notices say beside what any notice says (its kind of `NoticeFacts`).
        told_otherwise: how else these may be where a text asks for it, as what is not there.
        stated: by its own kinds of dates that a notice states, which days of `told` these are.
    """

    form: Mapping[str, Any]
    correction: Mapping[str, Any]
    fact: Mapping[str, Any]
    own: Mapping[str, Any]
    ready: tuple[tuple[str, str, Mapping[str, Any]], ...] = ()
    person: str = "person"
    questions: Mapping[str, Any] = {}
    told: Mapping[str, Any] = {}
    told_otherwise: tuple[Mapping[str, Any], ...] = ()
    stated: Mapping[str, tuple[date, ...]] = {}


def _shown(body: type[BaseModel]) -> Any:
    """Return the example that a body publishes."""
    extra: Any = body.model_config["json_schema_extra"]
    return extra["examples"][0]


SAMPLES: Final[Mapping[str, Sample]] = {
    PROGRAMMES["talent_permit"].code: Sample(
        form=registration_body(),
        correction={"employment": {"position": "高级研究员"}},
        fact={"field": "person.permit_card_valid_until", "value": "2036-05-31", "seen_in": "The card itself."},
        own={
            "departure": {"last_day": "2026-03-31", "reason": "resigned"},
            "change": {"email": "new@example.com"},
            "permits/{destination}/lost": {"lost_on": "2026-03-02"},
            "revocation": {"reasons": [{"code": "decided_in_error"}]},
            "permits/{destination}/eligibility": {"action": "send", "reasons": [{"code": "document_seen"}]},
            "permits/{destination}/outcome": {"outcome_id": "out-1"},
            "permits/{destination}/confirmation": {"action": "confirm"},
            "permits/{destination}/recall": {"reason": "Withheld by mistake."},
        },
        told_otherwise=(
            {"stay_days": None, "state_worker": False, "card_lost_on": date(2026, 3, 7)},
            {"authority_reason": None, "authority_remedy": None},
        ),
    ),
    PROGRAMMES["appraisal"].code: Sample(
        form=APPRAISAL_FORM,
        ready=(("employer-a", "employment/confirmed", {}),),
        correction={"employment": {"position": "高級研究員"}},
        fact={"field": "employment.work_start", "value": "2026-01-12", "seen_in": "The contract itself."},
        own={
            "change": {"position": "高級研究員"},
            "employment/confirmed": {},
            "employment/denied": {},
            "employment/left": {"last_day": "2026-03-31"},
            "suspension": {"reasons": [{"code": "false_statement_suspected"}]},
            "restoration": {},
            "revocation": {"reasons": [{"code": "false_statement"}]},
            "renewal": {},
        },
        told={
            "certificate": "HA-2026-000001-2",
            "valid_from": date(2026, 3, 2),
            "valid_until": date(2029, 3, 1),
            "suspended_for": ("appraisal_employment_ended", "appraisal_evidence_fallen"),
        },
    ),
    PROGRAMMES["work_permit"].code: Sample(
        form=WORK_PERMIT_FORM,
        correction={"declared": {"chinese": "hsk5"}},
        fact={"field": "job.local_average_wage_year", "value": "150000.00", "seen_in": "The yearbook."},
        own={
            "outcome": PAPER,
            "change": {"position": "Head of materials", "happened_on": "2026-03-02"},
            "end": {"ended_on": "2026-09-30"},
            "cancellation": {"ended_on": "2026-09-30"},
            "entry": {"entered_on": "2026-03-01"},
            "residence-application": {"applied_on": "2026-03-02"},
            "residence-outcome": {"outcome": "refused", "decided_on": "2026-03-02"},
            "evidence/{evidence_id}/seen": {"result": "proved", "seen_in": "The original.", "round": 1},
            "evidence/{evidence_id}/fallen": {"reasons": [{"code": "evidence_revoked"}]},
        },
        questions={each.path: _shown(each.body) for each in PROGRAMMES["work_permit"].questions},
        told={
            "permit_number": "permit-number",
            "valid_from": date(2026, 3, 12),
            "valid_until": date(2029, 3, 11),
            "apply_by": date(2026, 3, 17),
            "ended_on": date(2026, 3, 3),
        },
        stated={
            WorkPermitDate.VALID_FROM_AND_UNTIL: (date(2026, 3, 12), date(2029, 3, 11)),
            WorkPermitDate.VALID_UNTIL: (date(2029, 3, 11),),
            WorkPermitDate.APPLY_BY: (date(2026, 3, 17),),
        },
    ),
    TOY.code: Sample(
        form={
            "person": {"name_zh": "欧阳娜", "identity_number": "44030419900307123X"},
            "wish": {"toy": "木马"},
            "evidence": [
                {"item": "age", "kind": "birth_certificate", "issuer": "医院", "date": "2020-01-01", "value": 6}
            ],
        },
        correction={"wish": {"toy": "积木"}},
        fact={"field": "wish.toy", "value": "积木", "seen_in": "The wish itself."},
        own={"change": {"toy": "积木"}, "workshops/{workshop}/finished": {}},
        questions={"days": {"on": "2026-11-30", "toys": 3}},
    ),
}
