"""Every notice renders for every reader, channel and language, and gives away nothing where others read along."""

import json
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest
import yaml
from opencc import OpenCC

from domain.actors import Role
from domain.errors import Defect as DefectError
from domain.languages import Language
from domain.notices import Channel, NoticeKind, Recipient, StatedDate, when_undelivered
from domain.stages import DueKind, PendingAct, Stage
from domain.words import joined
from programmes import PROGRAMMES
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.notices import PermitDate, PermitNotice
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.reasons import PermitReason
from programmes.talent_permit.requests import RegistrationRequest
from tests.programmes.declared import DECLARED
from tests.programmes.declared import WORDS as WORDS_OF_ALL
from texts.notices import NoticeFacts, Reason, Remedy, Rendered, render, render_digest, render_together, text_hash
from texts.notices.catalogue import ENTRIES, FOLDER, SHARED
from texts.reasons import reason_sentence

FOLDERS = (FOLDER, *(Path(str(files(each.texts))) / "texts" / "notices" for each in DECLARED.values()))
PLANS = WORDS_OF_ALL.notices
OF_REGISTRY = joined(each.words for each in PROGRAMMES.values()).notices

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
FACTS = NoticeFacts(
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
    pending_act=PendingAct.REFUSE,
    state_worker=True,
    handed_kind=PermitNotice.PERMIT_ISSUED,
    link="https://example.test/cases/7K3M9Q2X-4?a=1&b=2",
    valid_minutes=15,
    webhook_id="0b8e7c9e-0000-4000-8000-000000000001",
    webhook_url="https://hr.example.com/hooks",
    contact="f***@example.com",
)
STATED: dict[str, tuple[date, ...]] = {
    StatedDate.PARK_DECISION_DUE: (date(2026, 2, 24),),
    StatedDate.CORRECTION_DUE: (date(2026, 2, 24),),
    StatedDate.MISSED_AND_EXPECTED: (date(2026, 3, 3), date(2026, 3, 4)),
    StatedDate.OLD_AND_NEW: (date(2026, 3, 5), date(2026, 3, 6)),
    PermitDate.LAST_DAY: (date(2026, 3, 7),),
    PermitDate.ENDED_ON: (date(2026, 3, 8),),
    PermitDate.CONTRACT_END: (date(2026, 3, 9),),
    StatedDate.FROM_WHEN: (date(2026, 3, 10),),
    PermitDate.AUTHORITY_ANSWER_EXPECTED: (date(2026, 3, 11),),
    PermitDate.VALID_FROM_AND_UNTIL: (date(2026, 3, 12), date(2029, 3, 11)),
    PermitDate.VALID_UNTIL: (date(2029, 3, 11),),
    PermitDate.REVOKED_ON: (date(2026, 3, 13),),
    StatedDate.REVIEW_ON: (date(2026, 3, 14),),
}
EVERY = [
    (kind, recipient, channel, language)
    for kind, plan in PLANS.items()
    for recipient, channels in plan.recipients.items()
    for channel, language in product(channels.channels, Language)
]


def written(day: date, language: Language) -> str:
    """Return the date as a reader of the language expects it, without its weekday."""
    return f"{day:%-d %B %Y}" if language is Language.EN else f"{day.year}年{day.month}月{day.day}日"


def everything(rendered: Rendered) -> str:
    """Return all that a reader gets."""
    return f"{rendered.subject}\n{rendered.text}\n{rendered.html or ''}"


@pytest.mark.parametrize(("kind", "recipient", "channel", "language"), EVERY)
def test_every_notice_renders_without_a_gap(
    kind: str, recipient: Recipient, channel: Channel, language: Language
) -> None:
    rendered = render(kind, recipient, channel, language, FACTS)
    assert rendered.subject
    assert "\n" not in rendered.subject
    assert rendered.text
    assert (rendered.html is not None) == (channel is Channel.MAIL)
    for gap in ("{{", "{%", "None", "Undefined", "Destination.", "Role."):
        assert gap not in everything(rendered)


@pytest.mark.parametrize(("kind", "recipient", "channel", "language"), EVERY)
def test_nothing_personal_stands_where_others_read_along(
    kind: str, recipient: Recipient, channel: Channel, language: Language
) -> None:
    rendered = render(kind, recipient, channel, language, FACTS)
    # What is in the inbox of the proposer alone says why the second signature was not given.
    is_alone = channel is Channel.MAIL or (channel is Channel.INBOX and recipient is Recipient.PROPOSER)
    seen = rendered.subject if is_alone else f"{rendered.subject}\n{rendered.text}"
    for words in PERSONAL.values():
        assert words not in seen


