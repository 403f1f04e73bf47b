"""What the register and a person are answered, to the letter: in `golden.json` as it was before rows had types."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from api.answers import json_response
from api.employer_views import RosterView, roster_links
from cases.shared.idempotency import Progress
from domain.errors import Refused
from domain.languages import Language
from privacy import objections
from privacy.access_days import _Counted, _readers
from privacy.access_log import Reading, reading_view
from privacy.erasures import erasure_view
from privacy.legal_holds import hold_view
from privacy.own_data import _facts
from programmes.talent_permit.programme import TALENT_PERMIT
from register.employers import _version_view, standing_view
from register.packs import pack_view
from register.premises import _view as premises_view
from register.rosters.columns import Header
from register.rosters.reads import SheetHead, roster_view, row_view
from store.rows.people import (
    EmployerVersionRow,
    ErasureRow,
    LegalHoldRow,
    ObjectionRow,
    PremisesRow,
    StandingRow,
)
from store.rows.rosters import RosterLineRow, RosterRow
from store.rows.rules import PackRow
from tests.register.rosters.reading import REGISTER

AT: Final = datetime(2026, 3, 2, 4, 5, 6, 789012, tzinfo=UTC)
GOLDEN: Final = json.loads((Path(__file__).parent / "golden.json").read_text())


def _by(subject: str, role: str = "officer") -> Any:
    return {"issuer": "i", "subject": subject, "role": role}


HEAD: Final = SheetHead(3, [Header("姓名", "name_zh"), Header("备注", None)])
STANDING: Final = StandingRow(
    change_id=UUID(int=1),
    employer_id="emp-a",
    standing="left_park",
    valid_from=date(2026, 4, 1),
    state="proposed",
    proposed_by=_by("s", "supervisor") | {"reasons": [{"code": "evidence_doubtful", "field": None}]},
    at=AT,
)
VERSION: Final = EmployerVersionRow(
    employer_id="emp-a",
    valid_from=date(2026, 1, 1),
    name_zh="河套",
    kind="tech_enterprise",
    premises=["SZP-001"],
)
PREMISES: Final = PremisesRow(
    code="P-1", address="河套路 1", valid_from=date(2026, 1, 1), valid_to=date(2026, 5, 31), folded="x"
)
SIGNATURE: Final = _by("s", "supervisor") | {"at": AT.isoformat(), "statement": "x"}
PACK: Final = PackRow(
    name="talent_permit",
    version="1",
    content="",
    content_hash="ab",
    effective_from=date(2026, 4, 1),
    state="published",
    report_hash="cd",
    proposed_by=SIGNATURE,
    confirmed_by=SIGNATURE | {"reasons": ["r"]},
    at=AT,
)
ROSTER: Final = RosterRow(
    roster_id=UUID(int=2),
    employer_id="emp-a",
    act="register",
    dry_run=True,
    on_defect="skip",
    actor={},
    status="running",
    totals={"rows": 2},
    key_id=UUID(int=3),
    resumes_at=AT + timedelta(hours=1),
    at=AT,
)
LINE: Final = RosterLineRow(
    roster_id=UUID(int=2),
    row=2,
    employer_id="emp-a",
    body=b"",
    result="defect",
    errors=[{"field": "identity_number", "code": "live_registration_exists", "message": "m"}],
)
HOLD: Final = LegalHoldRow(
    hold_id=UUID(int=4),
    reference="HT-1",
    employer_id="emp-a",
    reason="litigation",
    paper=b"",
    placed_by=_by("s"),
    placed_at=AT,
)
ERASURE: Final = ErasureRow(
    erasure_id=UUID(int=5),
    person_id=UUID(int=6),
    reference="HT-1",
    reason="person_asked",
    state="proposed",
    proposed_by=_by("s"),
    proposed_at=AT,
)
OBJECTION: Final = ObjectionRow(
    objection_id=UUID(int=7),
    kind="complaint",
    reference="HT-1",
    person_id=UUID(int=6),
    key_id=UUID(int=3),
    about="decision",
    state="answered",
    body=b"",
    at=AT,
    due_at=AT,
    outcome="upheld",
    answer=b"x",
    answered_by=_by("s"),
    answered_at=AT,
)
READ: Final = _Counted(
    day=date(2026, 3, 2),
    case_read="HT-1",
    act="personal_data_read",
    actor_role="officer",
    purpose=None,
    fields=["name_zh"],
    what=None,
    times=2,
    first_at=AT,
    at=AT + timedelta(hours=1),
)
LISTED: Final = READ._replace(act="case_read", fields=None)
GIVEN: Final = {"person": {"name_zh": "张三", "identity_number": "x"}, "employment": {"contract_end": "2027-01-01"}}


def _roster(roster: RosterRow, counts: dict[str, int]) -> RosterView:
    shown = roster_view(roster, counts, HEAD, AT)
    return RosterView(**shown.model_dump(), links=roster_links(shown.id))


SHOWN: Final[dict[str, Any]] = {
    "standing_proposed": standing_view(STANDING),
    "standing_confirmed": standing_view(
        replace(
            STANDING,
            state="in_force",
            proposed_by=_by("s", "supervisor"),
            confirmed_by=_by("o") | {"at": AT.isoformat()},
        )
    ),
    "version": _version_view(VERSION),
    "premises": premises_view(PREMISES),
    "pack": pack_view(PACK),
    "roster": _roster(ROSTER, {"new": 1, "defect": 1}),
    "roster_done": _roster(replace(ROSTER, status="failed", reason="defects", resumes_at=None), {}),
    "row": row_view(LINE, None, HEAD, REGISTER, Language.EN),
    "row_new": row_view(
        replace(LINE, row=3, result=None, reference="HT-1", errors=[]), None, HEAD, REGISTER, Language.EN
    ),
    "hold": hold_view(HOLD, None),
    "hold_released": hold_view(
        replace(HOLD, released_by=_by("t"), release_reason="matter_closed", released_at=AT), None
    ),
    "erasure": erasure_view(ERASURE),
    "erasure_done": erasure_view(replace(ERASURE, state="done", decided_by=_by("t"), decided_at=AT)),
    "receipt": objections._receipt(OBJECTION),
    "reading": reading_view(
        Reading("HT-1", AT, "personal_data_read", "officer", "complaint", {"fields": ["name_zh"]}),
        TALENT_PERMIT,
        False,
        Language.EN,
    ),
    "readers": _readers(
        [READ, LISTED, READ._replace(case_read="HT-0"), LISTED._replace(actor_role="auditor")],
        frozenset(),
        dict.fromkeys(("HT-0", "HT-1"), TALENT_PERMIT),
        Language.EN,
    ),
    "facts": _facts(GIVEN, TALENT_PERMIT, Language.EN),
}


class _Key:
    """A key that opens what was sealed as words, whatever it is."""

    def open(self, _table: str, column: str, _place: str, _sealed: bytes) -> bytes:
        return json.dumps({"text": "words" if column == "body" else "told"}).encode()


async def _key(*_: Any) -> _Key:
    return _Key()


async def _no_key(*_: Any) -> _Key:
    raise Refused("facts_erased", "")


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_what_was_shown(name: str) -> None:
    assert bytes(json_response(SHOWN[name]).body).decode() == GOLDEN[name]


async def test_an_objection_is_shown_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = None
    monkeypatch.setattr(objections, "get_data_key", _key)
    own = await objections._own_view(nothing, nothing, OBJECTION)
    late = objections._view(own, OBJECTION, AT)
    assert bytes(json_response(own).body).decode() == GOLDEN["own_objection"]
    assert bytes(json_response(late).body).decode() == GOLDEN["objection"]
    monkeypatch.setattr(objections, "get_data_key", _no_key)
    erased = replace(OBJECTION, answer=None, answered_by=None, answered_at=None)
    shown = objections._view(await objections._own_view(nothing, nothing, erased), erased, AT - timedelta(days=1))
    assert bytes(json_response(shown).body).decode() == GOLDEN["objection_erased"]


def test_everything_that_was_shown_is_looked_at() -> None:
    assert set(GOLDEN) == set(SHOWN) | {"own_objection", "objection", "objection_erased"}


@pytest.mark.parametrize("name", ["standing_proposed", "roster", "erasure", "hold", "receipt", "pack", "premises"])
def test_what_is_kept_with_a_key_is_what_is_shown(name: str) -> None:
    kept = json.dumps(SHOWN[name].as_json(), ensure_ascii=False, separators=(",", ":"))
    assert kept == GOLDEN[name]


def test_what_became_of_an_act_is_kept_by_the_numbers_of_before() -> None:
    kept = {each.value: each.kept for each in Progress if each is not Progress.PENDING}
    assert kept == {"applied": 200, "made": 201, "stored": 202, "nothing": 204}
    assert all(Progress.of_kept(number) == name for name, number in kept.items())
