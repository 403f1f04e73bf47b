"""Facts of notices in which nothing that any template says is missing, and who is told what of which programme."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import product
from typing import Any, Final

from cases.programme import Programme
from domain.actors import Role
from domain.languages import Language
from domain.notices import About, Channel, Recipient
from domain.stages import PendingAct, Stage
from domain.words import CORE_WORDS
from programmes.talent_permit.notice_facts import PermitNoticeFacts
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.reasons import PermitReason
from tests.programmes.declared import DECLARED
from tests.programmes.samples import SAMPLES
from texts.notices import NoticeFacts, ObjectionRemedy, Reason, Remedy, Rendered, render

REFERENCE = "7K3M9Q2X-4"
PERSONAL = {
    "person_name": "欧阳<b>娜娜</b>",
    "employer_name": "合成生物 & 研究院",
    "note": "note <script>alert(1)</script>",
    "authority_reason": "authority-words <i>",
    "point": "point-words",
    "point_note": "point-note",
    "staff_note": "staff-note",
}
FACTS = PermitNoticeFacts(
    reference=REFERENCE,
    registration_number="HR-2026-000123-P",
    destination=Destination.HK,
    destinations=(Destination.HK, Destination.MO),
    employer_id="emp-a",
    occurred_at=datetime(2026, 2, 10, 1, 30, tzinfo=UTC),
    employer_name=PERSONAL["employer_name"],
    person_name=PERSONAL["person_name"],
    reasons=(Reason(code="not_employed_there", sentence="sentence-words", note=PERSONAL["note"]),),
    points=(
        Reason(
            code="name_differs",
            sentence=PERSONAL["point"],
            fields=("person.name_zh",),
            field_names="field-words",
            note=PERSONAL["point_note"],
        ),
    ),
    note=PERSONAL["staff_note"],
    end_reason=PermitReason.CONTRACT_ENDED,
    stage=Stage.UNDER_REVIEW,
    permit_stage=PermitStage.ISSUED,
    round=2,
    authority_reason=PERSONAL["authority_reason"],
    authority_remedy="remedy-words",
    due_on=date(2026, 2, 24),
    due_provisional=True,
    days_left=3,
    missed_on=date(2026, 3, 3),
    expected_on=date(2026, 3, 4),
    old_on=date(2026, 3, 5),
    new_on=date(2026, 3, 6),
    last_day=date(2026, 3, 7),
    ended_on=date(2026, 3, 8),
    contract_end=date(2026, 3, 9),
    from_on=date(2026, 3, 10),
    answer_expected_on=date(2026, 3, 11),
    valid_from=date(2026, 3, 12),
    valid_until=date(2029, 3, 11),
    renew_by=date(2029, 2, 16),
    stay_days=30,
    revoked_on=date(2026, 3, 13),
    review_on=date(2026, 3, 14),
    days_over=2,
    fact_field="permit_card_valid_until",
    changed_fields=("contract_end", "email"),
    role=Role.SUPERVISOR,
    decided_on=date(2026, 3, 15),
    rule_version="talent_permit/2025-11-05",
    remedy=Remedy(reconsideration_days=60, lawsuit_months=6),
    objection=ObjectionRemedy(days=60, not_before=date(2026, 5, 14), path="/v1/registrations/HT-7K2M-9QXA-J/objection"),
    pending_act=PendingAct.REFUSE,
    against="refusal",
    about_track=Destination.HK,
    objected_on=date(2026, 3, 16),
    state_worker=True,
    handed_kind=PermitNotice.PERMIT_ISSUED,
    link="https://example.test/cases/7K3M9Q2X-4?a=1&b=2",
    valid_minutes=15,
    webhook_id="0b8e7c9e-0000-4000-8000-000000000001",
    webhook_url="https://hr.example.com/hooks",
    contact="f***@example.com",
)


def _facts_of(programme: Programme) -> NoticeFacts:
    """Return the same facts of a case of any programme, with a track, a notice and a path of its own."""
    key = next((key for track in programme.tracks.values() for key in track.keyed_by), None)
    core = NoticeFacts.model_validate({name: getattr(FACTS, name) for name in NoticeFacts.model_fields})
    path = f"/v1/{programme.path}/{programme.prefix}-7K2M-9QXA-J/objection"
    own = {
        "objection": ObjectionRemedy(days=60, not_before=date(2026, 5, 14), path=path),
        "destination": key,
        "about_track": key,
        "handed_kind": next(kind for kind in programme.words.notices if kind not in CORE_WORDS.notices),
        "end_reason": None,
        **SAMPLES[programme.code].told,
    }
    return programme.notice_facts.model_validate(dict(core) | own)


FACTS_OF: Final[Mapping[str, NoticeFacts]] = {
    code: FACTS if code == "talent_permit" else _facts_of(programme) for code, programme in DECLARED.items()
}
# Every kind of every programme.
SPOKEN: Final = [(code, str(kind)) for code, each in DECLARED.items() for kind in each.words.notices]


def readers_of(code: str, kind: str) -> Iterator[tuple[Recipient, Channel, Language]]:
    """Yield each reader of a kind, by channel and language."""
    for recipient, channels in DECLARED[code].words.notices[kind].recipients.items():
        for channel, language in product(channels.channels, Language):
            yield recipient, channel, language


def speaking_of(code: str, kind: str) -> dict[str, str | Sequence[str]]:
    """Return whose texts a kind is told in: the programme's own, or of an employer those of each programme."""
    texts = DECLARED[code].texts
    return {"each": [texts]} if DECLARED[code].words.notices[kind].about is About.EMPLOYER else {"room": texts}


def say(
    code: str,
    kind: str,
    recipient: Recipient,
    channel: Channel,
    language: Language,
    facts: NoticeFacts | None = None,
) -> Rendered:
    """Return what a reader of a programme's notice gets."""
    speaking: dict[str, Any] = speaking_of(code, kind)
    told = facts or FACTS_OF[code]
    if "each" in speaking and channel is not Channel.WEBHOOK:
        told = told.model_copy(update={"handed_kind": None})  # which none about an employer has
    return render(kind, recipient, channel, language, told, **speaking)