def test_an_sms_says_the_same_whatever_happened() -> None:
    for language in Language:
        texts = {
            render(kind, recipient, channel, each, FACTS).text
            for kind, recipient, channel, each in EVERY
            if channel is Channel.SMS and each is language and kind is not NoticeKind.SIGN_IN_LINK
        }
        assert len(texts) == 1
        text = texts.pop()
        assert REFERENCE in text
        assert len(text) <= (160 if language is Language.EN else 70)  # one message of GSM-7 or UCS-2


def test_the_sms_to_sign_in_with_holds_the_link_and_nothing_personal() -> None:
    for language in Language:
        text = render(NoticeKind.SIGN_IN_LINK, Recipient.PERSON, Channel.SMS, language, FACTS).text
        assert FACTS.link is not None
        assert text.endswith(FACTS.link)
        assert not [words for words in PERSONAL.values() if words in text]


NEEDED = yaml.safe_load((Path(__file__).parent / "needed_words.yaml").read_text(encoding="utf-8"))
READ_BY_PEOPLE = [
    each
    for each in EVERY
    if each[0] in OF_REGISTRY
    and each[2] in PLANS[each[0]].recipients[each[1]].at_once
    and each[2] in (Channel.MAIL, Channel.INBOX)
]


def test_every_reader_of_every_kind_has_words_to_look_for() -> None:
    assert {kind: set(readers) for kind, readers in NEEDED.items()} == {
        str(kind): {recipient.value for recipient in plan.recipients} for kind, plan in OF_REGISTRY.items()
    }


@pytest.mark.parametrize(("kind", "recipient", "channel", "language"), READ_BY_PEOPLE)
def test_a_reader_finds_what_happened_what_to_do_and_by_when(
    kind: str, recipient: Recipient, channel: Channel, language: Language
) -> None:
    facts = FACTS.model_copy(update={"due_kind": DueKind.CORRECTION})
    text = render(kind, recipient, channel, language, facts).text
    place = [Language.ZH_HANS, Language.ZH_HANT, Language.EN].index(language)
    for words in NEEDED[kind][recipient].values():
        wanted = words[place].replace("end-reason", reason_sentence("contract_ended", language))
        assert wanted in text
    stated = PLANS[kind].states.get(recipient)
    for day in STATED.get(stated, ()) if stated else ():
        assert written(day, language) in text


def _with_codes(kind: str) -> list[NoticeFacts]:
    """Return facts with every code that a notice of a kind can carry."""
    bare = FACTS.model_copy(update={"authority_reason": None, "rule_version": "2025-11-05"})
    varied: list[dict[str, object]] = [{"pending_act": act} for act in PendingAct]
    varied += [{"due_kind": due} for due in DueKind]
    if kind in (PermitNotice.REGISTRATION_ENDED, PermitNotice.PERMIT_CLOSED, PermitNotice.DEPARTURE_RECORDED):
        varied += [{"end_reason": reason} for reason in WORDS_OF_ALL.reasons]
    if kind is NoticeKind.HAND_OVER_REQUESTED:
        varied += [{"handed_kind": each} for each in PLANS]
    return [bare.model_copy(update=each) for each in varied]


FIELD_PATHS = RegistrationRequest.paths()
CODES = {
    *WORDS_OF_ALL.reasons,
    *FindingCode,
    *FIELD_PATHS,
    *PLANS,
    *Stage,
    *PermitStage,
    *DueKind,
    *PendingAct,
}
CODE = re.compile(r"(?<![\w./-])(" + "|".join(sorted(map(re.escape, CODES), key=len, reverse=True)) + r")(?![\w-])")
# Codes that are English words as well stand in English sentences.
WORDS = {code for code in CODES if "_" not in code and "." not in code}


@pytest.mark.parametrize(
    ("kind", "recipient", "channel", "language"), [e for e in EVERY if e[2] is not Channel.WEBHOOK]
)
def test_no_text_for_people_has_a_raw_code(
    kind: str, recipient: Recipient, channel: Channel, language: Language
) -> None:
    for facts in _with_codes(kind):
        rendered = render(kind, recipient, channel, language, facts)
        found = set(CODE.findall(f"{rendered.subject}\n{rendered.text}"))
        assert found <= (WORDS if language is Language.EN else set())


@pytest.mark.parametrize(
    ("kind", "language"), list(product([kind for kind, plan in OF_REGISTRY.items() if plan.is_letter], Language))
)
@pytest.mark.parametrize("recipient", [Recipient.EMPLOYER, Recipient.PERSON])
def test_a_letter_carries_decider_reasons_version_and_an_unconfirmed_remedy(
    kind: str, recipient: Recipient, language: Language
) -> None:
    letter = render(kind, recipient, Channel.MAIL, language, FACTS)
    assert letter.html is not None
    mark = SHARED.mark_label[language]
    for part in ("sentence-words", "60", "talent_permit/2025-11-05", mark):
        assert part in letter.text
        assert part in letter.html
    assert PERSONAL["note"] in letter.text
    assert written(date(2026, 3, 15), language) in letter.text
    role = {Language.EN: "supervisor of the Park", Language.ZH_HANS: "园区主管人员", Language.ZH_HANT: "園區主管人員"}
    assert role[language] in letter.text
    confirmed = FACTS.model_copy(
        update={"remedy": Remedy(reconsideration_days=60, lawsuit_months=6, is_confirmed=True)}
    )
    assert mark not in render(kind, recipient, Channel.MAIL, language, confirmed).text


def test_only_the_person_reads_why_the_authority_refused() -> None:
    for kind in (PermitNotice.PERMIT_REFUSED, PermitNotice.PERMIT_REVOKED):
        for language in Language:
            to_person = render(kind, Recipient.PERSON, Channel.MAIL, language, FACTS)
            to_employer = render(kind, Recipient.EMPLOYER, Channel.MAIL, language, FACTS)
            assert "authority-words" in to_person.text
            assert "authority-words" not in everything(to_employer)
            assert "remedy-words" not in everything(to_employer)


def test_the_privacy_notice_goes_to_the_person_alone() -> None:
    title = {
        Language.ZH_HANS: "个人信息处理告知书",
        Language.ZH_HANT: "收集個人資料聲明",
        Language.EN: "Notice of processing of personal information",
    }
    kind = NoticeKind.REGISTRATION_RECEIVED
    for language in Language:
        assert title[language] in render(kind, Recipient.PERSON, Channel.MAIL, language, FACTS).text
        assert title[language] not in render(kind, Recipient.EMPLOYER, Channel.MAIL, language, FACTS).text


class Outline(HTMLParser):
    """Collects the tags of a mail."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_html_escapes_what_people_wrote() -> None:
    html = render(NoticeKind.REGISTRATION_REFUSED, Recipient.PERSON, Channel.MAIL, Language.EN, FACTS).html
    assert html is not None
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html


def test_html_names_its_language_and_has_one_first_heading() -> None:
    for language in Language:
        html = render(NoticeKind.REGISTRATION_APPROVED, Recipient.PERSON, Channel.MAIL, language, FACTS).html
        outline = Outline()
        outline.feed(html or "")
        assert ("html", {"lang": language.value}) in outline.tags
        assert [tag for tag, _ in outline.tags].count("h1") == 1
        assert any(tag == "a" and attributes.get("href") == FACTS.link for tag, attributes in outline.tags)


def test_a_webhook_holds_codes_and_the_reference_only() -> None:
    rendered = render(PermitNotice.PERMIT_ISSUED, Recipient.EMPLOYER, Channel.WEBHOOK, Language.EN, FACTS)
    assert json.loads(rendered.text) == {
        "type": "permit_issued",
        "timestamp": "2026-02-10T09:30:00+08:00",
        "data": {
            "reference": "7K3M9Q2X-4",
            "registration_number": "HR-2026-000123-P",
            "employer_id": "emp-a",
            "destination": "HK",
            "stage": "under_review",
            "permit_stage": "issued",
            "round": 2,
            "open_points": [{"code": "name_differs", "field": "person.name_zh", "fields": ["person.name_zh"]}],
            "reasons": [{"code": "not_employed_there", "field": None, "fields": []}],
            "end_reason": "contract_ended",
            "due_on": "2026-02-24",
            "handed_kind": "permit_issued",
            "fields": ["contract_end", "email"],
        },
    }
    assert rendered.text == json.dumps(
        json.loads(rendered.text), ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )


def test_a_missing_fact_is_a_defect_and_not_a_gap() -> None:
    facts = FACTS.model_copy(update={"valid_until": None})
    with pytest.raises(DefectError):
        render(PermitNotice.PERMIT_ISSUED, Recipient.PERSON, Channel.MAIL, Language.EN, facts)


def test_a_digest_holds_each_notice_of_the_day() -> None:
    notices = [(NoticeKind.REGISTRATION_RECEIVED, FACTS), (PermitNotice.PERMIT_ISSUED, FACTS)]
    digest = render_digest(Recipient.EMPLOYER, Language.EN, notices)
    assert "The application for registration has been received" in digest.text
    assert "The talent permit for Hong Kong has been issued" in digest.text
    assert REFERENCE not in digest.subject


def test_what_is_alike_for_both_destinations_is_said_once_in_each_language() -> None:
    both = [(PermitNotice.PERMIT_SUBMITTED, FACTS.model_copy(update={"destination": each})) for each in Destination]
    names = {Language.ZH_HANS: "香港、澳门", Language.ZH_HANT: "香港、澳門", Language.EN: "Hong Kong and Macao"}
    for language, places in names.items():
        mail = render_together(Recipient.PERSON, language, both)
        alone = render(PermitNotice.PERMIT_SUBMITTED, Recipient.PERSON, Channel.MAIL, language, FACTS)
        assert places in mail.subject
        assert places in mail.text
        assert len(mail.text) < len(alone.text) + 40


def test_what_differs_between_destinations_is_said_of_each() -> None:
    other = FACTS.model_copy(update={"destination": Destination.MO, "valid_until": date(2028, 3, 11)})
    kind = PermitNotice.PERMIT_ISSUED
    mail = render_together(Recipient.PERSON, Language.EN, [(kind, FACTS), (kind, other)])
    assert "2 notices" in mail.text
    for words in ("permit for Hong Kong has been issued", "permit for Macao has been issued", "11 March 2028"):
        assert words in mail.text
    assert "(Hong Kong and Macao)" in mail.subject


def test_a_handover_names_the_notice_that_could_not_be_delivered() -> None:
    text = render(NoticeKind.HAND_OVER_REQUESTED, Recipient.EMPLOYER, Channel.MAIL, Language.EN, FACTS).text
    assert "Notice of the Park management: The talent permit for Hong Kong has been issued" in text


HANDED = [kind for kind, plan in PLANS.items() if when_undelivered(plan, Recipient.PERSON).employer_hands_over]


@pytest.mark.parametrize("language", list(Language))
def test_a_handover_says_what_the_person_would_have_read_and_not_what_is_theirs_alone(language: Language) -> None:
    asked = NoticeKind.HAND_OVER_REQUESTED
    for kind in HANDED:
        if Recipient.PERSON not in PLANS[kind].recipients:
            continue
        facts = FACTS.model_copy(update={"handed_kind": kind, "is_handed_whole": PLANS[kind].is_handed_over_whole})
        text = render(asked, Recipient.EMPLOYER, Channel.MAIL, language, facts).text
        bare = facts.model_copy(update={"link": None})
        section = render(kind, Recipient.PERSON, Channel.MAIL, language, bare).text.split("\n\n")[2:-1]
        lines = [line.removeprefix("- ") for part in section for line in part.split("\n")]
        if PLANS[kind].for_person_alone:
            assert not [line for line in lines if line in text], kind
        else:
            assert [line for line in lines if line not in text] == [], kind
        assert PERSONAL["authority_reason"] not in text
        assert "remedy-words" not in text


def test_what_the_authority_said_is_in_the_kinds_that_are_for_the_person_alone() -> None:
    said = {
        kind
        for kind, entry in ENTRIES.items()
        if "authority_" in str(entry.bodies.get(Recipient.PERSON.value)) and Recipient.PERSON in PLANS[kind].recipients
    }
    assert said == {kind for kind, plan in PLANS.items() if plan.for_person_alone}


def test_the_hash_changes_with_any_part_and_only_then() -> None:
    rendered = Rendered("subject", "text", "html")
    assert text_hash(rendered, "salt") == text_hash(Rendered("subject", "text", "html"), "salt")
    assert text_hash(rendered, "salt") != text_hash(rendered, "other")
    others = [Rendered("s", "text", "html"), Rendered("subject", "t", "html"), Rendered("subject", "text", None)]
    assert len({text_hash(each, "salt") for each in [rendered, *others]}) == 4


def test_every_text_stands_in_three_languages() -> None:
    def languages(node: object) -> None:
        if isinstance(node, dict):
            keys = set(node)
            if keys & set(Language):
                assert keys == set(Language)
                sizes = {len(part) for part in node.values() if isinstance(part, list)}
                assert len(sizes) <= 1
            for part in node.values():
                languages(part)
        if isinstance(node, list):
            for part in node:
                languages(part)

    for path in (path for folder in FOLDERS for path in folder.glob("*.yaml")):
        languages(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_template_file_belongs_to_a_kind() -> None:
    assert {path.stem for folder in FOLDERS for path in folder.glob("*.yaml")} == {*map(str, PLANS), "shared"}
    assert set(ENTRIES) == set(PLANS)


def test_simplified_and_traditional_texts_keep_to_their_script() -> None:
    """A character that its script writes otherwise betrays a text under the wrong language."""
    script = {Language.ZH_HANS: OpenCC("t2s"), Language.ZH_HANT: OpenCC("s2t")}
    facts = FACTS.model_copy(update={"person_name": "X", "employer_name": "Y"})
    for kind, recipient, channel, language in EVERY:
        if language in script and channel in (Channel.MAIL, Channel.INBOX):
            text = render(kind, recipient, channel, language, facts).text
            wrong = {char for char in text if script[language].convert(char) != char} - {"准"}  # 批准 in both
            assert not wrong, (kind, recipient, language)
